// SPDX-License-Identifier: Apache-2.0
#include "cli/embedded_engine.h"

#include <utility>

#include "cli/serve_command.h"

namespace sluice::cli {

// One thread makes the engine, runs it and destroys it.
void EmbeddedEngine::Live(server::ServerOptions options) {
  auto engine = server::Engine::Open(env_, std::move(options));
  if (!engine.ok()) {
    opened_ = engine.error();
    started_->Notify();
    return;
  }
  url_ = (*engine)->url();
  {
    std::lock_guard lock(mutex_);
    engine_ = engine->get();
  }
  started_->Notify();
  if (auto ran = (*engine)->Run(); !ran.ok()) env_.log.Error("the embedded server stopped", {{"cause", ran.error().ToString()}});
  std::lock_guard lock(mutex_);
  engine_ = nullptr;
}

Result<std::unique_ptr<EmbeddedEngine>> EmbeddedEngine::Start(io::Env env, const Path& data) {
  server::ServerOptions options;
  RETURN_IF_ERROR(ApplyProcessEnvironment(options));
  options.data = CanonicalDirectory(data);
  options.listen = "127.0.0.1:0";
  ASSIGN_OR_RETURN(const bool is_data, io::Exists(env.files, options.data + "/directory.json"));
  if (!is_data) return Error{ErrorCode::kNotFound, "\"" + data + "\" is no data directory", "`sluice serve --data " + data + "` makes one"};
  auto out = std::unique_ptr<EmbeddedEngine>(new EmbeddedEngine(env));
  out->thread_ = env.threads.Start("engine", io::ThreadPriority::kNormal,
                                   [self = out.get(), options = std::move(options)]() mutable { self->Live(std::move(options)); });
  out->started_->Wait();
  if (out->opened_.ok()) return out;
  Error error = out->opened_.error();
  if (error.code == ErrorCode::kConflict)
    error.hint = "ask that server: leave --data out, and name it with --url if it does not listen on 127.0.0.1:8080";
  return error;
}

EmbeddedEngine::~EmbeddedEngine() {
  {
    std::lock_guard lock(mutex_);
    if (engine_ != nullptr) engine_->RequestStop();
  }
  thread_->Join();
}

}  // namespace sluice::cli
