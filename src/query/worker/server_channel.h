// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The worker's end of the conversation with the server (query/protocol.h).
//
// Threads: the main one runs statements, DuckDB's ask questions, and one of this class takes frames, so that a cancel is heard
// while a statement runs. The server gone means that nothing here is worth saving: the process ends.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"
#include "query/frame_socket.h"
#include "query/protocol.h"

namespace sluice::query {

class ServerChannel {
 public:
  // Takes `fd` over and starts the thread, which ends with the process.
  explicit ServerChannel(int fd);

  // ---- questions of the running statement; from any thread, one at a time. kCorruption: the answer makes no sense.
  // A refusal of the server is kept in failure() and returned as kUnavailable with its message.
  Result<std::vector<TableName>> ListTables();
  // Nothing: there is no such table.
  Result<std::optional<BoundTable>> Bind(const BindMessage& message);
  Result<std::vector<ScannedFile>> Scan(const ScanMessage& message);
  Result<OwnedDescriptor> Open(uint64_t file);

  // ---- statements; from the main thread ----
  // Blocks. Nothing: the server wants cached mappings dropped (kTrim).
  Result<std::optional<QueryMessage>> NextQuery();
  // Waits for room in the window. False: the statement was cancelled.
  bool SendResult(std::string_view bytes);
  void SendDone(const DoneMessage& message);
  void SendReady();
  // Why the server refused something to the running statement.
  std::optional<QueryError> failure();
  bool cancelled();
  // Called from the reading thread at a cancel of the running statement.
  void OnCancel(std::function<void()> interrupt);

 private:
  Frame Ask(MessageType type, std::string_view payload);
  Frame NextAnswer();
  void Send(MessageType type, uint64_t statement, std::string_view payload);
  Error Refused(const QueryError& error);
  [[noreturn]] void ReadForever();
  void Take(Frame frame);

  FrameSocket socket_;
  std::mutex ask_mutex_;  // one question at a time
  std::mutex mutex_;      // all below
  std::condition_variable changed_;
  std::deque<Frame> statements_;  // kQuery and kTrim
  std::deque<Frame> answers_;
  std::function<void()> interrupt_;
  std::optional<QueryError> failure_;
  uint64_t statement_ = 0;
  uint64_t cancelled_ = 0;  // statements start at 1
  int64_t in_flight_bytes_ = 0;
  std::thread reader_;
};

}  // namespace sluice::query
