// SPDX-License-Identifier: Apache-2.0
#include "cli/info_commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/http_client.h"
#include "cli/sql_runner.h"
#include "cli/text_table.h"

namespace sluice::cli {
namespace {

constexpr int64_t kFlushTimeoutMsMax = 600'000;
constexpr int64_t kAnswerGraceMs = 5'000;
constexpr int kJsonIndent = 2;
constexpr const char* kResumeFooter =
    "A table pauses when somebody dropped it, made it anew, or removed or set back its property sluice.feed.<topic>. Events are still\n"
    "taken, and stay in memory and in the log. Without --from the table is only looked at again. With it:\n"
    "  table       behind the rows that its own newest snapshot says it holds\n"
    "  hot         with the events that were in no table yet\n"
    "  log         with the oldest event that the log still has\n"
    "  0:1707,3:12 at these offsets of these log partitions; the others as `table`, else `hot`\n"
    "Refused: what would bring a row into the table twice, or leave out an event.";

std::string NameFor(const CLI::App& app) {
  for (auto* sub : app.get_subcommands()) return sub->get_name();
  return {};
}

// "bronze.events" as the path of its resource.
// `name` is a table's: without quotes of its own.
std::string QuotedTable(const std::string& name, const std::string& suffix) {
  const auto dot = name.rfind('.');
  return "\"" + name.substr(0, dot) + "\".\"" + name.substr(dot + 1) + suffix + "\"";
}

TextCell Count(const Json& number) { return WithThousands(number.AsInt()); }
TextCell Text(const Json& value) { return value.is_null() ? TextCell() : TextCell(value.is_string() ? value.AsString() : value.Dump()); }

// An Iceberg type: "string", "map<string, string>", ...
std::string TypeText(const Json& type) {
  if (type.is_string()) return type.AsString();
  if (type["type"].AsString() == "map") return "map<" + TypeText(type["key"]) + ", " + TypeText(type["value"]) + ">";
  if (type["type"].AsString() == "list") return "list<" + TypeText(type["element"]) + ">";
  return type["type"].AsString();
}

std::string ColumnName(const Json& columns, const Json& id) {
  for (auto& column : columns.AsArray())
    if (column["id"] == id) return column["name"].AsString();
  return id.Dump();
}

std::string KeyValues(const std::vector<std::pair<std::string, std::string>>& pairs) {
  size_t width = 0;
  for (auto& [key, value] : pairs) width = std::max(width, key.size());
  std::string out;
  for (auto& [key, value] : pairs) out += key + std::string(width + 2 - key.size(), ' ') + Printable(value) + "\n";
  return out;
}

}  // namespace

void InfoAction::DefineCommon(CLI::App& app) {
  app.add_option("-o,--output", format_, "table or json")->check(CLI::IsMember({"table", "json"}))->type_name("FORMAT");
  app.add_option("--url", url_, "The server (default SLUICE_URL, else http://127.0.0.1:8080)")->type_name("URL");
}

int InfoAction::Ask(const std::string& path, bool post, std::string (InfoAction::*print)(const Json& answer) const) {
  auto client = HttpClient::Make(url_, nullptr);
  if (!client.ok()) return Fail(client.error());
  auto answer = post ? (*client)->PostJson(path, kFlushTimeoutMsMax + kAnswerGraceMs) : (*client)->GetJson(path);
  if (!answer.ok()) return Fail(answer.error()), kExitFailed;
  out_.Write(format_ == "json" ? answer->Dump(kJsonIndent) + "\n" : (this->*print)(*answer));
  auto written = out_.Finish();
  return written.ok() ? kExitOk : Fail(written.error());
}

std::string InfoAction::PrintTopics(const Json& answer) const {
  std::vector<TextRow> rows;
  for (auto& topic : answer["topics"].AsArray())
    rows.push_back({Text(topic["name"]), Count(topic["partitions"]), Count(topic["next_offsets_total"])});
  if (rows.empty()) return "There are no topics yet; each appears with its first event.\n";
  return RenderTable({{"topic"}, {"partitions", true}, {"offsets", true}}, rows, {out_.colored(), 0});
}

std::string InfoAction::PrintTopic(const Json& answer) const {
  std::string keys;
  for (auto& key : answer["key"].AsArray()) keys += (keys.empty() ? "" : ", ") + key.AsString();
  std::string out = KeyValues({{"topic", answer["name"].AsString()},
                               {"table", answer["table"].AsString()},
                               {"key", keys.empty() ? "partitionkey, subject or source" : keys}}) +
                    "\n";
  std::vector<TextRow> rows;
  for (auto& p : answer["partitions"].AsArray())
    rows.push_back({Count(p["partition"]), Count(p["next_offset"]), Count(p["tiered_offset"]), Text(p["event_time_max"])});
  return out + RenderTable({{"partition", true}, {"next offset", true}, {"tiered offset", true}, {"newest event time"}}, rows,
                           {out_.colored(), 0});
}

std::string InfoAction::PrintTables(const Json& answer) const {
  std::vector<TextRow> rows;
  for (auto& table : answer["tables"].AsArray()) {
    auto state = table["state"].AsString();
    if (auto& cause = table["cause"].AsString(); !cause.empty()) state += ": " + cause;
    rows.push_back(
        {Text(table["name"]), Text(table["topic"]), Count(table["rows_hot"]), Count(table["rows_lake"]), Count(table["lag"]), state});
  }
  if (rows.empty()) return "There are no tables yet; each appears with its topic's first event.\n";
  return RenderTable({{"table"}, {"topic"}, {"hot rows", true}, {"lake rows", true}, {"lag", true}, {"state"}}, rows, {out_.colored(), 0});
}

std::string InfoAction::PrintTable(const Json& answer) const {
  std::vector<std::pair<std::string, std::string>> pairs{
      {"table", answer["name"].AsString()}, {"topic", answer["topic"].AsString()}, {"state", answer["state"].AsString()}};
  if (auto& cause = answer["cause"].AsString(); !cause.empty()) pairs.emplace_back("cause", cause);
  pairs.emplace_back("hot rows", WithThousands(answer["rows_hot"].AsInt()));
  pairs.emplace_back("lake rows", WithThousands(answer["rows_lake"].AsInt()));
  pairs.emplace_back("lag", WithThousands(answer["lag"].AsInt()) + " offsets");
  if (auto& location = answer["location"].AsString(); !location.empty()) pairs.emplace_back("location", location);
  if (auto& metadata = answer["metadata_location"].AsString(); !metadata.empty()) pairs.emplace_back("metadata", metadata);
  if (auto& snapshot = answer["snapshot"]; snapshot.is_object())
    pairs.emplace_back("snapshot", snapshot["snapshot_id"].Dump() + " of " + snapshot["committed_at"].AsString());
  std::string partitioning;
  for (auto& field : answer["partition_spec"].AsArray())
    partitioning +=
        (partitioning.empty() ? "" : ", ") + field["transform"].AsString() + "(" + ColumnName(answer["columns"], field["source-id"]) + ")";
  if (!partitioning.empty()) pairs.emplace_back("partitions", partitioning);
  std::vector<TextRow> rows;
  for (auto& c : answer["columns"].AsArray())
    rows.push_back({Count(c["id"]), Text(c["name"]), TypeText(c["type"]), c["required"].AsBool() ? "required" : ""});
  return KeyValues(pairs) + (rows.empty() ? "" : "\n" + RenderTable({{"id", true}, {"column"}, {"type"}, {""}}, rows, {out_.colored(), 0}));
}

std::string InfoAction::PrintSnapshots(const Json& answer) const {
  std::vector<TextRow> rows;
  for (auto& s : answer["snapshots"].AsArray()) {
    auto& summary = s["summary"];
    rows.push_back({Text(s["snapshot_id"]), Text(s["committed_at"]), Text(summary["operation"]), Text(summary["added-records"]),
                    Text(summary["total-records"]), Text(summary["total-data-files"])});
  }
  if (rows.empty()) return "There are no snapshots yet: nothing was moved into the table.\n";
  return RenderTable({{"snapshot", true}, {"committed at"}, {"operation"}, {"added rows", true}, {"total rows", true}, {"files", true}},
                     rows, {out_.colored(), 0});
}

std::string InfoAction::PrintStatus(const Json& answer) const {
  auto& log = answer["log"];
  int64_t bytes_lake = 0;
  for (auto& table : answer["tables"].AsArray()) bytes_lake += table["bytes_lake"].AsInt();
  auto& hot = answer["hot"];
  auto& memory = answer["memory"];
  std::string hot_rows = ByteText(hot["bytes_used"].AsInt()) + " of " + ByteText(hot["bytes_max"].AsInt()) + " in memory, " +
                         ByteText(hot["file_bytes_used"].AsInt()) + " of " + ByteText(hot["file_bytes_max"].AsInt()) + " in files";
  for (auto& one : hot["loading"].AsArray())
    hot_rows += "; loading " + one["table"].AsString() + ", " + WithThousands(one["rows"].AsInt()) + " of " +
                WithThousands(one["rows_total"].AsInt()) + " rows";
  std::string out = KeyValues(
      {{"server", answer["url"].AsString()},
       {"data", answer["data"].AsString()},
       {"journal", ByteText(log["journal_bytes"].AsInt()) + " in " + Counted(log["journal_segments"].AsInt(), "segment") + ", " +
                       WithThousands(log["spare_segments"].AsInt()) + " spare"},
       {"topic files", ByteText(log["topic_file_bytes"].AsInt())},
       {"deduplication", ByteText(log["dedup_bytes"].AsInt()) + ", " + WithThousands(log["dedup_keys_open"].AsInt()) + " keys in memory"},
       {"hot rows", hot_rows},
       {"memory", ByteText(memory["private_bytes"].AsInt()) + " of its own, of which remembered ids " +
                      ByteText(memory["remembered_ids_bytes"].AsInt()) + ", commits " + ByteText(memory["commits_bytes"].AsInt()) +
                      ", manifests " + ByteText(memory["manifests_bytes"].AsInt()) + "; " + ByteText(memory["used_heap_bytes"].AsInt()) +
                      " given out by its heaps"},
       {"tables", ByteText(bytes_lake) + " in their newest snapshots"},
       {"connections", WithThousands(answer["connections"].AsInt())}});
  return out + "\n" + PrintTables(answer);
}

void TopicAction::Define(CLI::App& app) {
  app_ = &app;
  app.require_subcommand(1);
  DefineCommon(*app.add_subcommand("list", "All topics."));
  auto* describe = app.add_subcommand("describe", "One topic: partitions, offsets, key.");
  DefineCommon(*describe);
  describe->add_option("NAME", name_, "as in raw-events")->required();
}

int TopicAction::Run() {
  if (NameFor(*app_) == "list") return Ask("/v1/topics", false, &TopicAction::PrintTopics);
  return Ask("/v1/topics/" + EscapePath(name_), false, &TopicAction::PrintTopic);
}

void TableAction::Define(CLI::App& app) {
  app_ = &app;
  app.require_subcommand(1);
  DefineCommon(*app.add_subcommand("list", "All tables."));
  for (auto& [verb, description] :
       std::map<std::string, std::string>{{"describe", "One table: columns, snapshot, offsets, lag, state."},
                                          {"snapshots", "The snapshots of a table."},
                                          {"files", "The data files of a table's newest snapshot."},
                                          {"flush", "Moves all acknowledged events into the table, and waits for it."},
                                          {"resume", "Lets a paused table go on."}}) {
    auto* sub = app.add_subcommand(verb, description);
    DefineCommon(*sub);
    sub->add_option("NAME", name_, "as in bronze.events")->required();
    if (verb == "resume") {
      sub->add_option("--from", from_, "Where to go on, if the table cannot tell")->type_name("WHERE");
      sub->footer(kResumeFooter);
    }
    if (verb == "flush")
      sub->add_option("--timeout", timeout_ms_, "In ms, up to 10 minutes (60,000)")
          ->check(CLI::Range(int64_t{1}, kFlushTimeoutMsMax))
          ->type_name("MS");
  }
}

int TableAction::ListFiles(const std::string& path) {
  auto client = HttpClient::Make(url_, nullptr);
  if (!client.ok()) return Fail(client.error());
  if (auto table = (*client)->GetJson(path); !table.ok()) return Fail(table.error()), kExitFailed;
  SqlRunnerOptions options;
  options.format = format_ == "json" ? SqlFormat::kJson : SqlFormat::kTable;
  SqlRunner runner(**client, out_, TimeZone(), options);
  return runner.Run("SELECT * FROM " + QuotedTable(name_, "__files")) == SqlOutcome::kFailed ? kExitFailed : kExitOk;
}

int TableAction::Run() {
  const std::string verb = NameFor(*app_);
  if (verb == "list") return Ask("/v1/tables", false, &TableAction::PrintTables);
  auto path = TablePath(name_);
  if (!path.ok()) return Fail(path.error());
  if (verb == "describe") return Ask(*path, false, &TableAction::PrintTable);
  if (verb == "snapshots") return Ask(*path + "/snapshots", false, &TableAction::PrintSnapshots);
  if (verb == "files") return ListFiles(*path);
  if (verb == "flush") return Ask(*path + "/flush?timeout_ms=" + std::to_string(timeout_ms_), true, &TableAction::PrintTable);
  return Ask(*path + "/resume" + (from_.empty() ? "" : "?from=" + EscapePath(from_)), true, &TableAction::PrintTable);
}

}  // namespace sluice::cli
