// SPDX-License-Identifier: Apache-2.0
#include "io/catalog_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "io/file_system_twins.h"

namespace sluice::io {
namespace {

// Both twins, the real one in a file of its own.
class CatalogContract : public testing::TestWithParam<FileSystemTwin> {
 protected:
  CatalogContract() {
    if (GetParam() == FileSystemTwin::kReal) real_ = OpenSqliteCatalogStore(directory_ / "catalog.db", "sluice").value();
  }
  CatalogStore& catalog() { return real_ != nullptr ? *real_ : simulated_.catalog(); }

 private:
  RealWorld world_{LogLevel::kError};
  TestDirectory directory_{world_.env().files};
  SimulatedWorld simulated_{1};
  std::unique_ptr<CatalogStore> real_;
};
INSTANTIATE_TEST_SUITE_P(Twins, CatalogContract, testing::Values(FileSystemTwin::kReal, FileSystemTwin::kSimulated),
                         [](auto& tested) { return FileSystemTwinName(tested.param); });

TEST_P(CatalogContract, NamespacesAreCreatedOnceAndListed) {
  EXPECT_TRUE(catalog().ListNamespaces()->empty());
  EXPECT_TRUE(catalog().CreateNamespace("silver", {{"owner", "me"}}).ok());
  EXPECT_TRUE(catalog().CreateNamespace("bronze", {}).ok());
  EXPECT_TRUE(catalog().CreateNamespace("bronze", {{"ignored", "yes"}}).ok());
  ASSERT_TRUE(catalog().CreateTable("gold.daily", "t", "v1").ok());
  EXPECT_EQ(catalog().ListNamespaces().value(), (std::vector<std::string>{"bronze", "gold.daily", "silver"}));
}

TEST_P(CatalogContract, TableIsCreatedLoadedAndListed) {
  EXPECT_FALSE(catalog().LoadTable("bronze", "events")->has_value());
  ASSERT_TRUE(catalog().CreateTable("bronze", "events", "v1").ok());
  auto row = catalog().LoadTable("bronze", "events").value();
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->metadata_location, "v1");
  EXPECT_EQ(row->previous_metadata_location, "");
  ASSERT_TRUE(catalog().CreateTable("bronze", "audit", "v1").ok());
  ASSERT_TRUE(catalog().CreateTable("silver", "events", "v1").ok());
  EXPECT_EQ(catalog().ListTables("bronze").value(), (std::vector<std::string>{"audit", "events"}));
  EXPECT_TRUE(catalog().ListTables("none")->empty());
}

TEST_P(CatalogContract, SecondCreateExists) {
  ASSERT_TRUE(catalog().CreateTable("bronze", "events", "v1").ok());
  EXPECT_EQ(catalog().CreateTable("bronze", "events", "other").error().code, ErrorCode::kExists);
  EXPECT_EQ(catalog().LoadTable("bronze", "events").value()->metadata_location, "v1");
}

TEST_P(CatalogContract, SwapMovesOnlyFromTheExpectedLocation) {
  ASSERT_TRUE(catalog().CreateTable("bronze", "events", "v1").ok());
  ASSERT_TRUE(catalog().SwapTable("bronze", "events", "v1", "v2").ok());
  EXPECT_EQ(catalog().SwapTable("bronze", "events", "v1", "v3").error().code, ErrorCode::kConflict);
  auto row = catalog().LoadTable("bronze", "events").value();
  EXPECT_EQ(row->metadata_location, "v2");
  EXPECT_EQ(row->previous_metadata_location, "v1");
  EXPECT_EQ(catalog().SwapTable("bronze", "missing", "v1", "v2").error().code, ErrorCode::kConflict);
}

TEST_P(CatalogContract, DropRemoves) {
  ASSERT_TRUE(catalog().CreateTable("bronze", "events", "v1").ok());
  EXPECT_TRUE(catalog().DropTable("bronze", "events").ok());
  EXPECT_FALSE(catalog().LoadTable("bronze", "events")->has_value());
  EXPECT_EQ(catalog().DropTable("bronze", "events").error().code, ErrorCode::kNotFound);
}

// ---- SQLite only ---------------------------------------------------------------------------------------------------------------------------

// Another program at the same file.
class Outsider {
 public:
  explicit Outsider(const Path& path) { CHECK(sqlite3_open(path.c_str(), &connection_) == SQLITE_OK, "open"); }
  ~Outsider() { sqlite3_close(connection_); }
  // The first column of each row, or the error.
  std::string Run(const std::string& sql) {
    std::string out;
    char* error = nullptr;
    auto collect = [](void* to, int, char** values, char**) { *static_cast<std::string*>(to) += std::string(values[0] != nullptr ? values[0] : "NULL") + "\n"; return 0; };
    if (sqlite3_exec(connection_, sql.c_str(), collect, &out, &error) != SQLITE_OK) out = error;
    sqlite3_free(error);
    return out;
  }

 private:
  sqlite3* connection_ = nullptr;
};

class SqliteCatalog : public testing::Test {
 protected:
  std::unique_ptr<CatalogStore> Open(const std::string& name = "sluice") { return OpenSqliteCatalogStore(path_, name).value(); }
  RealWorld world_{LogLevel::kError};
  TestDirectory directory_{world_.env().files};
  Path path_ = directory_ / "catalog.db";
};

// The texts are what PyIceberg 0.12 leaves in sqlite_master.
TEST_F(SqliteCatalog, TablesAreThoseOfPyIceberg) {
  Open();
  EXPECT_EQ(Outsider(path_).Run("SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY name"),
            "CREATE TABLE iceberg_namespace_properties (\n\tcatalog_name VARCHAR(255) NOT NULL, \n\tnamespace VARCHAR(255) NOT NULL, \n"
            "\tproperty_key VARCHAR(255) NOT NULL, \n\tproperty_value VARCHAR(1000) NOT NULL, \n\tPRIMARY KEY (catalog_name, namespace, property_key)\n)\n"
            "CREATE TABLE iceberg_tables (\n\tcatalog_name VARCHAR(255) NOT NULL, \n\ttable_namespace VARCHAR(255) NOT NULL, \n"
            "\ttable_name VARCHAR(255) NOT NULL, \n\tmetadata_location VARCHAR(1000), \n\tprevious_metadata_location VARCHAR(1000), \n"
            "\ticeberg_type VARCHAR(5), \n\tPRIMARY KEY (catalog_name, table_namespace, table_name)\n)\n");
}

TEST_F(SqliteCatalog, RowsAreThoseOfPyIceberg) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateNamespace("bronze", {}).ok());
  ASSERT_TRUE(catalog->CreateTable("bronze", "events", "v1").ok());
  ASSERT_TRUE(catalog->SwapTable("bronze", "events", "v1", "v2").ok());
  Outsider outsider(path_);
  EXPECT_EQ(outsider.Run("SELECT catalog_name||'|'||namespace||'|'||property_key||'|'||property_value FROM iceberg_namespace_properties"), "sluice|bronze|exists|true\n");
  EXPECT_EQ(outsider.Run("SELECT catalog_name||'|'||table_namespace||'|'||table_name||'|'||metadata_location||'|'||previous_metadata_location||'|'||iceberg_type FROM iceberg_tables"),
            "sluice|bronze|events|v2|v1|TABLE\n");
}

TEST_F(SqliteCatalog, CommitsAreDurableAndReadersDoNotBlock) {
  auto catalog = Open();
  EXPECT_EQ(Outsider(path_).Run("PRAGMA journal_mode"), "wal\n");
}

TEST_F(SqliteCatalog, SecondConnectionSeesAndBeatsTheFirst) {
  auto first = Open(), second = Open();
  ASSERT_TRUE(first->CreateTable("bronze", "events", "v1").ok());
  ASSERT_TRUE(second->SwapTable("bronze", "events", "v1", "v2").ok());
  EXPECT_EQ(first->SwapTable("bronze", "events", "v1", "v3").error().code, ErrorCode::kConflict);
  EXPECT_EQ(first->LoadTable("bronze", "events").value()->metadata_location, "v2");
}

TEST_F(SqliteCatalog, RowsSurviveReopen) {
  ASSERT_TRUE(Open()->CreateTable("bronze", "events", "v1").ok());
  EXPECT_EQ(Open()->LoadTable("bronze", "events").value()->metadata_location, "v1");
}

TEST_F(SqliteCatalog, RowsOfAnotherCatalogNameAreInvisible) {
  ASSERT_TRUE(Open("theirs")->CreateTable("bronze", "events", "v1").ok());
  auto ours = Open("sluice");
  EXPECT_FALSE(ours->LoadTable("bronze", "events")->has_value());
  EXPECT_TRUE(ours->CreateTable("bronze", "events", "w1").ok());
  EXPECT_EQ(Open("theirs")->LoadTable("bronze", "events").value()->metadata_location, "v1");
}

TEST_F(SqliteCatalog, RowWithoutTypeIsATableAndAViewIsNot) {
  auto catalog = Open();
  Outsider outsider(path_);
  ASSERT_EQ(outsider.Run("INSERT INTO iceberg_tables VALUES ('sluice','n','old','v1',NULL,NULL), ('sluice','n','view','v1',NULL,'VIEW')"), "");
  EXPECT_EQ(catalog->ListTables("n").value(), std::vector<std::string>{"old"});
  EXPECT_TRUE(catalog->SwapTable("n", "old", "v1", "v2").ok());
  EXPECT_FALSE(catalog->LoadTable("n", "view")->has_value());
  EXPECT_EQ(catalog->SwapTable("n", "view", "v1", "v2").error().code, ErrorCode::kConflict);
}

// Goal: a catalog of schema V0 (five columns) opens, keeps its rows and takes new ones.
TEST_F(SqliteCatalog, OldCatalogWithoutTypeColumnIsUpgraded) {
  Outsider(path_).Run(
      "CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,"
      " metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, table_name));"
      "INSERT INTO iceberg_tables VALUES ('sluice','n','old','v1',NULL)");
  auto catalog = Open();
  EXPECT_EQ(catalog->LoadTable("n", "old").value()->metadata_location, "v1");
  EXPECT_TRUE(catalog->CreateTable("n", "new", "v1").ok());
}

// Goal: SQLite has no checksums; a bit that flips in a table's name must not make it look dropped.
// Method: the name stands in the row and in the index; flip it in each.
TEST_F(SqliteCatalog, ANameThatRottedIsNamedInsteadOfATableThatIsGone) {
  ASSERT_TRUE(Open()->CreateTable("bronze", "zebra", "file:///z").ok());
  auto& files = world_.env().files;
  const std::string whole = ReadFile(files, path_).value();
  int places = 0;
  for (size_t at = whole.find("zebra"); at != std::string::npos; at = whole.find("zebra", at + 1), places++) {
    auto file = files.Open(path_, {.mode = OpenMode::kReadWrite}).value();
    ASSERT_TRUE(file->Write(at, "Z").ok());
    auto opened = OpenSqliteCatalogStore(path_, "sluice");
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::kCorruption);
    EXPECT_NE(opened.error().message.find(path_), std::string::npos) << opened.error().message;
    ASSERT_TRUE(file->Write(at, "z").ok());
  }
  EXPECT_EQ(places, 2);
  EXPECT_TRUE(Open()->LoadTable("bronze", "zebra").value().has_value());
}

TEST_F(SqliteCatalog, FileOfAnotherKindIsInvalid) {
  ASSERT_TRUE(WriteFileAtomically(world_.env().files, path_, std::string(5000, 'x')).ok());
  auto opened = OpenSqliteCatalogStore(path_, "sluice");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
  EXPECT_NE(opened.error().message.find(path_), std::string::npos);
}

TEST_F(SqliteCatalog, TableOfAnotherShapeIsInvalid) {
  Outsider(path_).Run("CREATE TABLE iceberg_tables (id INTEGER)");
  auto opened = OpenSqliteCatalogStore(path_, "sluice");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace sluice::io
