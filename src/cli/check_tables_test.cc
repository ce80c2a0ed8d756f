// SPDX-License-Identifier: Apache-2.0
#include "cli/check_tables.h"

#include <gtest/gtest.h>

#include "io/env.h"
#include "io/test_directory.h"

namespace sluice::cli {
namespace {

// A table with one snapshot of two data files, of 10 bytes and 3 rows each. They are no Parquet files: tests/e2e/test_check.py has those.
class CheckTablesTest : public testing::Test {
 protected:
  CheckTablesTest() {
    store_ = std::move(io::OpenSqliteCatalogStore(directory_ / "catalog.db", "sluice").value());
    catalog_ = std::make_unique<iceberg::Catalog>(*store_, env_, iceberg::CatalogOptions{io::PathToUri(directory_ / "warehouse")});
    EXPECT_TRUE(catalog_->CreateNamespace("bronze").ok());
    iceberg::NewTable table;
    table.fields = {{1, "id", {}, true}};
    table_ = catalog_->CreateTable({"bronze", "events"}, table).value();
  }
  void AppendTwo() {
    iceberg::TableChange change;
    change.snapshot.emplace();
    for (auto* name : {"a", "b"}) {
      iceberg::DataFile file;
      file.path = Uri(name);
      file.record_count = 3;
      file.file_size_bytes = 10;
      EXPECT_TRUE(io::WriteObject(env_.objects, file.path, "0123456789").ok());
      change.snapshot->added.push_back({file});
    }
    auto committed = catalog_->Commit(table_, change);
    ASSERT_TRUE(committed.ok()) << committed.error().message;
    table_ = *committed;
  }
  std::string Uri(const std::string& name) const { return table_.metadata->location + "/data/" + name + ".bytes"; }
  Path File(const std::string& uri) const { return io::UriToPath(uri).value(); }
  CheckReport Check() {
    CheckReport report;
    CheckTables(env_, *catalog_, report);
    return report;
  }
  void ExpectOneFinding(const std::string& with) {
    auto report = Check();
    ASSERT_EQ(report.findings.size(), 1u);
    EXPECT_NE(report.findings[0].find("bronze.events"), std::string::npos) << report.findings[0];
    EXPECT_NE(report.findings[0].find(with), std::string::npos) << report.findings[0];
  }

  io::RealWorld world_{io::LogLevel::kError};
  io::Env env_ = world_.env();
  io::TestDirectory directory_{env_.files};
  std::unique_ptr<io::CatalogStore> store_;
  std::unique_ptr<iceberg::Catalog> catalog_;
  iceberg::Table table_;
};

TEST_F(CheckTablesTest, PassesWhatIsWhole) {
  AppendTwo();
  auto report = Check();
  EXPECT_TRUE(report.findings.empty()) << report.findings[0];
  EXPECT_EQ(report.passed, (std::vector<std::string>{"table bronze.events: 1 snapshot, 2 data files, 20 B", "catalog: 1 table"}));
}

TEST_F(CheckTablesTest, FindsADataFileThatIsGone) {
  AppendTwo();
  ASSERT_TRUE(env_.files.Remove(File(Uri("a"))).ok());
  ExpectOneFinding("a.bytes");
}

TEST_F(CheckTablesTest, FindsADataFileOfAnotherSize) {
  AppendTwo();
  auto file = env_.files.Open(File(Uri("b")), {.mode = io::OpenMode::kReadWrite});
  ASSERT_TRUE(file.ok() && (*file)->Truncate(9).ok());
  ExpectOneFinding("b.bytes has 9 bytes, its manifest says 10");
}

TEST_F(CheckTablesTest, FindsAManifestListThatIsGoneOrDamaged) {
  AppendTwo();
  const Path list = File(table_.metadata->current_snapshot()->manifest_list);
  ASSERT_TRUE(io::WriteFileAtomically(env_.files, list, "Obj\x01 and nothing that follows").ok());
  ExpectOneFinding("snapshot");
  ASSERT_TRUE(env_.files.Remove(list).ok());
  ExpectOneFinding("snapshot");
}

TEST_F(CheckTablesTest, FindsMetadataThatIsGone) {
  ASSERT_TRUE(env_.files.Remove(File(table_.metadata_location)).ok());
  ExpectOneFinding("");
}

}  // namespace
}  // namespace sluice::cli
