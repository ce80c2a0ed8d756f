// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A streamed answer that is written by a thread of its own: Write blocks while the client is slow.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "front/http/responder.h"
#include "io/threads.h"

namespace sluice::front::http {

// One writing thread at a time. Destroyed without End: as Abort. The server must outlive it, and the loop must run until it has
// ended: at shutdown HttpServer::CloseAll, then join the writers, then stop the loop.
class ThreadStream {
 public:
  // Takes the request over. `threads` must outlive this. `on_gone` is called on the loop's thread, once at most, when the client
  // closes before the answer's end; it may come after this is gone.
  ThreadStream(io::Threads& threads, Responder responder, std::function<void()> on_gone = {});
  ThreadStream(ThreadStream&&) noexcept = default;
  ThreadStream& operator=(ThreadStream&& other) noexcept;
  ~ThreadStream() { Abort(); }

  // True once the client is gone, or this has ended; whoever computes rows may stop.
  bool gone() const;

  // Answers whole instead of streaming: an error before the first row. REQUIRES: nothing was begun.
  void Send(HttpResponse response);
  // Begins the answer; `head.body` is its first piece.
  void Begin(HttpResponse head);
  // Returns once fewer than kStreamBytesMax bytes wait for the client. kCancelled: the client is gone; drop this.
  // REQUIRES: begun.
  Result<void> Write(std::string bytes);
  void End();
  void Abort();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the loop's thread, where its last use may come after this is gone
  io::EventLoop* loop_ = nullptr;
};

}  // namespace sluice::front::http
