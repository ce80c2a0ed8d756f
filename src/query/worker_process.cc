// SPDX-License-Identifier: Apache-2.0
#include "query/worker_process.h"

#include <array>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace sluice::query {
namespace {

std::string NewNonce(io::Random& random) {
  std::array<uint64_t, 2> bits{random.Next64(), random.Next64()};
  return base::ToHex({reinterpret_cast<const char*>(bits.data()), sizeof bits});
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const io::Env& env, const WorkerSetup& setup) {
  auto options = setup.options;
  options.nonce = NewNonce(env.random);
  if (setup.spill_directory.empty()) options.spill_files = 0;
  ASSIGN_OR_RETURN(auto ends, FrameSocket::Pair());
  std::vector<int> give{ends.second.get()};
  std::vector<std::unique_ptr<io::File>> spill;  // without a name: gone with the worker, however it ends
  for (uint64_t i = 0; i < options.spill_files; i++) {
    ASSIGN_OR_RETURN(auto file, env.files.OpenUnnamed(setup.spill_directory));
    give.push_back(file->descriptor());
    spill.push_back(std::move(file));
  }
  std::vector<std::string> arguments{"worker"};
  for (auto& word : ToArguments(options)) arguments.push_back(std::move(word));
  ASSIGN_OR_RETURN(auto process, env.processes.StartSelf(arguments, give));
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(ends.first.Release(), std::move(process), env.clock));
}

Result<void> WorkerProcess::WaitReady(int64_t timeout_ms) {
  const int64_t deadline_ns = clock_.MonotonicNs() + timeout_ms * 1'000'000;
  for (Frame frame;;) {
    int64_t left_ns = deadline_ns - clock_.MonotonicNs();
    if (left_ns <= 0) return Error{ErrorCode::kUnavailable, "a SQL worker was not ready in time", ""};
    auto status = socket_.Receive(frame, left_ns / 1'000 + 1);
    if (status == ReceiveStatus::kFrame && frame.header.type == MessageType::kReady) return {};
    if (status != ReceiveStatus::kNothing) return Error{ErrorCode::kUnavailable, "a SQL worker ended while it started", "its reason stands on stderr"};
  }
}

}  // namespace sluice::query
