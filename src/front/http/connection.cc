// SPDX-License-Identifier: Apache-2.0
#include "front/http/connection.h"

#include <algorithm>
#include <cstring>

namespace sluice::front::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// Heads and the empty lines before them, and room behind for chunks.
constexpr size_t kInputBytesMax = kHeadBytesMax + 2 * kLeadingEmptyLinesMax + kReadBytesMin;
constexpr size_t kChunkedBodyBytesFirst = 4 << 10;

}  // namespace

Connection::Connection(ConnectionHost& host) : host_(host), timer_(host.loop(), [this] { OnDeadline(); }) {}

Connection::~Connection() {
  if (socket_.open()) host_.loop().Unwatch(socket_.descriptor());
}

Result<void> Connection::Open(io::Accepted accepted) {
  socket_ = std::move(accepted.socket);
  if (auto watched = host_.loop().Watch(socket_.descriptor(), io::Interest::kReadWriteEdge, *this); !watched.ok()) {
    socket_.Close();
    return watched;
  }
  peer_ = std::move(accepted.peer.host);
  released_ = readable_ = peer_closed_ = at_end_ = close_ = false;
  writable_ = true;
  begin_ = end_ = 0;
  sent_ = 0;
  scanner_.Reset();
  phase_ = Phase::kHead;
  ArmMs(host_.options().idle_timeout_ms);
  return {};
}

// Being driven -------------------------------------------------------------------------------------------------------------

void Connection::OnReady(io::Readiness ready) {
  readable_ |= ready.readable;
  writable_ |= ready.writable;
  peer_closed_ |= ready.peer_closed;
  bool exchanging = phase_ == Phase::kHandler || phase_ == Phase::kStream;
  if (exchanging && ready.failed) return Cut();
  if (exchanging && ready.peer_closed) NotifyIfGone();
  Advance();
}

void Connection::Advance() {
  if (advancing_) return;  // called from within a handler: the loop below goes on
  advancing_ = true;
  requests_this_turn_ = 0;
  while (Step()) {
  }
  advancing_ = false;
  Release();
}

// One transition. False: wait.
bool Connection::Step() {
  switch (phase_) {
    case Phase::kHead: return StepHead();
    case Phase::kLengthBody: return StepLengthBody();
    case Phase::kChunkedBody: return StepChunkedBody();
    case Phase::kAnswer: return StepAnswer();
    case Phase::kStream: return StepStream();
    case Phase::kLinger: return StepLinger();
    case Phase::kHandler:
    case Phase::kClosed: return false;
  }
  return false;
}

void Connection::OnDeadline() {
  const bool idle = phase_ == Phase::kHead && begin_ == end_;
  switch (phase_) {
    case Phase::kHead:
      host_.CountTimeout(idle ? "idle" : "head");
      if (idle) Close();
      else Refuse(Problem::kRequestTimeout, "the head did not arrive in time");
      break;
    case Phase::kLengthBody:
    case Phase::kChunkedBody:
      host_.CountTimeout("body");
      Refuse(Problem::kRequestTimeout, "the body did not arrive in time");
      break;
    case Phase::kAnswer:
    case Phase::kStream:
      host_.CountTimeout("write");
      io::ResetOnClose(socket_);
      Close();
      break;
    case Phase::kLinger:
      Close();
      break;
    case Phase::kHandler:
    case Phase::kClosed:
      break;
  }
  Advance();
}

void Connection::Drain() {
  close_ = true;
  if (phase_ == Phase::kHead && begin_ == end_) Cut();
}

void Connection::Cut() {
  Close();
  Release();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  host_.loop().Unwatch(socket_.descriptor());
  socket_.Close();
  timer_.Cancel();
  phase_ = Phase::kClosed;
  if (exchange_open_) NotifyGone();
}

// The request, its buffers and this object stay as they are until the exchange has ended, too.
void Connection::Release() {
  if (phase_ != Phase::kClosed || exchange_open_ || advancing_ || released_) return;
  released_ = true;
  request_.Clear();
  on_gone_ = nullptr;
  on_drained_ = nullptr;
  out_ = {};
  answer_body_ = {};
  scratch_ = {};
  host_.OnClosed(*this);
}

// A client that sent its request and closed only its sending side looks the same as one that went away: both are told so to
// the handler, and both get the answer if there is one. Bytes sent ahead hide the end, they are not read meanwhile.
void Connection::NotifyIfGone() {
  if (exchange_open_ && peer_closed_ && end_ == next_ && io::AtEnd(socket_)) NotifyGone();
}

void Connection::NotifyGone() {
  auto on_gone = std::exchange(on_gone_, nullptr);
  auto on_drained = phase_ == Phase::kClosed ? std::exchange(on_drained_, nullptr) : nullptr;
  if (on_gone) on_gone();
  if (on_drained) on_drained();
}

void Connection::SetOnGone(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  // The end may have come along with the request; told from the loop, so that the handler finishes first.
  if (peer_closed_ || phase_ == Phase::kClosed) {
    host_.loop().Post([this] {
      if (phase_ == Phase::kClosed && exchange_open_) NotifyGone();
      else if (phase_ != Phase::kClosed) NotifyIfGone();
    });
  }
}

// Receiving ----------------------------------------------------------------------------------------------------------------

// Bytes received; 0: nothing now, or at_end_.
size_t Connection::Fill(std::span<char> to) {
  if (!readable_) return 0;
  io::Transfer got = io::Receive(socket_, to);
  if (got.state == io::TransferState::kDone) {
    host_.CountReceived(got.bytes);
    // Less than asked for: the socket is empty, and the next byte will be reported. Unless the client's end is next.
    if (got.bytes < to.size() && !peer_closed_) readable_ = false;
    return got.bytes;
  }
  readable_ = false;
  at_end_ = got.state == io::TransferState::kClosed;
  return 0;
}

// Moves what was received from `from` on to the front, and grows, until there is `room` behind it. Invalidates views.
void Connection::MakeRoom(size_t from, size_t room) {
  if (input_capacity_ - end_ >= room) return;
  size_t kept = end_ - from;
  if (input_capacity_ < kept + room) {
    input_capacity_ = kept + room <= kInputBytes ? kInputBytes : std::max(kInputBytesMax, kept + room);
    auto larger = std::make_unique_for_overwrite<char[]>(input_capacity_);
    if (kept > 0) std::memcpy(larger.get(), input_.get() + from, kept);
    input_ = std::move(larger);
  } else {
    std::memmove(input_.get(), input_.get() + from, kept);
  }
  begin_ = 0;
  end_ = kept;
}

bool Connection::StepHead() {
  if (begin_ != end_) {
    auto found = scanner_.Scan({input_.get() + begin_, end_ - begin_});
    if (found.error) {
      request_.Clear();
      return Refuse(found.error->problem, found.error->detail);
    }
    if (found.end != 0) return StartRequest(found.start, found.end);
  }
  MakeRoom(begin_, 1);
  size_t got = Fill({input_.get() + end_, input_capacity_ - end_});
  if (got == 0) {
    if (at_end_) Close();
    return false;
  }
  if (begin_ == end_) ArmMs(host_.options().head_timeout_ms);
  end_ += got;
  return true;
}

// `start`, `end`: of the head, from begin_.
bool Connection::StartRequest(size_t start, size_t end) {
  begin_ += start;
  size_t size = end - start;
  // A chunked body is read behind the head, which stays where it is from now on.
  if (input_capacity_ - (begin_ + size) < kReadBytesMin) MakeRoom(begin_, size + kReadBytesMin - (end_ - begin_));
  head_end_ = next_ = begin_ + size;
  request_.Clear();
  route_ = nullptr;
  if (auto error = ParseHead({input_.get() + begin_, size}, request_, facts_)) return Refuse(error->problem, error->detail);
  request_.peer = peer_;
  close_ |= !facts_.keep_alive;
  return StartBody();
}

bool Connection::StartBody() {
  Router::Match match = host_.router().Find(request_);
  route_ = match.route;
  bool has_body = facts_.chunked || facts_.content_length.value_or(0) > 0;
  if (route_ == nullptr) {
    close_ |= has_body;  // it is not read
    HttpResponse response = AnswerWithoutRoute(host_.router(), match, request_);
    host_.CountRequest(nullptr, response.status);
    Respond(std::move(response));
    return true;
  }
  uint64_t length = facts_.content_length.value_or(0);
  if (length > route_->body_bytes_max) {
    return Refuse(Problem::kBodyTooLarge, "the body has " + std::to_string(length) + " bytes; here " + std::to_string(route_->body_bytes_max) + " are taken",
                  "send it in smaller parts");
  }
  if (!has_body) return Dispatch();
  if (facts_.expect_continue && end_ == head_end_) out_ = kContinue;
  ArmMs(host_.options().body_timeout_ms);
  BodyBuffer& body = request_.body_buffer();
  body = host_.bodies().Take(facts_.chunked ? kChunkedBodyBytesFirst : length);
  phase_ = facts_.chunked ? Phase::kChunkedBody : Phase::kLengthBody;
  if (facts_.chunked) {
    decoder_.Reset(route_->body_bytes_max);
    return true;
  }
  size_t here = std::min<size_t>(end_ - head_end_, length);
  std::memcpy(body.data(), input_.get() + head_end_, here);
  next_ = head_end_ + here;
  return body.Grew(here) || Refuse(Problem::kUnavailable, "too many bytes of requests are in memory");
}

bool Connection::StepLengthBody() {
  if (!SendInterim()) return false;
  BodyBuffer& body = request_.body_buffer();
  size_t missing = static_cast<size_t>(*facts_.content_length) - body.size();
  if (missing == 0) return Dispatch();
  size_t got = Fill({body.end(), missing});
  if (got == 0) {
    if (at_end_) Close();
    return false;
  }
  return body.Grew(got) || Refuse(Problem::kUnavailable, "too many bytes of requests are in memory");
}

bool Connection::StepChunkedBody() {
  if (!SendInterim()) return false;
  std::string_view input(input_.get() + next_, end_ - next_);
  auto outcome = decoder_.Decode(input, request_.body_buffer());
  next_ = end_ - input.size();
  switch (outcome) {
    case ChunkedDecoder::Outcome::kDone: return Dispatch();
    case ChunkedDecoder::Outcome::kMalformed: return Refuse(Problem::kMalformedRequest, "the chunks of the body are malformed");
    case ChunkedDecoder::Outcome::kExhausted: return Refuse(Problem::kUnavailable, "too many bytes of requests are in memory");
    case ChunkedDecoder::Outcome::kTooLarge:
      return Refuse(Problem::kBodyTooLarge, "the body has more than the " + std::to_string(route_->body_bytes_max) + " bytes that are taken here",
                    "send it in smaller parts");
    case ChunkedDecoder::Outcome::kMore: break;
  }
  next_ = end_ = head_end_;
  size_t got = Fill({input_.get() + end_, input_capacity_ - end_});
  end_ += got;
  if (got == 0 && at_end_) Close();
  return got > 0;
}

bool Connection::Dispatch() {
  timer_.Cancel();
  request_.body_buffer().Seal();
  phase_ = Phase::kHandler;
  exchange_open_ = true;
  route_->handler(request_, Responder(this, &host_.loop()));
  return phase_ != Phase::kHandler;
}

}  // namespace sluice::front::http
