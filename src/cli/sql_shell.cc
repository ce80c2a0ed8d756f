// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_shell.h"

#include <csignal>
#include <cstdio>

#include "cli/command.h"
#include "cli/sql_split.h"

namespace sluice::cli {
namespace {

constexpr size_t kStatementBytesMax = 1 << 20;  // what the server takes
constexpr const char* kHelp =
    "Statements end with ';' and may have many lines. Ctrl-C cancels, Ctrl-D or \\q leaves.\n"
    "  \\d            tables          \\d NAME    columns of a table\n"
    "  \\timing       say how long statements take and what they read, or not\n"
    "  \\x            a block a row, or a line a row\n"
    "  \\q            leave           \\?         this\n";

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string DescribeStatement(const std::string& relation, const Json& table) {
  std::string nullable, partitions;
  for (auto& column : table["columns"].AsArray()) {
    if (column["required"].AsBool()) nullable += (nullable.empty() ? "" : ", ") + Quoted(column["name"].AsString());
    std::string transforms;
    for (auto& field : table["partition_spec"].AsArray())
      if (field["source-id"] == column["id"]) transforms += (transforms.empty() ? "" : ", ") + field["transform"].AsString();
    if (!transforms.empty()) partitions += " WHEN " + Quoted(column["name"].AsString()) + " THEN " + Quoted(transforms);
  }
  return "SELECT column_name AS \"column\", column_type AS type, " +
         (nullable.empty() ? "lower(\"null\")" : "CASE WHEN column_name IN (" + nullable + ") THEN 'no' ELSE 'yes' END") + " AS nullable" +
         (partitions.empty() ? "" : ", CASE column_name" + partitions + " ELSE '' END AS partition") + " FROM (\nDESCRIBE " + relation +
         "\n)";
}

SqlOutcome SqlShell::PrintColumns(const std::string& relation) {
  auto path = TablePath(relation);
  auto table = path.ok() ? client_.GetJson(*path) : Result<Json>(path.error());
  return runner_.Run(DescribeStatement(relation, table.ok() ? *table : Json()), 0);
}

void SqlShell::PrintTables() {
  auto tables = client_.GetJson("/v1/tables");
  if (!tables.ok()) {
    std::fprintf(stderr, "%s\n", tables.error().ToString().c_str());
    return;
  }
  std::vector<TextRow> rows;
  for (auto& table : (*tables)["tables"].AsArray())
    rows.push_back({table["name"].AsString(), table["topic"].AsString(), table["state"].AsString(),
                    WithThousands(table["rows_hot"].AsInt()), WithThousands(table["rows_lake"].AsInt())});
  if (rows.empty()) out_.Write("There are no tables yet; each appears with its topic's first event.\n");
  else out_.Write(RenderTable({{"table"}, {"topic"}, {"state"}, {"hot rows", true}, {"lake rows", true}}, rows, {out_.colored(), 0}));
  out_.Flush();
}

// False: leave.
bool SqlShell::RunCommand(const std::string& line) {
  const auto space = line.find(' ');
  const std::string name = line.substr(0, space);
  std::string argument =
      space == std::string::npos
          ? ""
          : line.substr(line.find_first_not_of(' ', space) == std::string::npos ? line.size() : line.find_first_not_of(' ', space));
  while (argument.ends_with(' ') || argument.ends_with(';')) argument.pop_back();
  auto& options = runner_.options();
  if (name == "\\q") return false;
  if (name == "\\d" && argument.empty()) PrintTables();
  else if (name == "\\d") return PrintColumns(argument) != SqlOutcome::kClosed;
  else if (name == "\\timing") std::printf("timing is %s\n", (options.timing = !options.timing) ? "on" : "off");
  else if (name == "\\x") std::printf("a %s a row\n", (options.expanded = !options.expanded) ? "block" : "line");
  else if (name == "\\?") std::fputs(kHelp, stdout);
  else std::fprintf(stderr, "there is no command %s (\\? lists them)\n", name.c_str());
  return true;
}

bool SqlShell::RunStatements() {
  auto split = SplitStatements(pending_);
  if (split.statements.empty() && !split.rest_is_blank) return true;
  for (auto& statement : split.statements) {
    editor_.AddHistory(statement.text + ";");
    const auto outcome = runner_.Run(statement.text, statement.line);
    if (outcome == SqlOutcome::kClosed) return false;
    if (outcome != SqlOutcome::kCancelled) continue;
    if (client_.signal() != SIGINT) return false;
    std::fprintf(stderr, "cancelled\n");
    pending_.clear();
    return true;
  }
  pending_ = split.rest_is_blank ? "" : split.rest.text;
  return true;
}

bool SqlShell::RunLine(const std::string& line) {
  if (line.starts_with('\\') && !SplitStatements(pending_).rest_is_open) {
    editor_.AddHistory(line);
    return RunCommand(line);
  }
  if (pending_.empty() && (line == "quit" || line == "exit")) return false;
  if (pending_.size() + line.size() > kStatementBytesMax) {
    std::fprintf(stderr, "a statement has at most %zu KiB\n", kStatementBytesMax >> 10);
    pending_.clear();
    return true;
  }
  if (!pending_.empty()) pending_ += '\n';
  pending_ += line;
  return RunStatements();
}

int SqlShell::Run() {
  std::printf("sluice sql at %s; \\? for help\n", client_.url().c_str());
  for (std::string line;;) {
    switch (editor_.Read(pending_.empty() ? "sluice> " : "   ...> ", line)) {
      case LineEditor::Status::kLine:
        if (!RunLine(line)) return kExitOk;
        break;
      case LineEditor::Status::kInterrupted: pending_.clear(); break;
      case LineEditor::Status::kEnd: return std::printf("\n"), kExitOk;
      case LineEditor::Status::kTerminated: return kExitOk;
    }
  }
}

}  // namespace sluice::cli
