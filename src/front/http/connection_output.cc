// SPDX-License-Identifier: Apache-2.0
//
// The second half of a connection: answers, whole and streamed, and what comes after them.

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "front/http/connection.h"

namespace sluice::front::http {

// Refuses what was received and closes behind the answer: where the next request starts is not known, or not waited for.
bool Connection::Refuse(Problem problem, std::string_view detail, std::string_view hint) {
  close_ = true;
  HttpResponse response = ProblemResponse(problem, detail, hint);
  host_.CountRequest(route_, response.status);
  Respond(std::move(response));
  return true;
}

void Connection::Respond(HttpResponse response) {
  close_ |= host_.stopping();
  answer_body_ = std::move(response.body);
  BeginAnswer(response, Framing::kLength, answer_body_.size());
  if (request_.method == Method::kHead || response.status == 204 || response.status == 304) answer_body_.clear();
  request_.body_buffer().Release();
  timer_.Cancel();
  phase_ = Phase::kAnswer;
}

// A head, behind what is left of a 100 Continue.
void Connection::BeginAnswer(const HttpResponse& response, Framing framing, uint64_t length) {
  const std::string interim = sent_ == out_.size() ? std::string() : out_.substr(sent_);
  FormatHead(out_, response, framing, length, close_, host_.Date());
  if (!interim.empty()) out_.insert(0, interim);
  sent_ = sent_since_armed_ = 0;
}

// A 100 Continue, as far as there is room: the answer before it may still fill the connection. False: the client is gone, and this is
// closed.
bool Connection::SendInterim() {
  while (sent_ < out_.size() && writable_) {
    const io::Transfer sent = io::Send(socket_, std::string_view(out_).substr(sent_));
    if (sent.state == io::TransferState::kClosed) {
      Close();
      return false;
    }
    writable_ = sent.state == io::TransferState::kDone;
    host_.CountSent(sent.bytes);
    sent_ += sent.bytes;
  }
  return true;
}

void Connection::Answer(HttpResponse response) {
  CHECK(exchange_open_, "a request is answered once");
  CHECK(response.status >= 200 && response.status <= 599, "not a final status");
  exchange_open_ = false;
  on_gone_ = nullptr;
  host_.CountRequest(route_, response.status);
  if (phase_ == Phase::kClosed) return Release();
  Respond(std::move(response));
  Advance();
}

// Sends what is there. False: the client is slow, or gone (then this is closed).
bool Connection::SendSome() {
  while (pending() > 0) {
    if (!writable_) return false;
    auto head = std::string_view(out_).substr(std::min(sent_, out_.size()));
    auto body = std::string_view(answer_body_).substr(sent_ - std::min(sent_, out_.size()));
    io::Transfer sent = io::Send(socket_, head, body);
    if (sent.state == io::TransferState::kClosed) {
      Close();
      return false;
    }
    if (sent.state == io::TransferState::kWouldBlock) {
      writable_ = false;
      if (timer_.armed() && sent_since_armed_ < kWriteProgressBytes) return false;
      sent_since_armed_ = 0;
      ArmMs(host_.options().write_timeout_ms);
      return false;
    }
    host_.CountSent(sent.bytes);
    sent_ += sent.bytes;
    sent_since_armed_ += sent.bytes;
  }
  timer_.Cancel();
  return true;
}

bool Connection::StepAnswer() { return SendSome() && AnswerDone(); }

bool Connection::AnswerDone() {
  scratch_ = std::move(answer_body_);
  scratch_.clear();
  answer_body_.clear();
  out_.clear();
  sent_ = 0;
  if (!close_ && !host_.stopping()) return NextRequest();
  if (at_end_) {
    Close();
    return false;
  }
  // Closing with unread bytes would send a reset, and that may overtake the answer.
  io::ShutDownSending(socket_);
  phase_ = Phase::kLinger;
  lingered_ = 0;
  readable_ = true;
  ArmMs(host_.options().linger_timeout_ms);
  return true;
}

bool Connection::StepLinger() {
  MakeRoom(end_, kReadBytesMin);
  begin_ = end_ = 0;
  size_t got = Fill({input_.get(), input_capacity_});
  lingered_ += got;
  if (at_end_ || lingered_ > kLingerBytesMax) Close();
  return got > 0;
}

bool Connection::NextRequest() {
  request_.Clear();
  route_ = nullptr;
  begin_ = next_;
  if (begin_ == end_) begin_ = end_ = 0;
  scanner_.Reset();
  if (out_.capacity() > kIdleBytesMax) out_ = {};
  if (scratch_.capacity() > kIdleBytesMax) scratch_ = {};
  phase_ = Phase::kHead;
  ArmMs(begin_ == end_ ? host_.options().idle_timeout_ms : host_.options().head_timeout_ms);
  if (++requests_this_turn_ < kRequestsPerTurn) return true;
  host_.loop().Post([this] { Advance(); });
  return false;
}

// Streaming ----------------------------------------------------------------------------------------------------------------

void Connection::BeginStream(HttpResponse head) {
  host_.CountRequest(route_, head.status);
  full_ = stream_ended_ = false;
  if (phase_ == Phase::kClosed) return;
  chunked_answer_ = request_.version == 11;
  close_ |= !chunked_answer_ || host_.stopping();
  BeginAnswer(head, chunked_answer_ ? Framing::kChunked : Framing::kClose, 0);
  answer_body_.clear();
  request_.body_buffer().Release();
  phase_ = Phase::kStream;
  AppendPiece(head.body);
  Advance();
}

void Connection::AppendPiece(std::string_view bytes) {
  // An empty chunk would end the body.
  if (bytes.empty() || request_.method == Method::kHead) return;
  if (sent_ > kStreamBytesResume) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
  if (chunked_answer_) {
    char size[16];
    auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
    out_.append(size, end);
    out_ += "\r\n";
  }
  out_ += bytes;
  if (chunked_answer_) out_ += "\r\n";
}

StreamState Connection::WriteStream(std::string_view bytes) {
  if (phase_ == Phase::kClosed) return StreamState::kGone;
  AppendPiece(bytes);
  Advance();
  if (phase_ == Phase::kClosed) return StreamState::kGone;
  full_ = pending() > kStreamBytesMax;
  return full_ ? StreamState::kFull : StreamState::kReady;
}

bool Connection::StepStream() {
  bool all_sent = SendSome();
  if (phase_ == Phase::kClosed) return false;
  if (all_sent) {
    out_.clear();
    sent_ = 0;
    if (stream_ended_) return AnswerDone();
  }
  if (!full_ || pending() > kStreamBytesResume) return false;
  full_ = false;
  auto on_drained = on_drained_;  // a copy: it may set another
  if (!on_drained) return false;
  on_drained();
  return phase_ == Phase::kStream && (pending() > 0 ? writable_ : stream_ended_);
}

void Connection::EndStream() {
  CHECK(exchange_open_, "a stream ends once");
  exchange_open_ = false;
  on_gone_ = on_drained_ = nullptr;
  if (phase_ == Phase::kClosed) return Release();
  if (chunked_answer_ && request_.method != Method::kHead) out_ += "0\r\n\r\n";
  stream_ended_ = true;
  Advance();
}

void Connection::AbortStream() {
  CHECK(exchange_open_, "a stream ends once");
  exchange_open_ = false;
  on_gone_ = on_drained_ = nullptr;
  if (phase_ == Phase::kClosed) return Release();
  close_ = stream_ended_ = true;  // what was written still goes out; its end is missing
  if (!chunked_answer_) {
    io::ResetOnClose(socket_);    // without chunks an orderly end would look like success
    Close();
  }
  Advance();
}

}  // namespace sluice::front::http
