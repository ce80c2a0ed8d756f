// SPDX-License-Identifier: Apache-2.0
#include "query/frame_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::query {
namespace {

union Control {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

// Waits until `fd` is ready for `events` or `wake` is readable.
void WaitReady(int fd, short events, int64_t timeout_us, int wake) {
  pollfd fds[2] = {{fd, events, 0}, {wake, POLLIN, 0}};
  timespec timeout{timeout_us / 1'000'000, timeout_us % 1'000'000 * 1'000};
  ppoll(fds, wake < 0 ? 1 : 2, timeout_us < 0 ? nullptr : &timeout, nullptr);  // an interrupted wait is an early end
}

// Takes the descriptor that came along, closing any that nobody asked for.
void TakeDescriptors(msghdr& message, OwnedDescriptor& to) {
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      to = OwnedDescriptor(fd);
    }
  }
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  if (fd_ >= 0) close(fd_);
}

Result<std::pair<OwnedDescriptor, OwnedDescriptor>> FrameSocket::Pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    return Error{ErrorCode::kExhausted, "no socket pair for a worker: " + std::string(strerror(errno)), "raise the limit of open files"};
  return std::pair(OwnedDescriptor(fds[0]), OwnedDescriptor(fds[1]));
}

Result<void> FrameSocket::Send(MessageType type, uint64_t statement, std::string_view payload, int descriptor) {
  if (payload.size() > kFrameBytesMax) return Error{ErrorCode::kExhausted, "a message to a SQL worker is too long", ""};
  FrameHeader header{static_cast<uint32_t>(payload.size()), type, static_cast<uint16_t>(descriptor >= 0 ? 1 : 0), statement};
  iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(payload.data()), payload.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  Control control{};
  if (descriptor >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    auto* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
  }
  std::lock_guard lock(send_mutex_);
  const int64_t deadline_ns = clock_ == nullptr ? 0 : clock_->MonotonicNs() + kSendTimeoutMs * 1'000'000;
  for (size_t left = sizeof header + payload.size(); left > 0;) {
    ssize_t n = sendmsg(fd_.get(), &message, MSG_NOSIGNAL | (clock_ == nullptr ? 0 : MSG_DONTWAIT));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN && clock_ != nullptr) {
      int64_t wait_ns = deadline_ns - clock_->MonotonicNs();
      if (wait_ns <= 0) return Error{ErrorCode::kUnavailable, "the worker takes no messages", ""};
      WaitReady(fd_.get(), POLLOUT, wait_ns / 1'000 + 1, -1);
      continue;
    }
    if (n < 0) return Error{ErrorCode::kUnavailable, "the other side is gone", ""};
    left -= static_cast<size_t>(n);
    message.msg_control = nullptr;  // it went with the first byte
    message.msg_controllen = 0;
    for (auto& part : parts) {
      size_t k = std::min(static_cast<size_t>(n), part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + k;
      part.iov_len -= k;
      n -= static_cast<ssize_t>(k);
    }
  }
  return {};
}

ReceiveStatus FrameSocket::Receive(Frame& out, int64_t timeout_us, int wake) {
  auto status = ReadSome();
  if (status == ReceiveStatus::kNothing && clock_ != nullptr) {
    WaitReady(fd_.get(), POLLIN, timeout_us, wake);
    status = ReadSome();
  }
  if (status != ReceiveStatus::kFrame) return status;
  out = std::move(partial_);
  partial_ = Frame{};
  header_bytes_ = payload_bytes_ = 0;
  return status;
}

bool FrameSocket::HeaderComplete() {
  auto& h = partial_.header;
  if (h.bytes > kFrameBytesMax || h.descriptors > 1 || (h.descriptors == 1) != (partial_.descriptor.get() >= 0)) return false;
  partial_.payload.resize(h.bytes);
  return true;
}

ReceiveStatus FrameSocket::ReadSome() {
  while (header_bytes_ < sizeof(FrameHeader) || payload_bytes_ < partial_.payload.size()) {
    bool in_header = header_bytes_ < sizeof(FrameHeader);
    iovec part = in_header ? iovec{reinterpret_cast<char*>(&partial_.header) + header_bytes_, sizeof(FrameHeader) - header_bytes_}
                           : iovec{partial_.payload.data() + payload_bytes_, partial_.payload.size() - payload_bytes_};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control{};
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    ssize_t n = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC | (clock_ == nullptr ? 0 : MSG_DONTWAIT));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return ReceiveStatus::kNothing;
    if (n <= 0 || (message.msg_flags & MSG_CTRUNC) != 0) return ReceiveStatus::kClosed;
    TakeDescriptors(message, partial_.descriptor);
    (in_header ? header_bytes_ : payload_bytes_) += static_cast<size_t>(n);
    if (in_header && header_bytes_ == sizeof(FrameHeader) && !HeaderComplete()) return ReceiveStatus::kClosed;
  }
  return ReceiveStatus::kFrame;
}

}  // namespace sluice::query
