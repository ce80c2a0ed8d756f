// SPDX-License-Identifier: Apache-2.0
//
// The simulated twins of Network and Poller: one process's way to the sockets of its world.

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

class SimulatedPoller final : public Poller, private SimulatedWaiter {
 public:
  explicit SimulatedPoller(IoGate& gate) : gate_(gate), scheduler_(gate.simulation().scheduler), sockets_(gate.simulation().sockets) {}
  ~SimulatedPoller() override {
    for (auto& [descriptor, watched] : watched_) Forget(descriptor);
  }

  Result<void> Add(int descriptor, Interest interest, uint64_t tag) override {
    auto* what = sockets_.Find(descriptor);
    CHECK(what != nullptr, "the simulator does not know this descriptor");
    CHECK(what->waiter == nullptr, "the descriptor was added already");
    what->waiter = this;
    watched_[descriptor] = {interest, tag, {}};
    return {};
  }
  Result<void> Modify(int descriptor, Interest interest, uint64_t tag) override {
    watched_.at(descriptor) = {interest, tag, {}};
    return {};
  }
  void Remove(int descriptor) override {
    if (watched_.erase(descriptor) > 0) Forget(descriptor);
  }

  Result<size_t> Wait(std::span<PollEvent> events, int64_t timeout_ns) override {
    RETURN_IF_ERROR(gate_.Perform("wait for descriptors", "", watched_.size(), [](bool) { return Result<void>(); }));
    const int64_t until_ns = timeout_ns < 0 ? SimulatedPollable::kNever : scheduler_.now_ns() + timeout_ns;
    for (;;) {
      int64_t next_ns = until_ns;
      const size_t count = Collect(events, next_ns);
      if (count > 0 || woken_ || scheduler_.now_ns() >= until_ns) {
        woken_ = false;
        return count;
      }
      const int64_t sleep_ns = next_ns == SimulatedPollable::kNever ? -1 : next_ns - scheduler_.now_ns();
      actor_ = scheduler_.Self();
      if (actor_ == nullptr) {
        CHECK(sleep_ns >= 0, "waiting for descriptors outside of a simulated run");
        scheduler_.Advance(sleep_ns);
        continue;
      }
      scheduler_.Block("wait for descriptors", sleep_ns);
      actor_ = nullptr;
      if (scheduler_.ThrowIfDoomed()) return Error{ErrorCode::kCancelled, "the simulated process has crashed", {}};
    }
  }

  void Wake() override {
    woken_ = true;
    OnChange();
  }

 private:
  struct Watched {
    Interest interest = Interest::kNone;
    uint64_t tag = 0;
    std::optional<uint64_t> told;  // changes when it was told last
  };

  void OnChange() override {
    if (actor_ != nullptr) scheduler_.Wake(*actor_);
  }

  void Forget(int descriptor) {
    if (auto* what = sockets_.Find(descriptor); what != nullptr && what->waiter == this) what->waiter = nullptr;
  }

  // As epoll answers: failures always, the peer's end to whoever wants anything.
  static bool Concerns(Interest interest, const Readiness& ready) {
    const auto bits = static_cast<uint8_t>(interest);
    return ready.failed || (bits != 0 && ready.peer_closed) || ((bits & 1) != 0 && ready.readable) || ((bits & 2) != 0 && ready.writable);
  }
  static Readiness As(Interest interest, const Readiness& ready) {
    const auto bits = static_cast<uint8_t>(interest);
    const bool ended = ready.failed || (bits != 0 && ready.peer_closed);
    return {.readable = ended || ((bits & 1) != 0 && ready.readable),
            .writable = ready.failed || ((bits & 2) != 0 && ready.writable),
            .peer_closed = ended,
            .failed = ready.failed};
  }

  // Some of what is ready, in any order; the rest is told the next time. `next_ns`: not later than the next change.
  size_t Collect(std::span<PollEvent> events, int64_t& next_ns) {
    std::vector<std::pair<Watched*, SimulatedPollable::State>> news;
    for (auto& [descriptor, watched] : watched_) {
      auto* what = sockets_.Find(descriptor);
      if (what == nullptr || what->waiter != this) continue;  // closed, and perhaps another one by now
      auto state = what->At(scheduler_.now_ns());
      next_ns = std::min(next_ns, state.next_ns);
      if (!Concerns(watched.interest, state.ready) || (watched.interest == Interest::kReadWriteEdge && watched.told == state.changes)) continue;
      news.emplace_back(&watched, std::move(state));
    }
    auto& random = sockets_.random();
    size_t count = std::min(news.size(), events.size());
    if (count > 1 && random.Below(4) == 0) count = 1 + random.Below(count);
    for (size_t i = 0; i < count; i++) {
      std::swap(news[i], news[i + random.Below(news.size() - i)]);
      auto& [watched, state] = news[i];
      watched->told = state.changes;
      events[i] = {watched->tag, As(watched->interest, state.ready)};
    }
    return count;
  }

  IoGate& gate_;
  SimulatedScheduler& scheduler_;
  SimulatedSockets& sockets_;
  std::map<int, Watched> watched_;
  SimulatedScheduler::Actor* actor_ = nullptr;  // that waits
  bool woken_ = false;
};

// What destructors may call does not throw: a dead process finds its connections closed.
class SimulatedNetwork final : public Network {
 public:
  explicit SimulatedNetwork(IoGate& gate) : gate_(gate), sockets_(gate.simulation().sockets) {}

  Result<std::unique_ptr<Poller>> NewPoller() override { return std::unique_ptr<Poller>(std::make_unique<SimulatedPoller>(gate_)); }

  Result<Socket> Listen(const SocketAddress& address) override {
    return gate_.Perform("listen", address.host, address.port, [&](bool) -> Result<Socket> {
      ASSIGN_OR_RETURN(const int listener, sockets_.Listen(address, gate_.process()));
      return Socket(*this, listener);
    });
  }
  Result<Socket> Connect(const SocketAddress& address) override {
    return gate_.Perform("connect", address.host, address.port, [&](bool) -> Result<Socket> {
      ASSIGN_OR_RETURN(const int descriptor, sockets_.Connect(address, gate_.process()));
      return Socket(*this, descriptor);
    });
  }
  Result<SocketAddress> LocalAddress(int descriptor) override { return sockets_.AddressOf(descriptor); }

  Result<Accepted> Accept(int listener) override {
    return gate_.Perform("accept", "", 0, [&](bool in_flight) -> Result<Accepted> {
      if (!in_flight && gate_.Fault(gate_.simulation().options.accept_exhausted))
        return Error{ErrorCode::kExhausted, "cannot accept a connection: too many open files", "raise the limit of open files (ulimit -n)"};
      Accepted accepted;
      if (const int descriptor = sockets_.Accept(listener, accepted.peer); descriptor >= 0) accepted.socket = Socket(*this, descriptor);
      return accepted;
    });
  }

  Transfer Receive(int descriptor, std::span<char> to) override {
    return Moved(gate_.Perform("receive", "", to.size(), [&](bool) { return Result<Transfer>(sockets_.Receive(descriptor, to)); },
                               IoGate::MayThrow::kNo));
  }
  Transfer Send(int descriptor, std::string_view first, std::string_view second) override {
    const bool faulty = gate_.simulation().scheduler.Self() != nullptr;
    return Moved(gate_.Perform("send", "", first.size() + second.size(),
                               [&](bool) { return Result<Transfer>(sockets_.Send(descriptor, first, second, faulty)); },
                               IoGate::MayThrow::kNo));
  }
  bool AtEnd(int descriptor) override { return sockets_.AtEnd(descriptor); }
  void ShutDownSending(int descriptor) override { sockets_.ShutDownSending(descriptor); }
  void ResetOnClose(int descriptor) override { sockets_.ResetOnClose(descriptor); }
  void Close(int descriptor) override { sockets_.Close(descriptor); }

 private:
  static Transfer Moved(Result<Transfer> moved) { return moved.ok() ? *moved : Transfer{TransferState::kClosed}; }

  IoGate& gate_;
  SimulatedSockets& sockets_;
};

}  // namespace

std::unique_ptr<Network> MakeSimulatedNetwork(IoGate& gate) { return std::make_unique<SimulatedNetwork>(gate); }

}  // namespace sluice::io
