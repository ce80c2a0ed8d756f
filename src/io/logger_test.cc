// SPDX-License-Identifier: Apache-2.0
#include "io/logger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

class FixedClock final : public Clock {
 public:
  Timestamp Now() override { return now; }
  int64_t MonotonicNs() override { return 0; }
  void SleepUs(int64_t) override {}
  Timestamp now{1'768'435'200'000'000};
};

// What a pipe holds after `use` has logged into it.
template <class Use>
std::string Logged(LogLevel level, Timestamp now, Use use) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  Descriptor from(ends[0]), to(ends[1]);
  FixedClock clock;
  clock.now = now;
  auto log = MakeDescriptorLogger(to.get(), level, clock);
  use(*log);
  char text[4096];
  ssize_t n = read(from.get(), text, sizeof text);
  return n > 0 ? std::string(text, static_cast<size_t>(n)) : "";
}

TEST(LogLine, HasTimeLevelMessageAndFields) {
  EXPECT_EQ(Logged(LogLevel::kInfo, Timestamp{1'768'435'200'000'000}, [](Logger& log) { log.Info("journal opened", {{"segments", 3}, {"path", "/d"}}); }),
            "2026-01-15T00:00:00.000000Z INFO journal opened segments=3 path=/d\n");
  EXPECT_EQ(Logged(LogLevel::kInfo, Timestamp{1'768'435'200'000'001}, [](Logger& log) { log.Warn("slow disk"); }),
            "2026-01-15T00:00:00.000001Z WARN slow disk\n");
}

TEST(LogLine, LevelFilterKeepsItsOwnLevelAndAbove) {
  auto all = [](Logger& log) { log.Debug("d"); log.Info("i"); log.Warn("w"); log.Error("e"); };
  auto kept = [&](LogLevel level) { auto text = Logged(level, Timestamp{}, all); return std::count(text.begin(), text.end(), '\n'); };
  EXPECT_EQ(kept(LogLevel::kDebug), 4);
  EXPECT_EQ(kept(LogLevel::kInfo), 3);
  EXPECT_EQ(kept(LogLevel::kWarn), 2);
  EXPECT_EQ(kept(LogLevel::kError), 1);
}

TEST(LogLine, ValuesThatWouldConfuseAReaderAreQuoted) {
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "m", {{"k", "a b"}}), "INFO m k=\"a b\"");
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "m", {{"k", "a=b"}}), "INFO m k=\"a=b\"");
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "m", {{"k", "say \"x\""}}), "INFO m k=\"say \\\"x\\\"\"");
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "m", {{"k", ""}}), "INFO m k=\"\"");
  EXPECT_EQ(FormatLogLine(LogLevel::kInfo, "m", {{"k", "a/b:c"}}), "INFO m k=a/b:c");
}

TEST(LogLine, IsOneLineWhateverItQuotes) {
  auto line = FormatLogLine(LogLevel::kError, "bad\nmessage", {{"k", "two\nlines"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace sluice::io
