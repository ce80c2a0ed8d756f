// SPDX-License-Identifier: Apache-2.0
#include "query/worker/server_channel.h"

#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace sluice::query {
namespace {

constexpr int kExitServerGone = 0;
constexpr int kExitBrokenServer = 3;

}  // namespace

ServerChannel::ServerChannel(int fd) : socket_(fd, nullptr), reader_([this] { ReadForever(); }) { reader_.detach(); }

Result<std::vector<TableName>> ServerChannel::ListTables() {
  if (statement_ == 0) return std::vector<TableName>();  // while the worker starts there is no view
  return DecodeTables(Ask(MessageType::kList, "").payload);
}

Result<std::optional<BoundTable>> ServerChannel::Bind(const BindMessage& message) {
  ASSIGN_OR_RETURN(auto bound, DecodeBound(Ask(MessageType::kBind, Encode(message)).payload));
  if (bound.status == BoundStatus::kFailed) return Refused(bound.error);
  if (bound.status == BoundStatus::kMissing) return std::optional<BoundTable>();
  return std::optional<BoundTable>(std::move(bound.table));
}

Result<std::vector<ScannedFile>> ServerChannel::Scan(const ScanMessage& message) {
  std::vector<ScannedFile> files;
  std::lock_guard ask(ask_mutex_);
  Send(MessageType::kScan, statement_, Encode(message));
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(auto part, DecodeScanned(NextAnswer().payload));
    if (part.error) return Refused(*part.error);
    for (auto& file : part.files) files.push_back(std::move(file));
    more = part.more;
  }
  return files;
}

Result<OwnedDescriptor> ServerChannel::Open(uint64_t file) {
  auto answer = Ask(MessageType::kOpen, EncodeNumber(file));
  ASSIGN_OR_RETURN(auto error, DecodeOpened(answer.payload));
  if (error) return Refused(*error);
  if (answer.descriptor.get() < 0) return Error{ErrorCode::kCorruption, "an opened message without a descriptor", ""};
  return std::move(answer.descriptor);
}

Result<std::optional<QueryMessage>> ServerChannel::NextQuery() {
  Frame frame;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !statements_.empty(); });
    frame = std::move(statements_.front());
    statements_.pop_front();
    if (frame.header.type == MessageType::kQuery) {
      statement_ = frame.header.statement;
      in_flight_bytes_ = 0;
      failure_.reset();
    }
  }
  if (frame.header.type == MessageType::kTrim) return std::optional<QueryMessage>();
  ASSIGN_OR_RETURN(auto query, DecodeQuery(frame.payload));
  return std::optional<QueryMessage>(std::move(query));
}

bool ServerChannel::SendResult(std::string_view bytes) {
  auto size = static_cast<int64_t>(bytes.size());
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return in_flight_bytes_ + size <= kResultWindowBytes || cancelled_ == statement_; });
    if (cancelled_ == statement_) return false;
    in_flight_bytes_ += size;
  }
  Send(MessageType::kResult, statement_, bytes);
  return true;
}

void ServerChannel::SendDone(const DoneMessage& message) { Send(MessageType::kDone, statement_, Encode(message)); }

void ServerChannel::SendReady() { Send(MessageType::kReady, 0, ""); }

std::optional<QueryError> ServerChannel::failure() {
  std::lock_guard lock(mutex_);
  return failure_;
}

bool ServerChannel::cancelled() {
  std::lock_guard lock(mutex_);
  return cancelled_ == statement_;
}

void ServerChannel::OnCancel(std::function<void()> interrupt) {
  std::lock_guard lock(mutex_);
  interrupt_ = std::move(interrupt);
}

Frame ServerChannel::Ask(MessageType type, std::string_view payload) {
  std::lock_guard ask(ask_mutex_);
  Send(type, statement_, payload);
  return NextAnswer();
}

Frame ServerChannel::NextAnswer() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !answers_.empty(); });
  auto frame = std::move(answers_.front());
  answers_.pop_front();
  return frame;
}

void ServerChannel::Send(MessageType type, uint64_t statement, std::string_view payload) {
  if (!socket_.Send(type, statement, payload).ok()) _exit(kExitServerGone);
}

Error ServerChannel::Refused(const QueryError& error) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  return Error{ErrorCode::kUnavailable, error.message, error.hint};
}

void ServerChannel::ReadForever() {
  for (Frame frame; socket_.Receive(frame) == ReceiveStatus::kFrame;) Take(std::move(frame));
  _exit(kExitServerGone);
}

void ServerChannel::Take(Frame frame) {
  std::lock_guard lock(mutex_);
  switch (frame.header.type) {
    case MessageType::kQuery:
    case MessageType::kTrim: statements_.push_back(std::move(frame)); break;
    case MessageType::kTables:
    case MessageType::kBound:
    case MessageType::kScanned:
    case MessageType::kOpened: answers_.push_back(std::move(frame)); break;
    case MessageType::kCredit:
      if (auto bytes = DecodeNumber(frame.payload); bytes.ok() && frame.header.statement == statement_) in_flight_bytes_ -= static_cast<int64_t>(*bytes);
      break;
    case MessageType::kCancel:
      cancelled_ = frame.header.statement;
      if (cancelled_ == statement_ && interrupt_) interrupt_();
      break;
    default: _exit(kExitBrokenServer);
  }
  changed_.notify_all();
}

}  // namespace sluice::query
