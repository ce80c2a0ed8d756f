// SPDX-License-Identifier: Apache-2.0
#include "sim/end_check.h"

#include <map>
#include <set>

#include "cli/check_tables.h"
#include "iceberg/catalog.h"
#include "iceberg/scan_plan.h"
#include "log/check.h"
#include "sim/foreign_columns.h"
#include "sim/foreign_deletes.h"
#include "sim/guest_tables.h"
#include "sim/log_rows.h"
#include "sim/table_rows.h"
#include "table/feed_check.h"
#include "table/feed_progress.h"

namespace sluice::sim {
namespace {

std::string First(const std::vector<std::string>& findings) { return findings.empty() ? "" : findings.front(); }

// Every snapshot that the table still has: its files read, and its rows are those before its progress.
Result<void> CheckSnapshots(io::Env env, const iceberg::Table& table, DataFiles& files) {
  for (auto& snapshot : table.metadata->snapshots) {
    ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, *table.metadata, snapshot, {}, nullptr));
    int64_t rows = 0, feeds = 0;
    for (auto& file : plan.files) {
      ASSIGN_OR_RETURN(auto read, files.Read(env, file.file->path));
      rows += static_cast<int64_t>(read->size());
    }
    for (auto& [name, value] : snapshot.summary) {
      if (!name.starts_with(table::kFeedPropertyPrefix)) continue;
      feeds++;
      ASSIGN_OR_RETURN(auto progress, table::ParseFeedProgress(value));
      for (auto& [partition, p] : progress.partitions) rows -= p.next.get();
    }
    if (feeds == 0) continue;  // made by another engine
    if (rows != 0)
      return Error{ErrorCode::kCorruption, "snapshot " + std::to_string(snapshot.snapshot_id) + " of " + table.name.ToString() + " has " +
                                               std::to_string(rows) + " rows more than its progress says"};
  }
  return {};
}

Result<void> CheckAllTables(const RunState& run, io::Env env, iceberg::Catalog& catalog, DataFiles& files) {
  ASSIGN_OR_RETURN(auto namespaces, catalog.ListNamespaces());
  for (auto& table_namespace : namespaces) {
    if (table_namespace == kGuests) continue;
    ASSIGN_OR_RETURN(auto names, catalog.ListTables(table_namespace));
    for (auto& name : names) {
      ASSIGN_OR_RETURN(auto table, catalog.LoadTable({table_namespace, name}));
      RETURN_IF_ERROR(CheckSnapshots(env, table, files));
      RETURN_IF_ERROR(CheckForeignColumns(env, table));
      const auto marks = run.all.marks.find({table_namespace, name});
      if (marks != run.all.marks.end()) RETURN_IF_ERROR(CheckMarks(table, marks->second));
    }
  }
  return {};
}

// All that the log has of its topic is in the table, by what its snapshots say.
bool HasWholeLog(const iceberg::TableMetadata& metadata, log::LogSource& log) {
  for (auto& snapshot : metadata.snapshots)
    for (auto& [name, value] : snapshot.summary) {
      if (!name.starts_with(table::kFeedPropertyPrefix)) continue;
      const auto topic = name.substr(table::kFeedPropertyPrefix.size());
      const auto content = table::ContentProgress(metadata, topic);
      const auto ends = log.DurableEnds(topic);
      return content && ends.ok() && table::SameOffsets(content->offsets(), *ends);
    }
  return false;  // it never had a row
}

// Of a table whose progress was taken away and for which nothing came since: whoever feeds it had no reason to look, `sluice check` has.
void ForgetTaken(const RunState& run, iceberg::Catalog& catalog, log::LogSource& log, std::vector<std::string>& findings) {
  for (auto& [name, visited] : run.all.visited) {
    if (!visited.taken) continue;
    auto table = catalog.LoadTable({name.table_namespace, name.name});
    if (!table.ok() || !HasWholeLog(*table->metadata, log)) continue;
    std::erase_if(findings,
                  [&, said = "the table " + name.ToString() + " has no property \""](auto& finding) { return finding.starts_with(said); });
  }
}

}  // namespace

std::string CheckEnd(RunState& run) {
  const auto env = run.world.env("");
  const auto& data = run.scenario.server.data;
  const auto log = log::CheckLog(env, run.place + data + "/log");
  if (auto found = First(log.findings); !found.empty()) return found;
  iceberg::Catalog catalog(run.world.catalog(""), env, {io::PathToUri(data + "/warehouse")});
  cli::CheckReport report;
  cli::CheckTables(env, catalog, report);
  if (!run.has_rival) cli::CheckTablesAgainstLog(catalog, log, report);
  ForgetTaken(run, catalog, *log.source, report.findings);
  if (auto missing = TakeGuestFindings(run, report.findings); !missing.empty()) return missing;
  if (auto found = First(report.findings); !found.empty()) return found;
  if (auto checked = CheckAllTables(run, env, catalog, run.all.data_files); !checked.ok()) return checked.error().ToString();
  return {};
}

namespace {

Result<std::string> FindLost(RunState& run, io::Env env, log::LogSource& log) {
  std::map<std::string, std::vector<EventKey>> by_topic;
  for (auto& key : run.ledger.acknowledged()) by_topic[key.topic].push_back(key);
  for (auto& [topic, keys] : by_topic) {
    ASSIGN_OR_RETURN(const auto rows, LogRows::Read(log, topic));
    const auto name = table::TableNameOf(topic);
    const auto directory = io::PathToUri(run.scenario.server.data + "/warehouse") + "/" + name.table_namespace + "/" + name.name + "/data/";
    std::vector<std::string> files;
    RETURN_IF_ERROR(env.objects.List(directory, [&](const io::ObjectInfo& file) { files.push_back(file.uri); }));
    std::set<EventKey> in_files;
    for (auto& file : files) {
      if (IsDeleteFile(file)) continue;
      ASSIGN_OR_RETURN(auto read, run.all.data_files.Read(env, file));
      for (auto& row : *read) in_files.insert(KeyOf(row, topic));
    }
    for (auto& key : keys)
      if (!in_files.contains(key) && !rows.Holds(key, *run.ledger.events().at(key).place))
        return key.ToString() + ", which was acknowledged, is neither in the log nor in any data file";
  }
  return std::string();
}

}  // namespace

std::string CheckNothingLost(RunState& run) {
  const auto env = run.world.env("");
  const auto log = log::CheckLog(env, run.place + run.scenario.server.data + "/log");
  if (auto found = First(log.findings); !found.empty()) return found;
  auto lost = FindLost(run, env, *log.source);
  return lost.ok() ? *lost : lost.error().ToString();
}

}  // namespace sluice::sim
