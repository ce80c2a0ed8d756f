// SPDX-License-Identifier: Apache-2.0
// Invariant 5 of the design: what nobody refers to is found, what somebody refers to stays.

#include <set>

#include "base/time.h"
#include "iceberg/orphan_files.h"
#include "server/test_pipelines.h"
#include "table/table_rows.h"

namespace sluice::server {
namespace {

const iceberg::TableName kTable{"bronze", "events"};

class Orphans : public TestPipelines {
 public:
  using TestPipelines::TestPipelines;

  iceberg::Catalog catalog() { return iceberg::Catalog(world().catalog(), env(), {io::PathToUri(options().data + "/warehouse")}); }

  // A row in the table, a second one on its way.
  void FlushTwice() {
    auto pipeline = Open();
    Send(*pipeline, {"a"});
    Flush(*pipeline);
    Send(*pipeline, {"b"});
    Flush(*pipeline);
  }

  // Moves the table, so that nothing of before can land any more; a day later the next life looks for orphans.
  void LiveOn() {
    auto pipeline = Open();
    Send(*pipeline, {"a", "b", "c"});
    Flush(*pipeline);
    ASSERT_TRUE(pipeline->Stop().ok());
    pipeline.reset();
    world().JumpClock(kMicrosPerDay + kMicrosPerHour);
    found = Find();
    pipeline = Open();
    RunUntil(*pipeline, [&] { return Find() == 0; });
    ASSERT_TRUE(pipeline->Stop().ok());
  }

  // How many files nobody refers to.
  size_t Find() {
    auto tables = catalog();
    auto orphans = iceberg::FindOrphans(tables, env().objects, kTable, env().clock.Now().us);
    EXPECT_TRUE(orphans.ok()) << orphans.error().ToString();
    EXPECT_EQ(orphans->kept_because, "");
    return orphans->files.size();
  }

  std::multiset<std::string> Rows() {
    std::multiset<std::string> ids;
    auto table = catalog().LoadTable(kTable);
    EXPECT_TRUE(table.ok());
    auto visited = table::VisitTableRows(env(), *table->metadata, log::Offset(0), [&](const log::TableRow& row) {
      ids.emplace(row.id);
      return Result<void>();
    });
    EXPECT_TRUE(visited.ok()) << visited.error().ToString();
    return ids;
  }

  size_t found = 0;
};

// Goal: whatever a killed commit leaves is removed a day later, and no file that the table refers to.
// Method: kills at io calls between the first row's commit and the end of the second one's.
TEST(OrphanSearch, RemovesWhatAKilledCommitLeftAndNothingElse) {
  uint64_t first = 0, last = 0;
  {
    Orphans whole(1);
    ASSERT_TRUE(whole.world()
                    .Run([&] {
                      auto pipeline = whole.Open();
                      whole.Send(*pipeline, {"a"});
                      first = whole.world().io_count();
                    })
                    .finished());
    Orphans again(1);
    again.world().Run([&] { again.FlushTwice(); });
    last = again.world().io_count();
  }
  ASSERT_GT(last, first + 50);
  size_t with_orphans = 0;
  for (uint64_t at = first; at < last && !testing::Test::HasFailure(); at += 3) {
    SCOPED_TRACE("kill at io call " + std::to_string(at));
    Orphans directory(1);
    io::SimulationOptions options;
    options.crash_at_io = at;
    options.crash_kind = io::CrashKind::kProcess;
    directory.world().SetOptions(options);
    directory.world().Run([&] { directory.FlushTwice(); });
    directory.world().SetOptions({});
    auto ran = directory.world().Run([&] {
      directory.LiveOn();
      EXPECT_EQ(directory.Rows(), (std::multiset<std::string>{"a", "b", "c"}));
    });
    ASSERT_TRUE(ran.finished()) << ran.report;
    with_orphans += directory.found > 0 ? 1 : 0;
  }
  EXPECT_GT(with_orphans, 3u) << "no kill came between files and commit";
}

}  // namespace
}  // namespace sluice::server
