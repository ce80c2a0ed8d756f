// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/env.h"
#include "query/frame_socket.h"
#include "query/worker_options.h"

namespace sluice::query {

struct WorkerSetup {
  WorkerOptions options;  // but its nonce, which each worker has of its own
  Path spill_directory;   // for unnamed files; empty: no spilling
};

// One worker process and the socket to it. Destroyed: the process is killed and reaped. Not thread-safe, but Kill is.
class WorkerProcess {
 public:
  // Starts the process and returns before it is ready. Errors of io::Processes::StartSelf and of the spill directory.
  static Result<std::unique_ptr<WorkerProcess>> Start(const io::Env& env, const WorkerSetup& setup);

  // Waits for kReady. kUnavailable: it ended, or was not ready in time.
  Result<void> WaitReady(int64_t timeout_ms);
  FrameSocket& socket() { return socket_; }
  void Kill() { process_->Kill(); }
  // The rest of its life it runs only when nobody else wants a core.
  void RunInBackground() {
    in_background_ = true;
    process_->RunInBackground();
  }
  bool in_background() const { return in_background_; }
  int64_t CpuNs() { return process_->CpuNs(); }
  int pid() const { return process_->pid(); }

  // Bytes of hot chunks that it keeps mapped, as it said after its last statement.
  uint64_t mapped_bytes = 0;

 private:
  WorkerProcess(int fd, std::unique_ptr<io::Process> process, io::Clock& clock)
      : clock_(clock), socket_(fd, &clock), process_(std::move(process)) {}

  io::Clock& clock_;
  FrameSocket socket_;
  std::unique_ptr<io::Process> process_;
  bool in_background_ = false;
};

}  // namespace sluice::query
