// SPDX-License-Identifier: Apache-2.0
#include "front/http/responder.h"

#include "base/check.h"
#include "front/http/connection.h"
#include "front/http/problems.h"

namespace sluice::front::http {

// A connection stays where it is until its exchange has ended, so a plain pointer to it can wait in the loop's queue.

ResponseStream& ResponseStream::operator=(ResponseStream&& other) noexcept {
  if (this == &other) return *this;
  Abort();
  connection_ = std::exchange(other.connection_, nullptr);
  loop_ = other.loop_;
  return *this;
}

StreamState ResponseStream::Write(std::string_view bytes) {
  CHECK(open(), "write to a stream that has ended");
  return connection_->WriteStream(bytes);
}

void ResponseStream::OnDrained(std::function<void()> on_drained) {
  CHECK(open(), "the stream has ended");
  connection_->SetOnDrained(std::move(on_drained));
}

void ResponseStream::End() {
  CHECK(open(), "the stream has ended already");
  std::exchange(connection_, nullptr)->EndStream();
}

void ResponseStream::Abort() {
  Connection* connection = std::exchange(connection_, nullptr);
  if (connection == nullptr) return;
  if (loop_->OnOwnThread()) connection->AbortStream();
  else loop_->Post([connection] { connection->AbortStream(); });
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this == &other) return *this;
  Drop();
  connection_ = std::exchange(other.connection_, nullptr);
  loop_ = other.loop_;
  return *this;
}

void Responder::Send(HttpResponse response) {
  Connection* connection = std::exchange(connection_, nullptr);
  CHECK(connection != nullptr, "a request is answered once");
  if (loop_->OnOwnThread()) return connection->Answer(std::move(response));
  loop_->Post([connection, response = std::move(response)]() mutable { connection->Answer(std::move(response)); });
}

std::string Responder::TakeScratch() { return connection_->TakeScratch(); }

ResponseStream Responder::BeginStream(HttpResponse head) {
  Connection* connection = std::exchange(connection_, nullptr);
  CHECK(connection != nullptr, "a request is answered once");
  connection->BeginStream(std::move(head));
  return ResponseStream(connection, loop_);
}

void Responder::OnClientGone(std::function<void()> on_gone) {
  CHECK(open(), "the request was answered");
  connection_->SetOnGone(std::move(on_gone));
}

void Responder::Drop() {
  if (connection_ == nullptr) return;
  Send(ProblemResponse(Problem::kInternal, "the server gave no answer to this request", "see the server's log"));
}

}  // namespace sluice::front::http
