// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A thread that decodes requests beside the loop, which has enough to do with sockets and the log.
//
//   loop: Decode(request, done) ─▶ queue ─▶ the thread: RequestDecoder ─▶ done(Decoded) ─▶ (posted to) loop: Gate::Admit

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "event/limits.h"
#include "ingest/ingest_request.h"
#include "ingest/request_decoder.h"
#include "io/env.h"

namespace sluice::ingest {

class DecodeThread {
 public:
  // Requests whose events are held at once: at hand, or decoded and not yet admitted. Behind them, requests wait as bytes.
  static constexpr size_t kDecodersMax = 8;

  class Decoded;
  using Done = std::function<void(Decoded)>;

  // What else is done with a request that was decoded and taken so far, on this thread.
  using Prepare = std::function<void(const IngestRequest&, RequestDecoder&)>;

  // `name`: of the thread. REQUIRES: limits.Validate() is ok.
  DecodeThread(io::Env env, const std::string& name, const event::DecodeLimits& limits, Prepare prepare);
  // Ends the thread. Requests that still wait are dropped with their `done`, uncalled.
  ~DecodeThread();
  DecodeThread(const DecodeThread&) = delete;

  // Any thread. `request` and all it points to must live until the Decoded is destroyed, or `done` is. `done` is called on this thread.
  // The queue has no bound of its own: callers ask in proportion to connections.
  void Decode(const IngestRequest& request, Done done);
  // A request is waiting, at hand, or decoded and in the hands of who was told. Any thread.
  bool busy() const;

 private:
  // A Decoded may be the last one to hold it: a loop that has stopped drops its tasks late.
  struct Shared;
  void Work();

  const event::DecodeLimits limits_;
  const Prepare prepare_;
  std::shared_ptr<Shared> shared_;
  std::unique_ptr<io::Thread> thread_;
};

// A request's events and what decoding said. Destroyed on any thread: its decoder is reused then.
class DecodeThread::Decoded {
 public:
  Decoded(std::shared_ptr<Shared> thread, std::unique_ptr<RequestDecoder> decoder, IngestOutcome said)
      : outcome(std::move(said)), thread_(std::move(thread)), decoder_(std::move(decoder)) {}
  Decoded(Decoded&&) noexcept = default;
  Decoded& operator=(Decoded&&) = delete;
  ~Decoded();
  RequestDecoder& decoder() { return *decoder_; }
  IngestOutcome outcome;

 private:
  std::shared_ptr<Shared> thread_;
  std::unique_ptr<RequestDecoder> decoder_;
};

}  // namespace sluice::ingest
