// SPDX-License-Identifier: Apache-2.0
#include "cli/docs_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <set>

#include "cli/http_client.h"
#include "front/http/problems.h"
#include "server/config_keys.h"

namespace sluice::cli {
namespace {

// A cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return out;
}

std::string Code(std::string_view text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string_view Word(std::string_view& line) {
  const auto space = line.find(' ');
  const auto word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

}  // namespace

std::string CliPage() {
  std::string out =
      "# Command line\n\nPrinted by `sluice docs cli`.\n\n"
      "Exit codes: 0 done, 1 failed, 2 the command line is wrong. Errors are one sentence on stderr. Times are UTC, whatever `TZ` says. `NO_COLOR` is respected.\n"
      "The server is `--url`, else `SLUICE_URL`, else `http://127.0.0.1:8080`.\n";
  for (auto& command : Commands()) {
    if (command.hidden) continue;
    out += "\n## sluice " + std::string(command.name) + "\n\n```\n" + HelpOf(command);
    while (out.ends_with('\n')) out.pop_back();
    out += "\n```\n";
  }
  return out;
}

std::string ConfigPage() {
  std::string out =
      "# Configuration\n\nPrinted by `sluice docs config`.\n\n"
      "A setting is a flag (`--set KEY=VALUE`), else an environment variable, else a line of the file that `--config` names (YAML), else its default.\n\n"
      "| key | environment | default | meaning |\n|---|---|---|---|\n";
  const server::ServerOptions defaults;
  for (auto& key : server::ConfigKeys())
    out += "| " + Code(key.name) + " | " + Code(server::EnvironmentName(key)) + " | " + Code(key.get(defaults)) + " | " + Cell(key.description) + " |\n";
  return out;
}

std::string ErrorsPage() {
  std::string out =
      "# Errors\n\nPrinted by `sluice docs errors`.\n\n"
      "HTTP errors are problem documents (RFC 9457) with `type`, `title`, `status`, `detail` and often `hint`. `type` is `urn:sluice:problem:` and the name below. "
      "Decide by it or by the status; the sentences may change.\n\n"
      "| name | status | title | the same request may succeed later |\n|---|---|---|---|\n";
  for (auto& kind : front::http::ProblemKinds())
    out += "| " + Code(kind.slug) + " | " + std::to_string(kind.status) + " | " + Cell(kind.title) + " | " + (kind.retry ? "yes, see `Retry-After`" : "no") + " |\n";
  return out;
}

std::string MetricsPage(std::string_view exposition) {
  struct Family {
    std::string help, type;
  };
  std::map<std::string, Family> families;
  while (!exposition.empty()) {
    const auto newline = exposition.find('\n');
    auto line = exposition.substr(0, newline);
    exposition = newline == std::string_view::npos ? std::string_view() : exposition.substr(newline + 1);
    if (Word(line) != "#") continue;
    const auto kind = Word(line);
    const std::string name(Word(line));
    if (kind == "HELP") families[name].help = line;
    if (kind == "TYPE") families[name].type = line;
  }
  std::string out = "# Metrics\n\nPrinted by `sluice docs metrics` from `GET /metrics`.\n\n| name | type | meaning |\n|---|---|---|\n";
  for (auto& [name, family] : families) out += "| " + Code(name) + " | " + family.type + " | " + Cell(family.help) + " |\n";
  return out;
}

void DocsAction::Define(CLI::App& app) {
  app.add_option("PAGE", page_, "cli, config, errors or metrics")->required()->check(CLI::IsMember({"cli", "config", "errors", "metrics"}));
  app.add_option("--url", url_, "The server that is asked for its metrics")->type_name("URL");
}

int DocsAction::Run() {
  std::string text;
  if (page_ == "cli") text = CliPage();
  if (page_ == "config") text = ConfigPage();
  if (page_ == "errors") text = ErrorsPage();
  if (page_ == "metrics") {
    auto client = HttpClient::Make(url_, nullptr);
    if (!client.ok()) return Fail(client.error());
    auto answer = (*client)->Do({.path = "/metrics"});
    if (!answer.ok()) return Fail(answer.error());
    text = MetricsPage(answer->body);
  }
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace sluice::cli
