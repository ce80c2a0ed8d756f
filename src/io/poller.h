// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Waits for descriptors: what an EventLoop stands on. Made by a Network (io/sockets.h), for descriptors of the same world.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace sluice::io {

// What a descriptor is ready for.
struct Readiness {
  bool readable = false;
  bool writable = false;
  bool peer_closed = false;  // the peer will send no more; it may still read
  bool failed = false;       // reset, or closed in both directions
};

// What to wait for. Edge: told once per change, so the handler goes on until the call would block; saves a system call a request.
enum class Interest : uint8_t { kNone = 0, kRead = 1, kWrite = 2, kReadWrite = 3, kReadWriteEdge = 7 };

// One descriptor's news. `tag` is what it was added with.
struct PollEvent {
  uint64_t tag = 0;
  Readiness ready;
};

// One thread calls it, except Wake. Descriptors are of sockets (Socket::descriptor), of signals (Signal::descriptor), in the real
// world of anything.
class Poller {
 public:
  virtual ~Poller() = default;
  // kExhausted, kIo: it is not added. REQUIRES: not added yet. `tag` is not UINT64_MAX.
  virtual Result<void> Add(int descriptor, Interest interest, uint64_t tag) = 0;
  // REQUIRES: added.
  virtual Result<void> Modify(int descriptor, Interest interest, uint64_t tag) = 0;
  // Before the descriptor is closed. Success when it was not added. May be called by destructors.
  virtual void Remove(int descriptor) = 0;
  // Until something is ready, somebody calls Wake, or `timeout_ns` passed (negative: never). How many of `events` it filled; there may
  // be more. 0: none, which may happen at any time. kIo: the kernel refused to wait. A scheduling point.
  virtual Result<size_t> Wait(std::span<PollEvent> events, int64_t timeout_ns) = 0;
  // Any thread. The present or the next Wait returns; several are one.
  virtual void Wake() = 0;
};

}  // namespace sluice::io
