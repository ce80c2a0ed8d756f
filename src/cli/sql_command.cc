// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/embedded_engine.h"
#include "cli/record_source.h"
#include "cli/sql_shell.h"
#include "cli/sql_split.h"

namespace sluice::cli {
namespace {

constexpr size_t kScriptBytesMax = size_t{64} << 20;
constexpr int64_t kTimeoutMsMax = 3'600'000;

SqlFormat FormatOf(const std::string& name) {
  return name == "json" ? SqlFormat::kJson : name == "ndjson" ? SqlFormat::kNdjson : name == "csv" ? SqlFormat::kCsv : SqlFormat::kTable;
}

// One after the other, until one fails.
int RunScript(SqlRunner& runner, const std::string& text) {
  auto split = SplitStatements(text);
  if (!split.rest_is_blank) split.statements.push_back(split.rest);
  for (auto& statement : split.statements) {
    switch (runner.Run(statement.text, statement.line)) {
      case SqlOutcome::kDone: break;
      case SqlOutcome::kClosed: return kExitOk;
      case SqlOutcome::kCancelled: std::fprintf(stderr, "sluice sql: cancelled\n"); return kExitFailed;
      case SqlOutcome::kFailed: return kExitFailed;
    }
  }
  return kExitOk;
}

Result<std::string> ReadScript(const Path& file, io::Termination& termination) {
  ASSIGN_OR_RETURN(auto input, ByteInput::Open(file, &termination));
  std::string text;
  for (;;) {
    ASSIGN_OR_RETURN(const auto status, input.Read(text));
    if (status == ByteInput::Status::kEnd) return text;
    if (status == ByteInput::Status::kSignal) return Error{ErrorCode::kCancelled, "cancelled", {}};
    if (text.size() > kScriptBytesMax)
      return Error{ErrorCode::kExhausted, "a script has at most " + std::to_string(kScriptBytesMax >> 20) + " MiB", {}};
  }
}

int RunShell(HttpClient& client, Console& out, SqlRunner& runner, io::FileSystem& files, io::Termination& termination) {
  auto alive = client.GetJson("/version");
  if (!alive.ok()) return Fail(alive.error());
  auto editor = LineEditor::Make(termination, HistoryFile(files));
  if (!editor.ok()) return Fail(editor.error());
  return SqlShell(client, out, runner, **editor).Run();
}

}  // namespace

void SqlAction::Define(CLI::App& app) {
  app.footer(
      "Without -c and -f: a shell on a terminal, else statements from stdin. Times are UTC, whatever TZ says; --timezone formats those of "
      "tables.\n"
      "NULL is shown as NULL in tables and as nothing in CSV, where the empty string is \"\".");
  auto* statement = app.add_option("-c,--command", statement_, "Statements, apart by ';'")->type_name("SQL");
  app.add_option("-f,--file", file_, "A file of statements; - is stdin")->type_name("FILE")->excludes(statement);
  app.add_option("-o,--output", format_, "table, json, ndjson or csv")
      ->check(CLI::IsMember({"table", "json", "ndjson", "csv"}))
      ->type_name("FORMAT");
  app.add_flag("-x,--expanded", options_.expanded, "Tables with a block a row");
  app.add_option("--timezone", zone_, "How tables show times: UTC, +02:00, Europe/Berlin, ...")->type_name("TZ");
  app.add_option("--timeout", options_.timeout_ms, "Of a statement, in ms, up to an hour (default: the server's, 30,000)")
      ->check(CLI::Range(int64_t{1}, kTimeoutMsMax))
      ->type_name("MS");
  auto* data = app.add_option("--data", data_, "Ask this data directory, without a server")->type_name("DIR");
  app.add_option("--url", url_, "The server (default SLUICE_URL, else http://127.0.0.1:8080)")->type_name("URL")->excludes(data);
}

int SqlAction::Run() {
  auto termination = io::Termination::Make();
  if (!termination.ok()) return Fail(termination.error());
  io::RealWorld world(io::LogLevel::kWarn);
  io::Env env = world.env();
  auto zone = TimeZone::Make(env.files, zone_);
  if (!zone.ok()) return Fail(zone.error());
  std::unique_ptr<EmbeddedEngine> engine;
  if (!data_.empty()) {
    auto started = EmbeddedEngine::Start(env, data_);
    if (!started.ok()) return Fail(started.error()), kExitFailed;
    engine = std::move(*started);
    url_ = engine->url();
  }
  auto client = HttpClient::Make(url_, termination->get());
  if (!client.ok()) return Fail(client.error());
  Console out(stdout);
  options_.format = FormatOf(format_);
  SqlRunner runner(**client, out, std::move(*zone), options_);
  if (!statement_.empty()) return RunScript(runner, statement_);
  if (file_.empty() && StdinIsTerminal()) return RunShell(**client, out, runner, env.files, **termination);
  auto script = ReadScript(file_.empty() ? "-" : file_, **termination);
  return script.ok() ? RunScript(runner, *script) : (Fail(script.error()), kExitFailed);
}

}  // namespace sluice::cli
