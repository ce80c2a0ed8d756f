// SPDX-License-Identifier: Apache-2.0
#include "cli/check_tables.h"

#include <cstdlib>
#include <set>

#include "cli/console.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"

namespace sluice::cli {
namespace {

// One table; names in sentences are its own.
class TableCheck {
 public:
  TableCheck(io::Env env, const iceberg::Table& table, CheckReport& report) : env_(env), table_(table), report_(report) {}
  void Run();

 private:
  void CheckSnapshot(const iceberg::Snapshot& snapshot);
  void CheckManifest(const iceberg::ManifestFile& manifest, int64_t& rows, bool& has_deletes);
  void CheckDataFile(const iceberg::DataFile& file);
  void Find(const std::string& sentence) { report_.findings.push_back("table " + table_.name.ToString() + ": " + sentence); }

  io::Env env_;
  const iceberg::Table& table_;
  CheckReport& report_;
  std::set<std::string> files_seen_;
  std::set<std::string> manifests_damaged_;
  int64_t bytes_ = 0;
};

void TableCheck::CheckDataFile(const iceberg::DataFile& file) {
  if (!files_seen_.insert(file.path).second) return;
  bytes_ += file.file_size_bytes;
  auto reader = env_.objects.Open(file.path);
  if (!reader.ok()) return Find(reader.error().message);
  if (static_cast<int64_t>((*reader)->size()) != file.file_size_bytes)
    Find(file.path + " has " + std::to_string((*reader)->size()) + " bytes, its manifest says " + std::to_string(file.file_size_bytes));
}

void TableCheck::CheckManifest(const iceberg::ManifestFile& manifest, int64_t& rows, bool& has_deletes) {
  if (manifests_damaged_.contains(manifest.path)) return;
  auto entries = iceberg::ReadManifest(env_.objects, manifest, *table_.metadata);
  if (!entries.ok()) {
    manifests_damaged_.insert(manifest.path);
    return Find(entries.error().message);
  }
  if (manifest.content == iceberg::ManifestContent::kDeletes && manifest.has_live_files()) has_deletes = true;
  for (auto& entry : *entries) {
    if (!entry.is_live()) continue;
    if (manifest.content == iceberg::ManifestContent::kData) rows += entry.file.record_count;
    CheckDataFile(entry.file);
  }
}

void TableCheck::CheckSnapshot(const iceberg::Snapshot& snapshot) {
  auto manifests = iceberg::ReadManifestList(env_.objects, snapshot);
  if (!manifests.ok()) return Find("snapshot " + std::to_string(snapshot.snapshot_id) + ": " + manifests.error().message);
  int64_t rows = 0;
  bool has_deletes = false;
  for (auto& manifest : *manifests) CheckManifest(manifest, rows, has_deletes);
  auto claimed = snapshot.summary.find("total-records");
  if (claimed != snapshot.summary.end() && !has_deletes && manifests_damaged_.empty() && std::atoll(claimed->second.c_str()) != rows)
    Find("snapshot " + std::to_string(snapshot.snapshot_id) + " claims " + claimed->second + " rows, its files hold " + std::to_string(rows));
}

void TableCheck::Run() {
  const size_t before = report_.findings.size();
  for (auto& snapshot : table_.metadata->snapshots) CheckSnapshot(snapshot);
  if (report_.findings.size() != before) return;
  report_.passed.push_back("table " + table_.name.ToString() + ": " + Counted(static_cast<int64_t>(table_.metadata->snapshots.size()), "snapshot") + ", " +
                           Counted(static_cast<int64_t>(files_seen_.size()), "data file") + ", " + ByteText(bytes_));
}

}  // namespace

void CheckTables(io::Env env, iceberg::Catalog& catalog, CheckReport& report) {
  auto namespaces = catalog.ListNamespaces();
  if (!namespaces.ok()) return report.findings.push_back("catalog: " + namespaces.error().message);
  int64_t tables = 0;
  for (auto& table_namespace : *namespaces) {
    auto names = catalog.ListTables(table_namespace);
    if (!names.ok()) return report.findings.push_back("catalog: " + names.error().message);
    for (auto& name : *names) {
      tables++;
      auto table = catalog.LoadTable({table_namespace, name});
      if (!table.ok()) report.findings.push_back("table " + table_namespace + "." + name + ": " + table.error().message);
      else TableCheck(env, *table, report).Run();
    }
  }
  report.passed.push_back("catalog: " + Counted(tables, "table"));
}

}  // namespace sluice::cli
