// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/version.h"
#include "cli/check_command.h"
#include "cli/docs_command.h"
#include "cli/help_format.h"
#include "cli/info_commands.h"
#include "cli/restore_command.h"
#include "cli/send_command.h"
#include "cli/serve_command.h"
#include "cli/sql_command.h"
#include "cli/typo.h"
#include "server/config_keys.h"

namespace sluice::cli {
namespace {

template <class T>
std::unique_ptr<Action> Make() {
  return std::make_unique<T>();
}

void PrintCommands(std::FILE* to) {
  for (auto& command : Commands())
    if (!command.hidden)
      std::fprintf(to, "  sluice %-8s %s\n", std::string(command.name).c_str(), std::string(command.description).c_str());
  std::fprintf(to, "\n`sluice COMMAND --help` tells more.\n");
}

class VersionAction final : public Action {
 public:
  void Define(CLI::App&) override {}
  int Run() override {
    std::printf("sluice %s\n", std::string(base::kVersion).c_str());
    return kExitOk;
  }
};

class HelpAction final : public Action {
 public:
  void Define(CLI::App& app) override { app.add_option("COMMAND", command_, "Tell more about this one"); }
  int Run() override {
    if (!command_.empty()) return RunCommand({command_, "--help"});
    std::printf("sluice: the gate between event streams and a lake\n\n");
    PrintCommands(stdout);
    return kExitOk;
  }

 private:
  std::string command_;
};

constexpr Command kCommands[] = {
    {"serve", "Runs the server until Ctrl-C or SIGTERM.", Make<ServeAction>},
    {"send", "Sends events, or JSON records made events, from a file or stdin.", Make<SendAction>},
    {"sql", "Answers SQL over hot and cold rows; without -c or -f it is a shell.", Make<SqlAction>},
    {"topic", "Lists and describes topics.", Make<TopicAction>},
    {"table", "Lists, describes, flushes and resumes tables.", Make<TableAction>},
    {"status", "Shows bytes by part, tables and how far they are behind.", Make<StatusAction>},
    {"check", "Checks a data directory that no server uses.", Make<CheckAction>},
    {"restore", "Accepts a data directory that was restored from a backup.", Make<RestoreAction>},
    {"version", "Prints the version.", Make<VersionAction>},
    {"help", "Prints the commands.", Make<HelpAction>},
    {"docs", "Prints a generated reference page.", Make<DocsAction>, true},
};

void SayWhatNext() {
  std::printf(
      "sluice: the gate between event streams and a lake\n\nStart a server, and in a second terminal send an event and ask for it:\n\n");
  std::printf("  sluice serve\n");
  std::printf(
      "  echo '{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/demo\",\"type\":\"hello\",\"data\":{\"text\":\"hi\"}}' | sluice send "
      "-\n");
  std::printf("  sluice sql -c 'SELECT id, type, data FROM bronze.events'\n\nAll commands:\n\n");
  PrintCommands(stdout);
}

void DefineFor(const Command& command, Action& action, CLI::App& app) {
  app.name("sluice " + std::string(command.name));
  app.set_help_flag("-h,--help", "Print this");
  app.formatter(std::make_shared<HelpFormat>());  // before the subcommands, which take it over
  action.Define(app);
  for (auto* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    sub->set_help_flag("-h,--help", "Print this");
    sub->group("Commands");
  }
}

// CLI11 throws for --help, too: then it prints on stdout and its code is 0.
int Parse(CLI::App& app, const std::vector<std::string>& arguments, bool& parsed) {
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // it pops from the back
  try {
    app.parse(reversed);
    parsed = true;
    return kExitOk;
  } catch (const CLI::Success& e) { return app.exit(e); } catch (const CLI::ParseError& e) {
    auto typo = FindTypo(app, arguments).value_or(Typo{e.what(), {}});
    if (typo.hint.empty()) typo.hint = "`" + app.get_name() + " --help` tells more";
    std::fprintf(stderr, "%s: %s (%s)\n", app.get_name().c_str(), typo.what.c_str(), typo.hint.c_str());
    return kExitUsage;
  }
}

int RunNamed(const Command& command, const std::vector<std::string>& arguments) {
  CLI::App app(std::string(command.description));
  auto action = command.make();
  DefineFor(command, *action, app);
  bool parsed = false;
  const int code = Parse(app, arguments, parsed);
  return parsed ? action->Run() : code;
}

}  // namespace

std::span<const Command> Commands() { return kCommands; }

std::string HelpOf(const Command& command) {
  CLI::App app(std::string(command.description));
  auto action = command.make();
  DefineFor(command, *action, app);
  std::string out = app.help();
  for (auto* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    if (!out.ends_with("\n\n")) out += '\n';
    out += sub->help("sluice " + std::string(command.name));
  }
  return out;
}

int RunCommand(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return SayWhatNext(), kExitOk;
  std::string name = arguments[0];
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version") name = "version";
  for (auto& command : Commands())
    if (command.name == name) return RunNamed(command, {arguments.begin() + 1, arguments.end()});
  std::vector<std::string_view> names;
  for (auto& command : Commands())
    if (!command.hidden) names.push_back(command.name);
  const auto nearest = server::Nearest(name, names);
  std::fprintf(stderr, "sluice: there is no command \"%s\" (%s)\n", name.c_str(),
               nearest.empty() ? "`sluice help` lists them" : ("did you mean `sluice " + nearest + "`?").c_str());
  return kExitUsage;
}

int Fail(const Error& error) {
  std::fprintf(stderr, "sluice: %s\n", error.ToString().c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace sluice::cli
