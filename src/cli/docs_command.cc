// SPDX-License-Identifier: Apache-2.0
#include "cli/docs_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "front/http/problems.h"
#include "server/config_keys.h"
#include "server/metric_families.h"

namespace sluice::cli {
namespace {

// A cell of a Markdown table.
std::string Cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return out;
}

std::string Code(std::string_view text) { return text.empty() ? "" : "`" + Cell(text) + "`"; }

std::string_view NameOf(io::MetricType type) {
  switch (type) {
    case io::MetricType::kCounter: return "counter";
    case io::MetricType::kGauge: return "gauge";
    case io::MetricType::kHistogram: return "histogram";
  }
  return "";
}

}  // namespace

std::string CliPage() {
  std::string out =
      "# Command line\n\nPrinted by `sluice docs cli`.\n\n"
      "Exit codes: 0 done, 1 failed, 2 the command line is wrong. Errors are one sentence on stderr. Times are UTC, whatever `TZ` says. "
      "`NO_COLOR` is respected.\n"
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
      "A setting is a flag (`--set KEY=VALUE`), else an environment variable, else a line of the file that `--config` names (YAML), else "
      "its default.\n\n"
      "| key | environment | default | meaning |\n|---|---|---|---|\n";
  const server::ServerOptions defaults;
  for (auto& key : server::ConfigKeys())
    out += "| " + Code(key.name) + " | " + Code(server::EnvironmentName(key)) + " | " + Code(key.get(defaults)) + " | " +
           Cell(key.description) + " |\n";
  return out;
}

std::string ErrorsPage() {
  std::string out =
      "# Errors\n\nPrinted by `sluice docs errors`.\n\n"
      "HTTP errors are problem documents (RFC 9457) with `type`, `title`, `status`, `detail` and often `hint`. `type` is "
      "`urn:sluice:problem:` and the name below. "
      "Decide by it or by the status; the sentences may change.\n\n"
      "| name | status | title | the same request may succeed later |\n|---|---|---|---|\n";
  for (auto& kind : front::http::ProblemKinds())
    out += "| " + Code(kind.slug) + " | " + std::to_string(kind.status) + " | " + Cell(kind.title) + " | " +
           (kind.retry ? "yes, see `Retry-After`" : "no") + " |\n";
  return out;
}

std::string MetricsPage() {
  std::string out =
      "# Metrics\n\nPrinted by `sluice docs metrics`.\n\n"
      "`GET /metrics` shows them in Prometheus' text format; a series appears when there is something to count. Times are in seconds.\n\n"
      "| name | type | meaning |\n|---|---|---|\n";
  for (auto& family : server::MetricFamilies())
    out += "| " + Code(family.name) + " | " + std::string(NameOf(family.type)) + " | " + Cell(family.help) + " |\n";
  return out;
}

void DocsAction::Define(CLI::App& app) {
  app.add_option("PAGE", page_, "cli, config, errors or metrics")->required()->check(CLI::IsMember({"cli", "config", "errors", "metrics"}));
}

int DocsAction::Run() {
  std::string text;
  if (page_ == "cli") text = CliPage();
  if (page_ == "config") text = ConfigPage();
  if (page_ == "errors") text = ErrorsPage();
  if (page_ == "metrics") text = MetricsPage();
  std::fputs(text.c_str(), stdout);
  return kExitOk;
}

}  // namespace sluice::cli
