// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace sluice::cli {

// How points in time are shown. Without one they are UTC, whatever TZ says.
// The C library has one time zone a process: make one of these a process, before threads start.
class TimeZone {
 public:
  // "UTC", a fixed offset ("+02:00") or a name of the zone database ("Europe/Berlin"). kInvalid: not known here.
  static Result<TimeZone> Make(io::FileSystem& files, const std::string& name);

  // RFC 3339 in this zone: "2026-01-15T10:00:00.5Z" becomes "2026-01-15T11:00:00.5+01:00". What is no RFC 3339 comes back as it is.
  std::string Format(std::string_view rfc3339) const;

 private:
  enum class Kind { kUtc, kFixed, kNamed };
  Kind kind_ = Kind::kUtc;
  long offset_s_ = 0;  // east of UTC, of kFixed
};

}  // namespace sluice::cli
