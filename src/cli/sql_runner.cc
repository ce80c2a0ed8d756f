// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_runner.h"

#include <algorithm>
#include <cstdio>

namespace sluice::cli {
namespace {

constexpr size_t kCellWidthMin = 24;          // on a narrow terminal
constexpr size_t kPieceBytes = 16 << 10;      // written at once
constexpr size_t kNdjsonLineKept = 64 << 10;  // of the last line, which may tell of a failure
constexpr int64_t kAnswerGraceMs = 10'000;    // the server's own timeout comes first

const char* AcceptOf(SqlFormat format) {
  switch (format) {
    case SqlFormat::kNdjson: return "Accept: application/x-ndjson";
    case SqlFormat::kCsv: return "Accept: text/csv";
    default: return "Accept: application/json";
  }
}

bool IsNumber(std::string_view type) {
  static constexpr std::string_view kTypes[] = {"TINYINT",   "SMALLINT", "INTEGER", "BIGINT",   "HUGEINT", "UTINYINT",
                                                "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT",   "DOUBLE"};
  return type.starts_with("DECIMAL") || std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool HoldsLongCells(const SqlTable& table, const TableStyle& style) {
  auto is_long = [&](const TextCell& cell) { return cell && DisplayWidth(Printable(*cell)) > style.cell_width_max; };
  return style.cell_width_max > 0 && std::any_of(table.rows.begin(), table.rows.end(),
                                                 [&](const TextRow& row) { return std::any_of(row.begin(), row.end(), is_long); });
}

void PrintFailure(const Json& error, const std::string& sql, int64_t first_line) {
  const std::string& detail = error["detail"].AsString();
  std::fprintf(stderr, "sluice sql: %s\n", (detail.empty() ? error["message"].AsString() : detail).c_str());
  if (const int64_t position = error["position"].AsInt(); position > 0) std::fputs(PositionText(sql, position, first_line).c_str(), stderr);
  if (auto& hint = error["hint"].AsString(); !hint.empty()) std::fprintf(stderr, "%s\n", hint.c_str());
}

// Keeps the last line of what passes.
class LastLine {
 public:
  void Take(std::string_view part) {
    while (part.ends_with('\n')) part.remove_suffix(1), ended_ = true;
    if (part.empty()) return;
    const auto newline = part.rfind('\n');
    if (newline != std::string_view::npos) text_.clear(), part.remove_prefix(newline + 1);
    else if (ended_before_) text_.clear();
    if (text_.size() + part.size() <= kNdjsonLineKept) text_ += part;
    ended_before_ = std::exchange(ended_, false);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool ended_ = false, ended_before_ = false;
};

}  // namespace

std::string PositionText(std::string_view sql, int64_t position, int64_t first_line) {
  // Characters, not bytes: count what begins one.
  size_t at = 0;
  for (int64_t characters = 0; at < sql.size(); at++)
    if ((static_cast<unsigned char>(sql[at]) & 0xC0) != 0x80 && ++characters == position) break;
  if (at >= sql.size()) return {};
  const size_t begin = at == 0 ? 0 : sql.rfind('\n', at - 1) + 1;  // npos + 1 is 0
  const size_t end = std::min(sql.find('\n', at), sql.size());
  const auto number = std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(begin), '\n') + first_line;
  const std::string label = "line " + std::to_string(number) + ": ";
  const auto line = sql.substr(begin, end - begin);
  return label + Printable(line) + "\n" + std::string(label.size() + DisplayWidth(Printable(line.substr(0, at - begin))), ' ') + "^\n";
}

Json NdjsonFailure(std::string_view last_line) {
  if (!last_line.starts_with("{\"error\":{\"kind\":")) return {};
  auto parsed = Json::Parse(last_line);
  if (!parsed.ok() || parsed->AsObject().size() != 1 || !(*parsed)["error"]["message"].is_string()) return {};
  return (*parsed)["error"];
}

Result<SqlTable> ToSqlTable(const Json& answer, const TimeZone& zone) {
  const Error strange{ErrorCode::kCorruption, "the server's answer is no result of a statement", "is it a Sluice server of this version?"};
  if (!answer["columns"].is_array() || !answer["rows"].is_array()) return strange;
  SqlTable out;
  std::vector<bool> is_time;
  for (auto& column : answer["columns"].AsArray()) {
    const std::string& type = column["type"].AsString();
    out.columns.push_back({column["name"].AsString(), IsNumber(type)});
    is_time.push_back(type == "TIMESTAMP WITH TIME ZONE");
  }
  for (auto& row : answer["rows"].AsArray()) {
    auto& cells = out.rows.emplace_back();
    if (row.AsArray().size() != out.columns.size()) return strange;
    for (auto& value : row.AsArray()) {
      if (value.is_null()) cells.emplace_back(std::nullopt);
      else if (!value.is_string()) cells.emplace_back(value.Dump());
      else cells.emplace_back(is_time[cells.size()] ? zone.Format(value.AsString()) : value.AsString());
    }
  }
  return out;
}

SqlOutcome SqlRunner::Run(const std::string& sql, int64_t first_line) {
  const Statement statement{sql, first_line};
  Json request;
  request.Set("sql", sql);
  if (options_.timeout_ms > 0) request.Set("timeout_ms", options_.timeout_ms);
  const std::string body = request.Dump();
  HttpCall call;
  call.path = "/v1/sql";
  call.post = true;
  call.body = body;
  call.headers = {"Content-Type: application/json", AcceptOf(options_.format)};
  call.timeout_ms = options_.timeout_ms > 0 ? options_.timeout_ms + kAnswerGraceMs : 0;
  LastLine last;
  if (options_.format != SqlFormat::kTable)
    call.on_body = [&](std::string_view part) {
      if (options_.format == SqlFormat::kNdjson) last.Take(part);
      return out_.Write(part);
    };
  auto answer = client_.Do(call);
  if (auto outcome = Ended(answer, statement); outcome != SqlOutcome::kDone) return outcome;
  if (options_.format == SqlFormat::kTable) return PrintTable(answer->body, statement);
  if (const Json failure = NdjsonFailure(last.text()); !failure.is_null())
    return PrintFailure(failure, sql, first_line), SqlOutcome::kFailed;
  return SqlOutcome::kDone;
}

SqlOutcome SqlRunner::Ended(const Result<HttpAnswer>& answer, const Statement& statement) {
  if (!out_.Flush()) return Closed();
  if (!answer.ok()) {
    if (answer.error().code == ErrorCode::kCancelled) return SqlOutcome::kCancelled;
    std::fprintf(stderr, "sluice sql: %s\n", answer.error().ToString().c_str());
    return SqlOutcome::kFailed;
  }
  if (answer->ok()) return SqlOutcome::kDone;
  if (auto problem = Json::Parse(answer->body); problem.ok() && !(*problem)["detail"].AsString().empty())
    PrintFailure(*problem, statement.text, statement.first_line);
  else std::fprintf(stderr, "sluice sql: %s\n", ErrorOf(*answer).ToString().c_str());
  return SqlOutcome::kFailed;
}

SqlOutcome SqlRunner::Closed() {
  auto finished = out_.Finish();
  if (finished.ok()) return SqlOutcome::kClosed;
  std::fprintf(stderr, "sluice sql: %s\n", finished.error().ToString().c_str());
  return SqlOutcome::kFailed;
}

// In pieces: whoever has seen enough of a long answer presses Ctrl-C.
SqlOutcome SqlRunner::Print(std::string_view text) {
  for (size_t at = 0; at < text.size(); at += kPieceBytes) {
    if (client_.TakeSignal()) return SqlOutcome::kCancelled;
    if (!out_.Write(text.substr(at, kPieceBytes)) || !out_.Flush()) return Closed();
  }
  return SqlOutcome::kDone;
}

std::string SqlRunner::Footer(const SqlTable& table, size_t columns_hidden, bool cells_are_cut, const Json& stats) const {
  std::string out = "(" + Counted(static_cast<int64_t>(table.rows.size()), "row") + ")";
  if (columns_hidden > 0)
    out += "  " + Counted(static_cast<int64_t>(columns_hidden), "column") + " left out; a block a row (\\x, -x) shows all";
  else if (cells_are_cut) out += "  long cells are cut; a block a row (\\x, -x) shows them whole";
  if (!options_.timing) return out + "\n";
  return out + "  " + Json(stats["elapsed_ms"]).Dump() + " ms, " + WithThousands(stats["hot_rows"].AsInt()) + " hot and " +
         WithThousands(stats["cold_rows"].AsInt()) + " cold rows in " + Counted(stats["files_read"].AsInt(), "file") + " (" +
         ByteText(stats["bytes_read"].AsInt()) + ", " + Counted(stats["files_pruned"].AsInt(), "file") + " pruned)\n";
}

SqlOutcome SqlRunner::PrintTable(const std::string& body, const Statement& statement) {
  auto parsed = Json::Parse(body);
  auto table = parsed.ok() ? ToSqlTable(*parsed, zone_) : Result<SqlTable>(parsed.error());
  if (!table.ok()) {
    std::fprintf(stderr, "sluice sql: %s\n", table.error().ToString().c_str());
    return SqlOutcome::kFailed;
  }
  TableStyle style{out_.colored(), out_.is_terminal() && !options_.expanded ? std::max(kCellWidthMin, out_.width() / 2) : 0};
  const bool cells_are_cut = HoldsLongCells(*table, style);
  const size_t hidden = style.cell_width_max > 0 ? HideColumns(table->columns, table->rows, style, out_.width()) : 0;
  std::string text =
      options_.expanded ? RenderRecords(table->columns, table->rows, style) : RenderTable(table->columns, table->rows, style);
  text += Footer(*table, hidden, cells_are_cut, (*parsed)["stats"]);
  if (auto outcome = Print(text); outcome != SqlOutcome::kDone) return outcome;
  if (const Json* failure = parsed->Find("error")) return PrintFailure(*failure, statement.text, statement.first_line), SqlOutcome::kFailed;
  return SqlOutcome::kDone;
}

}  // namespace sluice::cli
