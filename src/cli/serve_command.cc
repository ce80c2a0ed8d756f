// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/command.h"
#include "io/env.h"
#include "server/config.h"
#include "server/config_keys.h"
#include "server/engine.h"

namespace sluice::cli {
namespace {

struct ServeFlags {
  std::string data, listen, config;
  bool insecure = false;
  std::vector<std::string> settings;
};

io::LogLevel LevelOf(const std::string& name) {
  return name == "debug" ? io::LogLevel::kDebug : name == "warn" ? io::LogLevel::kWarn : name == "error" ? io::LogLevel::kError : io::LogLevel::kInfo;
}

Result<void> ApplySetting(const std::string& text, server::ServerOptions& options) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  auto* key = server::FindConfigKey(name);
  if (equals == std::string::npos || key == nullptr) {
    std::vector<std::string_view> known;
    for (auto& k : server::ConfigKeys()) known.push_back(k.name);
    auto nearest = server::Nearest(name, known);
    return Error{ErrorCode::kInvalid, "--set " + text + " names no setting", nearest.empty() ? "write --set KEY=VALUE" : "did you mean " + nearest + "=...?"};
  }
  auto set = key->set(options, text.substr(equals + 1));
  if (!set.ok()) return set.error().While("reading --set " + text);
  return {};
}

// Flag, else environment, else file, else default.
Result<server::ServerOptions> OptionsOf(const ServeFlags& flags, io::Env env) {
  server::ServerOptions options;
  constexpr uint64_t kConfigBytesMax = 1 << 20;
  if (!flags.config.empty()) {
    ASSIGN_OR_RETURN(auto text, io::ReadFile(env.files, flags.config, kConfigBytesMax));
    RETURN_IF_ERROR(server::ApplyConfigText(text, flags.config, options));
  }
  RETURN_IF_ERROR(server::ApplyEnvironment(
      [](const std::string& name) {
        const char* value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      },
      options));
  for (auto& setting : flags.settings) RETURN_IF_ERROR(ApplySetting(setting, options));
  if (!flags.data.empty()) options.data = flags.data;
  if (!flags.listen.empty()) options.listen = flags.listen;
  if (flags.insecure) options.insecure = true;
  std::error_code ignored;
  options.data = std::filesystem::weakly_canonical(std::filesystem::absolute(options.data), ignored).string();
  while (options.data.size() > 1 && options.data.back() == '/') options.data.pop_back();
  return options;
}

int Serve(const ServeFlags& flags) {
  auto termination = io::Termination::Make();
  if (!termination.ok()) return Fail(termination.error());
  io::RealWorld early;
  auto options = OptionsOf(flags, early.env());
  if (!options.ok()) return Fail(options.error());
  io::RealWorld world(LevelOf(options->log_level));
  auto engine = server::Engine::Open(world.env(), *options);
  if (!engine.ok()) return Fail(engine.error());
  std::printf("sluice ready http=%s data=%s\n", (*engine)->url().c_str(), (*engine)->data().c_str());
  std::fflush(stdout);
  auto ran = (*engine)->Run(**termination);
  if (!ran.ok()) return Fail(ran.error());
  return kExitOk;
}

}  // namespace

int RunServe(const std::vector<std::string>& arguments) {
  CLI::App app("Runs the server until Ctrl-C or SIGTERM.", "sluice serve");
  ServeFlags flags;
  app.add_option("--data", flags.data, "Data directory (default ./sluice-data)");
  app.add_option("--listen", flags.listen, "HOST:PORT (default 127.0.0.1:8080; port 0: any free one)");
  app.add_option("--config", flags.config, "Configuration file (YAML)");
  app.add_option("--set", flags.settings, "A setting as KEY=VALUE; may be repeated");
  app.add_flag("--insecure", flags.insecure, "Allow an address that other machines can reach");
  auto reversed = std::vector<std::string>(arguments.rbegin(), arguments.rend());  // CLI11 pops from the back
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return Serve(flags);
}

}  // namespace sluice::cli
