// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One client's connection: a state machine that the loop drives.
//
//   head ─▶ body ─▶ handler ─▶ answer ─┬─▶ head          one request at a time; what the client sends ahead waits
//     │       │        └────▶ stream ──┤
//     └───────┴── refused ─▶ answer    └─▶ linger ─▶ closed
//
// Heads are read into the connection's own buffer, bodies of a known length straight into a pooled one. Edge-triggered: a step
// goes on until the socket has nothing more, so that a request costs no call to epoll_ctl.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "front/http/chunked_decoder.h"
#include "front/http/http_message.h"
#include "front/http/http_options.h"
#include "front/http/http_parser.h"
#include "front/http/responder.h"
#include "front/http/router.h"
#include "io/event_loop.h"
#include "io/metrics.h"
#include "io/sockets.h"

namespace sluice::front::http {

// What a connection needs of the server that owns it. The loop's thread only.
class ConnectionHost {
 public:
  virtual io::EventLoop& loop() = 0;
  virtual const Router& router() = 0;
  virtual const HttpOptions& options() = 0;
  virtual BodyPool& bodies() = 0;
  virtual std::string_view Date() = 0;
  virtual bool stopping() = 0;
  virtual void CountRequest(const Route* route, int status) = 0;
  virtual void CountReceived(size_t bytes) = 0;
  virtual void CountSent(size_t bytes) = 0;
  virtual void CountTimeout(const char* phase) = 0;
  // The connection is closed and nobody holds its responder: it may be opened again for another client.
  virtual void OnClosed(Connection& connection) = 0;

 protected:
  ~ConnectionHost() = default;
};

// The loop's thread only. `host` must outlive it.
class Connection final : public io::EventHandler {
 public:
  explicit Connection(ConnectionHost& host);
  ~Connection() override;

  // Serves `accepted`. An error: it is closed again, OnClosed is not called.
  Result<void> Open(io::Accepted accepted);
  void OnReady(io::Readiness ready) override;
  // Closes now when no request has begun, otherwise behind the answer to the present one.
  void Drain();
  // Closes at once; a handler at work is told that its client is gone.
  void Cut();
  const std::string& peer_host() const { return peer_; }

  // For Responder and ResponseStream. ------------------------------------------------------------------------------------
  void Answer(HttpResponse response);
  void BeginStream(HttpResponse head);
  StreamState WriteStream(std::string_view bytes);
  void EndStream();
  void AbortStream();
  void SetOnGone(std::function<void()> on_gone);
  void SetOnDrained(std::function<void()> on_drained) { on_drained_ = std::move(on_drained); }
  std::string TakeScratch() { return std::move(scratch_); }

 private:
  enum class Phase : uint8_t { kHead, kLengthBody, kChunkedBody, kHandler, kAnswer, kStream, kLinger, kClosed };

  void Advance();
  bool Step();
  bool StepHead();
  bool StartRequest(size_t start, size_t end);
  bool StartBody();
  bool StepLengthBody();
  bool StepChunkedBody();
  bool Dispatch();
  bool StepAnswer();
  bool StepStream();
  bool StepLinger();
  bool AnswerDone();
  bool NextRequest();
  bool Refuse(Problem problem, std::string_view detail, std::string_view hint = {});
  void Respond(HttpResponse response);
  void OnDeadline();
  void NotifyIfGone();
  void NotifyGone();
  void Close();
  void Release();

  size_t Fill(std::span<char> to);
  bool SendSome();
  bool SendInterim();
  void BeginAnswer(const HttpResponse& response, Framing framing, uint64_t length);
  void MakeRoom(size_t from, size_t room);
  void AppendPiece(std::string_view bytes);
  void ArmMs(int64_t ms) { timer_.Arm(ms * 1000); }
  size_t pending() const { return out_.size() + answer_body_.size() - sent_; }

  ConnectionHost& host_;
  io::Socket socket_;
  std::string peer_;
  io::Timer timer_;
  Phase phase_ = Phase::kClosed;
  bool advancing_ = false;      // Advance is on the stack
  bool released_ = true;        // the host knows that this is closed
  bool readable_ = false;       // the socket may have bytes
  bool writable_ = false;       // the socket may have room
  bool peer_closed_ = false;    // the kernel reported the client's end; bytes before it may wait
  bool at_end_ = false;         // and they were read
  bool close_ = false;          // after this answer
  bool exchange_open_ = false;  // a Responder or ResponseStream of ours exists

  // Input: [begin_, end_) was received and belongs to the present request or to later ones.
  std::unique_ptr<char[]> input_;
  size_t input_capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t head_end_ = 0;
  size_t next_ = 0;  // where the next request starts; in a chunked body: what was decoded
  HeadScanner scanner_;
  HttpRequest request_;
  HeadFacts facts_;
  ChunkedDecoder decoder_;
  const Route* route_ = nullptr;
  int requests_this_turn_ = 0;

  // Output: out_, then answer_body_, of both together sent_ bytes are gone. While a body arrives, out_ is a 100 Continue or nothing.
  std::string out_;
  std::string answer_body_;
  std::string scratch_;
  size_t sent_ = 0;
  size_t sent_since_armed_ = 0;
  size_t lingered_ = 0;
  bool chunked_answer_ = false;
  bool full_ = false;
  bool stream_ended_ = false;
  std::function<void()> on_gone_;
  std::function<void()> on_drained_;
};

}  // namespace sluice::front::http
