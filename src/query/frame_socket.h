// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Frames over a Unix stream socket, with descriptors. Stream sockets never merge bytes across a message that carried a
// descriptor, so a read that starts at a header gets the descriptor of that frame.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "io/clock.h"
#include "query/protocol.h"

namespace sluice::query {

// A descriptor that is closed with its owner.
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int fd) : fd_(fd) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedDescriptor();
  int get() const { return fd_; }
  // Gives it away.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Frame {
  FrameHeader header{};
  std::string payload;
  OwnedDescriptor descriptor;
};

enum class ReceiveStatus : uint8_t {
  kFrame,
  kNothing,  // the timeout passed, `wake` was readable, or only a part of a frame is there yet: look around and call again
  kClosed,   // the peer is gone, or broke the protocol
};

// Send from any thread, Receive from one.
class FrameSocket {
 public:
  // Takes `fd` over. With a clock no call waits longer than it says; without (in the worker) they block.
  FrameSocket(int fd, io::Clock* clock) : fd_(fd), clock_(clock) {}

  // Two connected ends. kExhausted: no more descriptors.
  static Result<std::pair<OwnedDescriptor, OwnedDescriptor>> Pair();

  // `descriptor` (or -1) stays the caller's. kExhausted: more than kFrameBytesMax, nothing was sent. kUnavailable: the peer is gone, or took nothing for kSendTimeoutMs: the socket is of no use any more.
  Result<void> Send(MessageType type, uint64_t statement, std::string_view payload, int descriptor = -1);

  // Waits at most `timeout_us` (ignored without a clock), or until `wake` (a descriptor, or -1) is readable.
  ReceiveStatus Receive(Frame& out, int64_t timeout_us = -1, int wake = -1);

  static constexpr int64_t kSendTimeoutMs = 10'000;

 private:
  // Reads what is there. kFrame: the frame in `partial_` is complete.
  ReceiveStatus ReadSome();
  bool HeaderComplete();

  OwnedDescriptor fd_;
  io::Clock* clock_;
  std::mutex send_mutex_;  // one frame is written whole; io is what it protects
  Frame partial_;
  size_t header_bytes_ = 0, payload_bytes_ = 0;
};

}  // namespace sluice::query
