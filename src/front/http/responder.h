// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The handle to answer one request with, now or later, from this thread or another.
//
//   responder.Send({.status = 200, .content_type = kJsonType, .body = "{}"});
//
// or piece by piece, when the answer is large:
//
//   ResponseStream stream = responder.BeginStream({.content_type = "text/csv"});
//   stream.Write(rows);  stream.End();

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "front/http/http_message.h"
#include "io/event_loop.h"

namespace sluice::front::http {

class Connection;

enum class StreamState : uint8_t {
  kReady,  // write on
  kFull,   // what was written is taken, but the client is slow: wait for OnDrained
  kGone,   // the client went away; nothing is sent any more
};

// An answer that leaves in pieces: chunked for HTTP/1.1, ended by closing for HTTP/1.0. All calls on the loop's thread.
// Destroyed without End: as Abort.
class ResponseStream {
 public:
  ResponseStream() = default;
  ResponseStream(ResponseStream&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)), loop_(other.loop_) {}
  ResponseStream& operator=(ResponseStream&& other) noexcept;
  ~ResponseStream() { Abort(); }

  bool open() const { return connection_ != nullptr; }
  // Copies `bytes`. Any number of them are taken; up to kStreamBytesMax wait for the client before it says kFull.
  StreamState Write(std::string_view bytes);
  // Called each time a stream that said kFull has room again, and once when the client is gone. From within, Write may be called.
  void OnDrained(std::function<void()> on_drained);
  // The answer is complete; this is closed afterwards.
  void End();
  // Breaks the connection so that the client sees a failure and not an end; this is closed afterwards.
  void Abort();

 private:
  friend class Responder;
  ResponseStream(Connection* connection, io::EventLoop* loop) : connection_(connection), loop_(loop) {}
  Connection* connection_ = nullptr;
  io::EventLoop* loop_ = nullptr;
};

// Movable, for one answer. Dropped without one: the client gets 500. The event loop must outlive it, and so must the server
// as long as the loop runs.
class Responder {
 public:
  Responder() = default;
  Responder(Responder&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)), loop_(other.loop_) {}
  Responder& operator=(Responder&& other) noexcept;
  ~Responder() { Drop(); }

  bool open() const { return connection_ != nullptr; }
  // On any thread; the request is gone afterwards. On the loop's thread it takes effect at once; from others it is posted.
  void Send(HttpResponse response);
  // An empty text with the capacity of an earlier answer's body, for the body of this one. The loop's thread.
  std::string TakeScratch();
  // The loop's thread. `head.body` is the first piece.
  ResponseStream BeginStream(HttpResponse head);
  // Calls `on_gone` once, on the loop's thread, when the client closes before it is answered; replaces an earlier one. An answer
  // may still be sent: a client that only closed its sending side gets it. The loop's thread.
  void OnClientGone(std::function<void()> on_gone);
  io::EventLoop& loop() const { return *loop_; }

 private:
  friend class Connection;
  Responder(Connection* connection, io::EventLoop* loop) : connection_(connection), loop_(loop) {}
  void Drop();
  Connection* connection_ = nullptr;
  io::EventLoop* loop_ = nullptr;
};

}  // namespace sluice::front::http
