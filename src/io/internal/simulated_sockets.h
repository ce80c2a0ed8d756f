// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Connections that obey a seed: what processes of one world send each other.
//
//   Send ─▶ pieces on their way, in order, each with a time of arrival ─▶ Receive          a window bounds what is on its way or not received
//   Close ─▶ an end behind the last piece, or a reset, which may overtake pieces and throw away what was not received
//
// Nobody carries anything: what a socket shows is a function of the time, and a poller sleeps until the next arrival.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "io/internal/seeded_random.h"
#include "io/internal/simulated_scheduler.h"
#include "io/simulated_world.h"
#include "io/sockets.h"

namespace sluice::io {

// Who waits for descriptors hears of changes.
class SimulatedWaiter {
 public:
  virtual void OnChange() = 0;

 protected:
  ~SimulatedWaiter() = default;
};

// What stands behind a descriptor.
class SimulatedPollable {
 public:
  static constexpr int64_t kNever = INT64_MAX;
  struct State {
    Readiness ready;
    uint64_t changes = 0;  // grows with everything that is told once
    int64_t next_ns = kNever;  // when it changes by itself
  };
  virtual State At(int64_t now_ns) const = 0;
  void Changed() {
    if (waiter != nullptr) waiter->OnChange();
  }
  SimulatedWaiter* waiter = nullptr;

 protected:
  ~SimulatedPollable() = default;
};

// One direction of a connection.
struct SimulatedPipe {
  struct Piece {
    int64_t arrives_ns;
    std::string bytes;
  };
  std::deque<Piece> pieces;
  size_t taken = 0;  // of the first one
  size_t held = 0;   // bytes that were sent and not received
  uint64_t gone = 0;  // pieces that were received or lost
  int64_t last_ns = 0;
  int64_t end_ns = -1, reset_ns = -1;  // when they arrive; -1: not sent
  bool reset_discards = false;         // what arrived before it and was not received
};

struct SimulatedEndpoint;

struct SimulatedConnection {
  SimulatedPipe pipes[2];  // by the side that sends
  SimulatedEndpoint* sides[2] = {nullptr, nullptr};  // null: closed
  size_t window = 0;
  bool stalled = false;  // what is sent from now on never arrives
};

class SimulatedSockets;

// One side of a connection.
struct SimulatedEndpoint final : SimulatedPollable {
  SimulatedEndpoint(SimulatedSockets& all, std::shared_ptr<SimulatedConnection> both, int which, ProcessId owner);
  ~SimulatedEndpoint();
  State At(int64_t now_ns) const override;

  SimulatedSockets& sockets;
  const std::shared_ptr<SimulatedConnection> connection;
  const int side;
  const ProcessId process;
  bool wants_space = false;
  uint64_t space_changes = 0;
  bool resets = false;  // when it closes

  const SimulatedPipe& in() const { return connection->pipes[1 - side]; }
  SimulatedPipe& in() { return connection->pipes[1 - side]; }
  const SimulatedPipe& out() const { return connection->pipes[side]; }
  SimulatedPipe& out() { return connection->pipes[side]; }
  SimulatedEndpoint* peer() const { return connection->sides[1 - side]; }
  bool is_open() const { return connection->sides[side] == this; }
};

struct SimulatedListener final : SimulatedPollable {
  SimulatedListener(SocketAddress where, ProcessId owner) : address(std::move(where)), process(owner) {}
  State At(int64_t now_ns) const override;

  const SocketAddress address;
  const ProcessId process;
  bool is_open = true;
  std::deque<std::pair<std::unique_ptr<SimulatedEndpoint>, SocketAddress>> backlog;
  uint64_t arrivals = 0;
};

// All sockets of a world, and the numbers of their descriptors. Touched only by the actor that holds the baton.
class SimulatedSockets {
 public:
  SimulatedSockets(uint64_t seed, const SimulationOptions& options, const SimulatedScheduler& scheduler)
      : random_(seed), options_(options), scheduler_(scheduler) {}

  // The lowest free number is `what`'s from now on, until Drop.
  int Number(SimulatedPollable& what);
  void Drop(int descriptor);
  SimulatedPollable* Find(int descriptor) const;

  Result<int> Listen(const SocketAddress& address, ProcessId process);
  // kUnavailable: nobody listens there.
  Result<int> Connect(const SocketAddress& address, ProcessId process);
  // -1: nobody waits.
  int Accept(int listener, SocketAddress& peer);
  SocketAddress AddressOf(int listener) const { return listeners_.at(listener)->address; }
  // `faulty`: what may happen to connections happens now.
  Transfer Send(int descriptor, std::string_view first, std::string_view second, bool faulty);
  Transfer Receive(int descriptor, std::span<char> to);
  bool AtEnd(int descriptor) const;
  void ShutDownSending(int descriptor);
  void ResetOnClose(int descriptor) { endpoints_.at(descriptor)->resets = true; }
  void Close(int descriptor);

  // Of a process: its kernel closes what it had open. Of a machine: nobody is told.
  void OnCrash(CrashKind kind, ProcessId process);

  SeededRandom& random() { return random_; }

 private:
  friend struct SimulatedEndpoint;
  int64_t now_ns() const { return scheduler_.now_ns(); }
  int64_t Arrival(const SimulatedConnection& connection, const SimulatedPipe& pipe);
  void Append(SimulatedEndpoint& from, std::string_view bytes);
  void SendEnd(SimulatedEndpoint& from);
  void SendReset(SimulatedConnection& connection, int to_side, int64_t not_before_ns);
  void CloseEndpoint(SimulatedEndpoint& endpoint);
  void CloseListener(SimulatedListener& listener);

  SeededRandom random_;
  const SimulationOptions& options_;
  const SimulatedScheduler& scheduler_;
  std::map<int, SimulatedPollable*> numbers_;
  std::map<int, std::unique_ptr<SimulatedEndpoint>> endpoints_;
  std::map<int, std::unique_ptr<SimulatedListener>> listeners_;
  uint64_t connects_ = 0;
};

}  // namespace sluice::io
