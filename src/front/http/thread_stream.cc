// SPDX-License-Identifier: Apache-2.0
#include "front/http/thread_stream.h"

#include <atomic>
#include <utility>

#include "base/check.h"

namespace sluice::front::http {

struct ThreadStream::Shared {
  Shared(io::Threads& threads, std::function<void()> told) : changed(threads.NewSignal()), on_gone(std::move(told)) {}
  const std::unique_ptr<io::Signal> changed;  // rung by the loop; the writer waits
  std::atomic<size_t> waiting{0};             // bytes that were written here and that the loop has not taken
  std::atomic<bool> full{false};              // the loop's stream said so
  std::atomic<bool> gone{false};
  // The loop's thread only.
  std::function<void()> on_gone;
  Responder responder;
  ResponseStream stream;

  void Gone() {
    gone = true;
    if (auto tell = std::exchange(on_gone, {})) tell();
    changed->Notify();
  }
  void Take(const std::string& bytes) {
    StreamState state = stream.open() ? stream.Write(bytes) : StreamState::kGone;
    full = state == StreamState::kFull;
    waiting -= bytes.size();
    if (state == StreamState::kGone) Gone();
    else changed->Notify();
  }
  void Drained() {
    full = false;
    changed->Notify();
  }
};

ThreadStream::ThreadStream(io::Threads& threads, Responder responder, std::function<void()> on_gone)
    : shared_(std::make_shared<Shared>(threads, std::move(on_gone))), loop_(&responder.loop()) {
  // The responder is set up and used on the loop's thread from here on; what it holds of `shared_` is weak, or both would live on.
  loop_->Post([shared = shared_, taken = std::move(responder)]() mutable {
    shared->responder = std::move(taken);
    shared->responder.OnClientGone([weak = std::weak_ptr(shared)] {
      if (auto alive = weak.lock()) alive->Gone();
    });
  });
}

ThreadStream& ThreadStream::operator=(ThreadStream&& other) noexcept {
  if (this == &other) return *this;
  Abort();
  shared_ = std::move(other.shared_);
  loop_ = other.loop_;
  return *this;
}

bool ThreadStream::gone() const { return shared_ == nullptr || shared_->gone; }

void ThreadStream::Send(HttpResponse response) {
  CHECK(shared_ != nullptr, "the stream has ended");
  loop_->Post([shared = std::move(shared_), response = std::move(response)]() mutable { shared->responder.Send(std::move(response)); });
}

void ThreadStream::Begin(HttpResponse head) {
  CHECK(shared_ != nullptr, "the stream has ended");
  loop_->Post([shared = shared_, head = std::move(head)]() mutable {
    shared->stream = shared->responder.BeginStream(std::move(head));
    shared->stream.OnDrained([weak = std::weak_ptr(shared)] {
      if (auto alive = weak.lock()) alive->Drained();
    });
  });
}

Result<void> ThreadStream::Write(std::string bytes) {
  CHECK(shared_ != nullptr, "the stream has ended");
  shared_->waiting += bytes.size();
  loop_->Post([shared = shared_, bytes = std::move(bytes)] { shared->Take(bytes); });
  while (!shared_->gone && (shared_->full || shared_->waiting > kStreamBytesMax)) shared_->changed->Wait();
  if (shared_->gone) return Error{ErrorCode::kCancelled, "the client went away"};
  return {};
}

void ThreadStream::End() {
  CHECK(shared_ != nullptr, "the stream has ended");
  loop_->Post([shared = std::move(shared_)] {
    if (shared->stream.open()) shared->stream.End();
  });
}

void ThreadStream::Abort() {
  if (shared_ == nullptr) return;
  loop_->Post([shared = std::move(shared_)] {
    shared->stream.Abort();
    shared->responder = Responder();  // never begun: answered with 500
  });
}

}  // namespace sluice::front::http
