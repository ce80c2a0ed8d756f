// SPDX-License-Identifier: Apache-2.0
#include "tier/resumption.h"

#include <gtest/gtest.h>

namespace sluice::tier {
namespace {

using table::FeedProgress;
constexpr log::LogPartition kP0{0}, kP1{1};

// A log of two partitions: [10, 100) and [0, 50). Every tenth offset is a border between frames; its chain is the offset.
class BorderedLog : public log::LogSource {
 public:
  using Offsets = std::map<log::LogPartition, log::Offset>;
  Result<Offsets> DurableEnds(std::string_view) override { return Offsets{{kP0, log::Offset(100)}, {kP1, log::Offset(50)}}; }
  Result<Offsets> FirstRetained(std::string_view) override { return Offsets{{kP0, log::Offset(10)}, {kP1, log::Offset(0)}}; }
  Result<std::map<log::LogPartition, log::OffsetRange>> Cut(std::string_view, const Offsets&, uint64_t) override { return Unused(); }
  Result<std::unique_ptr<log::LogReader>> NewReader(std::string_view, const Offsets&) override { return Unused(); }
  Result<uint32_t> ChainAt(std::string_view, log::LogPartition, log::Offset offset) override {
    if (offset.get() % 10 != 0) return Error{ErrorCode::kNotFound, "no border", {}};
    return static_cast<uint32_t>(offset.get());
  }
  void Watch(io::Signal*) override {}
  void Unwatch(io::Signal*) override {}

 private:
  static Error Unused() { return {ErrorCode::kInvalid, "not for planning", {}}; }
};

FeedProgress ProgressAt(int64_t p0, int64_t p1, std::string journal = "j") {
  FeedProgress out;
  out.journal_id = std::move(journal);
  if (p0 > 0) out.partitions[kP0] = {log::Offset(p0), static_cast<uint32_t>(p0)};
  if (p1 > 0) out.partitions[kP1] = {log::Offset(p1), static_cast<uint32_t>(p1)};
  return out;
}

class PlanResumptionTest : public testing::Test {
 protected:
  Result<FeedProgress> Plan(std::string_view from) {
    auto parsed = ParseResumeFrom(from);
    if (!parsed.ok()) return parsed.error();
    return PlanResumption(*parsed, situation_, {"raw-events", "j", {}}, log_);
  }
  void ExpectRefused(std::string_view from, const std::string& because) {
    auto plan = Plan(from);
    ASSERT_FALSE(plan.ok()) << from;
    EXPECT_EQ(plan.error().code, ErrorCode::kInvalid);
    EXPECT_NE(plan.error().message.find(because), std::string::npos) << plan.error().message;
  }
  BorderedLog log_;
  ResumeSituation situation_;
};

TEST_F(PlanResumptionTest, TableGoesOnBehindWhatItsSnapshotHolds) {
  situation_ = {ProgressAt(40, 20), ProgressAt(60, 20), true};
  EXPECT_EQ(*Plan("table"), ProgressAt(40, 20));
  situation_.content = std::nullopt;
  ExpectRefused("table", "no snapshot of the table says");
  situation_.content = ProgressAt(40, 20, "other");
  ExpectRefused("table", "was fed by the log other");
}

TEST_F(PlanResumptionTest, HotGoesOnWithWhatWasInNoTable) {
  situation_ = {std::nullopt, ProgressAt(60, 20), true};
  EXPECT_EQ(*Plan("hot"), ProgressAt(60, 20));
  situation_.known = std::nullopt;
  ExpectRefused("hot", "does not remember");
}

TEST_F(PlanResumptionTest, LogGoesOnWithTheOldestRetainedEventIfThatDoublesNothing) {
  situation_ = {std::nullopt, ProgressAt(60, 20), false};
  EXPECT_EQ(*Plan("log"), ProgressAt(10, 0));
  situation_.has_rows = true;
  ExpectRefused("log", "nobody knows which");
  situation_.content = ProgressAt(10, 10);
  ExpectRefused("log", "up to offset 10: from 0 on rows would be in it twice");
}

TEST_F(PlanResumptionTest, OffsetsThatAreNotNamedStayWhereTheTableOrTheLogEnded) {
  situation_ = {std::nullopt, ProgressAt(60, 20), false};
  EXPECT_EQ(*Plan("0:30"), ProgressAt(30, 20));
  situation_.content = ProgressAt(40, 10);
  EXPECT_EQ(*Plan("0:50"), ProgressAt(50, 10));
}

TEST_F(PlanResumptionTest, RefusesOffsetsThatWouldDoubleOrLoseRows) {
  situation_ = {ProgressAt(40, 20), ProgressAt(40, 20), true};
  ExpectRefused("0:30", "would be in it twice");
  ExpectRefused("0:50", "would leave them out");
  ExpectRefused("0:110", "behind the end");
  ExpectRefused("7:1", "no log partition 7");
  situation_.has_rows = false;
  ExpectRefused("0:0", "those from 0 on would be missing");
  ExpectRefused("0:35", "no border");
  EXPECT_EQ(*Plan("0:30"), ProgressAt(30, 20));
}

TEST(ParseResumeFrom, RefusesWhatIsNoPlace) {
  for (auto* text : {"", "tables", "1", ":", "0:", ":5", "0:5,", "0:5,x:1", "-1:5", "0:-5", "0:5:6"}) {
    auto parsed = ParseResumeFrom(text);
    if (std::string_view(text) == "0:5,") EXPECT_TRUE(parsed.ok()) << "a comma at the end names nothing more";
    else EXPECT_FALSE(parsed.ok()) << text;
  }
}

}  // namespace
}  // namespace sluice::tier
