// SPDX-License-Identifier: Apache-2.0
#include "cli/check_tables.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>

#include "cli/console.h"
#include "iceberg/data_file_check.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/orphan_files.h"
#include "table/feed_check.h"
#include "table/known_table.h"
#include "tier/tier_options.h"

namespace sluice::cli {
namespace {

constexpr size_t kOrphansNamed = 3;

bool IsParquet(const iceberg::DataFile& file) { return file.path.ends_with(".parquet"); }

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
    return Find(file.path + " has " + std::to_string((*reader)->size()) + " bytes, its manifest says " +
                std::to_string(file.file_size_bytes));
  if (!IsParquet(file)) return;
  auto rows = iceberg::CheckDataFile(std::move(*reader));
  if (!rows.ok()) return Find(file.path + " is " + rows.error().message);
  if (*rows != file.record_count)
    Find(file.path + " has " + std::to_string(*rows) + " rows, its manifest says " + std::to_string(file.record_count));
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
    Find("snapshot " + std::to_string(snapshot.snapshot_id) + " claims " + claimed->second + " rows, its files hold " +
         std::to_string(rows));
}

void TableCheck::Run() {
  const size_t before = report_.findings.size();
  for (auto& snapshot : table_.metadata->snapshots) CheckSnapshot(snapshot);
  if (report_.findings.size() != before) return;
  report_.passed.push_back("table " + table_.name.ToString() + ": " +
                           Counted(static_cast<int64_t>(table_.metadata->snapshots.size()), "snapshot") + ", " +
                           Counted(static_cast<int64_t>(files_seen_.size()), "data file") + ", " + ByteText(bytes_));
}

}  // namespace

namespace {

// Calls `visit` for each table that can be loaded; the others become findings. Returns how many there are.
int64_t VisitTables(iceberg::Catalog& catalog, CheckReport& report, const std::function<void(const iceberg::Table&)>& visit) {
  auto namespaces = catalog.ListNamespaces();
  if (!namespaces.ok()) return report.findings.push_back("catalog: " + namespaces.error().message), 0;
  int64_t tables = 0;
  for (auto& table_namespace : *namespaces) {
    auto names = catalog.ListTables(table_namespace);
    if (!names.ok()) {
      report.findings.push_back("catalog: " + names.error().message);
      continue;
    }
    for (auto& name : *names) {
      tables++;
      auto table = catalog.LoadTable({table_namespace, name});
      if (table.ok()) visit(*table);
      else report.findings.push_back("table " + table_namespace + "." + name + ": " + table.error().message);
    }
  }
  return tables;
}

// The topics that feed a table: those that its properties name, and those whose log remembers it.
std::set<std::string> TopicsOf(const iceberg::TableMetadata& metadata, const std::map<std::string, table::KnownTable>& known) {
  std::set<std::string> out;
  for (auto& [property, value] : metadata.properties)
    if (property.starts_with(table::kFeedPropertyPrefix)) out.insert(property.substr(table::kFeedPropertyPrefix.size()));
  for (auto& [topic, entry] : known)
    if (entry.uuid == metadata.table_uuid) out.insert(topic);
  return out;
}

std::map<std::string, table::KnownTable> KnownTables(const log::LogCheck& log, CheckReport& report) {
  std::map<std::string, table::KnownTable> out;
  auto state = log.state.find(table::kTablesStateTopic);
  if (state == log.state.end()) return out;
  for (auto& [topic, value] : state->second) {
    auto known = table::ParseKnownTable(value);
    if (known.ok()) out[topic] = std::move(*known);
    else report.findings.push_back("log: " + known.error().message);
  }
  return out;
}

void CompareFeed(const iceberg::Table& table, const std::string& topic, const log::LogCheck& log, CheckReport& report) {
  const table::TableName name{table.name.table_namespace, table.name.name};
  table::FeedSource source{topic, log.journal_id, {}};
  if (auto first = log.first_offsets.find(topic); first != log.first_offsets.end()) source.first_offsets = first->second;
  auto progress = table::CheckFeedOwner(name, *table.metadata, source);
  if (!progress.ok()) return report.findings.push_back(progress.error().ToString());
  // A log that does not know the topic yet begins it where the table ends.
  if (!log.first_offsets.contains(topic) && progress->journal_id != log.journal_id) return;
  if (auto fed = table::CheckLogFedTable(name, *progress, source, *log.source); !fed.ok())
    return report.findings.push_back(fed.error().ToString());
  int64_t offsets = 0;
  for (auto& [partition, p] : progress->partitions) offsets += p.next.get();
  report.passed.push_back("table " + name.ToString() + ": agrees with the log, ends behind " + Counted(offsets, "offset") + " of " + topic);
}

}  // namespace

void CheckTables(io::Env env, iceberg::Catalog& catalog, CheckReport& report) {
  const int64_t tables = VisitTables(catalog, report, [&](const iceberg::Table& table) { TableCheck(env, table, report).Run(); });
  report.passed.push_back("catalog: " + Counted(tables, "table"));
}

void CheckOrphans(io::Env env, iceberg::Catalog& catalog, bool all_names, CheckReport& report) {
  const int64_t age_us = tier::TierOptions().orphan_age_us_min;
  CheckReport loading;  // what cannot be loaded is a finding of CheckTables already
  VisitTables(catalog, loading, [&](const iceberg::Table& table) {
    auto orphans = iceberg::FindOrphans(catalog, env.objects, table.name, env.clock.Now().us - age_us);
    if (!orphans.ok() || orphans->files.empty()) return;
    std::string line = "table " + table.name.ToString() + ": " + Counted(static_cast<int64_t>(orphans->files.size()), "file") + ", " +
                       ByteText(static_cast<int64_t>(orphans->bytes())) + ", older than " + std::to_string(age_us / kMicrosPerHour) +
                       " hours, that nobody refers to; ";
    line += orphans->kept_because.empty() ? "the server removes them" : "they stay, because " + orphans->kept_because;
    const size_t named = all_names ? orphans->files.size() : std::min(orphans->files.size(), kOrphansNamed);
    for (size_t i = 0; i < named; i++) line += (i == 0 ? ": " : ", ") + orphans->files[i].uri;
    if (named < orphans->files.size()) line += ", ... (--orphans names all)";
    report.notes.push_back(std::move(line));
  });
}

void CheckTablesAgainstLog(iceberg::Catalog& catalog, const log::LogCheck& log, CheckReport& report) {
  if (log.source == nullptr) return;
  const auto known = KnownTables(log, report);
  std::set<std::string> uuids;
  CheckReport loading;  // what cannot be loaded is a finding of CheckTables already
  VisitTables(catalog, loading, [&](const iceberg::Table& table) {
    uuids.insert(table.metadata->table_uuid);
    for (auto& topic : TopicsOf(*table.metadata, known)) CompareFeed(table, topic, log, report);
  });
  if (!loading.findings.empty()) return;
  for (auto& [topic, entry] : known)
    if (!uuids.contains(entry.uuid))
      report.findings.push_back("the table that \"" + topic + "\" fed, with the uuid " + entry.uuid + ", is not in the catalog");
}

}  // namespace sluice::cli
