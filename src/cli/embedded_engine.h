// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "io/env.h"
#include "server/engine.h"

namespace sluice::cli {

// A server inside of this process, on a free port of the loopback, for as long as it lives.
class EmbeddedEngine {
 public:
  // Opens `data`, which must be a data directory. kConflict: a server has it; the hint says to ask that one.
  // What is behind `env` must outlive it.
  static Result<std::unique_ptr<EmbeddedEngine>> Start(io::Env env, const Path& data);
  ~EmbeddedEngine();
  const std::string& url() const { return url_; }

 private:
  explicit EmbeddedEngine(io::Env env) : env_(env), started_(env.threads.NewSignal()) {}
  void Live(server::ServerOptions options);

  io::Env env_;
  const std::unique_ptr<io::Signal> started_;
  std::mutex mutex_;
  server::Engine* engine_ = nullptr;  // while it can be told to stop
  Result<void> opened_;               // set before started_ rings
  std::string url_;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::cli
