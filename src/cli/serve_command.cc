// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "cli/command.h"
#include "io/env.h"
#include "io/process_memory.h"
#include "io/sockets.h"
#include "server/config.h"
#include "server/config_keys.h"
#include "server/engine.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kConfigBytesMax = 1 << 20;

io::LogLevel LevelOf(const std::string& name) {
  return name == "debug"   ? io::LogLevel::kDebug
         : name == "warn"  ? io::LogLevel::kWarn
         : name == "error" ? io::LogLevel::kError
                           : io::LogLevel::kInfo;
}

Result<void> ApplySetting(const std::string& text, server::ServerOptions& options) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  auto* key = server::FindConfigKey(name);
  if (equals == std::string::npos) return Error{ErrorCode::kInvalid, "--set " + text + " has no value", "write --set KEY=VALUE"};
  if (key == nullptr) {
    std::vector<std::string_view> known;
    for (auto& k : server::ConfigKeys()) known.push_back(k.name);
    auto nearest = server::Nearest(name, known);
    return Error{ErrorCode::kInvalid, "--set " + text + " names no setting",
                 nearest.empty() ? "docs/reference/configuration.md lists the settings" : "did you mean " + nearest + "=...?"};
  }
  auto set = key->set(options, text.substr(equals + 1));
  if (!set.ok()) return set.error().While("reading --set " + text);
  return {};
}

}  // namespace

Result<void> ApplyProcessEnvironment(server::ServerOptions& options) {
  return server::ApplyEnvironment(
      [](const std::string& name) {
        const char* value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
      },
      options);
}

Path CanonicalDirectory(const Path& path) {
  std::error_code ignored;
  Path out = std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored).string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

// Flag, else environment, else file, else default.
Result<server::ServerOptions> ServeAction::ReadOptions(io::Env env) const {
  server::ServerOptions options;
  if (!config_.empty()) {
    auto text = io::ReadFile(env.files, config_, kConfigBytesMax);
    if (!text.ok())
      return Error{ErrorCode::kInvalid, "the configuration cannot be read: " + text.error().message, "name a file with --config"};
    RETURN_IF_ERROR(server::ApplyConfigText(*text, config_, options));
  }
  RETURN_IF_ERROR(ApplyProcessEnvironment(options));
  for (auto& setting : settings_) RETURN_IF_ERROR(ApplySetting(setting, options));
  if (!data_.empty()) options.data = data_;
  if (!listen_.empty()) options.listen = listen_;
  if (insecure_) options.insecure = true;
  options.data = CanonicalDirectory(options.data);
  return options;
}

void ServeAction::Define(CLI::App& app) {
  app.add_option("--data", data_, "Data directory (default ./sluice-data)")->type_name("DIR");
  app.add_option("--listen", listen_, "Where to listen, HOST:PORT (default 127.0.0.1:8080; port 0: any free one)")->type_name("ADDRESS");
  app.add_option("--config", config_, "Configuration file (YAML)")->type_name("FILE");
  app.add_option("--set", settings_, "A setting; may be repeated")->type_name("KEY=VALUE")->type_size(1)->allow_extra_args(false);
  app.add_flag("--insecure", insecure_, "Allow an address that other machines can reach");
}

int ServeAction::Run() {
  io::ShareHeaps();
  auto termination = io::Termination::Make();
  if (!termination.ok()) return Fail(termination.error());
  io::RealWorld early;
  auto options = ReadOptions(early.env());
  if (!options.ok()) return Fail(options.error());
  io::RealWorld world(LevelOf(options->log_level));
  if (auto valid = options->Validate(); !valid.ok()) return Fail(valid.error());
  io::RaiseDescriptorLimit();
  auto engine = server::Engine::Open(world.env(), *options);
  if (!engine.ok()) return Fail(engine.error()), kExitFailed;
  std::printf("sluice ready http=%s data=%s\n", (*engine)->url().c_str(), (*engine)->data().c_str());
  std::fflush(stdout);
  auto ran = (*engine)->Run(**termination);
  return ran.ok() ? kExitOk : (Fail(ran.error()), kExitFailed);
}

}  // namespace sluice::cli
