// SPDX-License-Identifier: Apache-2.0
#include "cli/time_zone.h"

#include <gtest/gtest.h>

#include "io/env.h"

namespace sluice::cli {
namespace {

std::string In(const std::string& zone, std::string_view time) {
  io::RealWorld world(io::LogLevel::kError);
  auto made = TimeZone::Make(world.env().files, zone);
  return made.ok() ? made->Format(time) : made.error().message;
}

TEST(TimeZone, UtcIsTheDefaultWhateverTheEnvironmentSays) {
  setenv("TZ", "America/New_York", 1);
  EXPECT_EQ(TimeZone().Format("2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z");
  EXPECT_EQ(In("", "2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z");
  EXPECT_EQ(In("UTC", "2026-07-01T12:00:00Z"), "2026-07-01T12:00:00Z");
}

TEST(TimeZone, FixedOffsets) {
  EXPECT_EQ(In("+02:00", "2026-07-01T23:30:00.5Z"), "2026-07-02T01:30:00.500000+02:00");
  EXPECT_EQ(In("-05:30", "2026-01-01T00:00:00Z"), "2025-12-31T18:30:00-05:30");
}

TEST(TimeZone, NamesKnowSummerTime) {
  EXPECT_EQ(In("Europe/Berlin", "2026-01-15T12:00:00Z"), "2026-01-15T13:00:00+01:00");
  EXPECT_EQ(In("Europe/Berlin", "2026-07-15T12:00:00Z"), "2026-07-15T14:00:00+02:00");
}

TEST(TimeZone, RefusesWhatIsNoZone) {
  for (auto* zone : {"Nowhere/Land", "../../../etc/passwd", "/etc/passwd", "Europe", "+2", "+99:00", "+02:60"})
    EXPECT_EQ(In(zone, ""), "there is no time zone \"" + std::string(zone) + "\"") << zone;
}

TEST(TimeZone, WhatIsNoTimeStaysAsItIs) { EXPECT_EQ(In("+02:00", "infinity"), "infinity"); }

}  // namespace
}  // namespace sluice::cli
