// SPDX-License-Identifier: Apache-2.0
#include "cli/time_zone.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/time.h"

namespace sluice::cli {
namespace {

constexpr const char* kZoneDatabase = "/usr/share/zoneinfo/";
constexpr long kOffsetSecondsMax = 18 * 3600;

bool ParseOffset(const std::string& text, long& seconds) {
  int hours = 0, minutes = 0, used = 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-')) return false;
  if (std::sscanf(text.c_str() + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 || minutes > 59) return false;
  seconds = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
  return std::labs(seconds) <= kOffsetSecondsMax;
}

std::string OffsetText(long seconds) {
  char text[48];
  const long size = std::labs(seconds);
  std::snprintf(text, sizeof text, "%c%02ld:%02ld", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  return text;
}

}  // namespace

Result<TimeZone> TimeZone::Make(io::FileSystem& files, const std::string& name) {
  TimeZone out;
  if (name.empty() || name == "UTC" || name == "Z") return out;
  if (ParseOffset(name, out.offset_s_)) {
    out.kind_ = Kind::kFixed;
    return out;
  }
  const bool plain = name.find("..") == std::string::npos && name[0] != '/';
  auto found = plain ? files.Stat(kZoneDatabase + name) : Result<io::FileInfo>(Error{ErrorCode::kNotFound, {}, {}});
  if (!found.ok() || found->is_directory)
    return Error{ErrorCode::kInvalid, "there is no time zone \"" + name + "\"",
                 "write UTC, an offset such as +02:00, or a name such as Europe/Berlin (Debian: package tzdata)"};
  setenv("TZ", (":" + name).c_str(), 1);
  tzset();
  out.kind_ = Kind::kNamed;
  return out;
}

std::string TimeZone::Format(std::string_view rfc3339) const {
  Timestamp t;
  if (kind_ == Kind::kUtc || !base::ParseRfc3339(rfc3339, t)) return std::string(rfc3339);
  long offset_s = offset_s_;
  if (kind_ == Kind::kNamed) {
    const time_t seconds = base::FloorDiv(t.us, kMicrosPerSecond);
    tm local{};
    localtime_r(&seconds, &local);
    offset_s = local.tm_gmtoff;
  }
  std::string text = base::FormatRfc3339({t.us + offset_s * kMicrosPerSecond});
  text.pop_back();  // the Z
  return text + OffsetText(offset_s);
}

}  // namespace sluice::cli
