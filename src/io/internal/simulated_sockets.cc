// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_sockets.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace sluice::io {
namespace {

constexpr int64_t kNever = SimulatedPollable::kNever;
constexpr int kFirstDescriptor = 3;
constexpr uint16_t kFirstFreePort = 40'000;
constexpr size_t kBacklog = 1024;
constexpr size_t kWindowBytesMin = 256;
constexpr int64_t kNanosPerMicro = 1'000;
constexpr size_t kWritableFraction = 3;  // a full window is writable again when a third of it is free, as with the kernel

bool HasArrived(int64_t at_ns, int64_t now_ns) { return at_ns >= 0 && at_ns <= now_ns; }

void Earlier(int64_t at_ns, int64_t now_ns, int64_t& next_ns) {
  if (at_ns > now_ns) next_ns = std::min(next_ns, at_ns);
}

bool HasRoom(const SimulatedConnection& connection, const SimulatedPipe& pipe) {
  return pipe.held < connection.window && (connection.window - pipe.held) * kWritableFraction >= connection.window;
}

void Lose(SimulatedPipe& pipe, size_t from) {
  for (size_t i = from; i < pipe.pieces.size(); i++) pipe.held -= pipe.pieces[i].bytes.size() - (i == 0 ? pipe.taken : 0);
  pipe.gone += pipe.pieces.size() - from;
  pipe.pieces.resize(from);
  if (from == 0) pipe.taken = 0;
}

}  // namespace

SimulatedEndpoint::SimulatedEndpoint(SimulatedSockets& all, std::shared_ptr<SimulatedConnection> both, int which, ProcessId owner)
    : sockets(all), connection(std::move(both)), side(which), process(owner) {
  connection->sides[side] = this;
}

SimulatedEndpoint::~SimulatedEndpoint() {
  if (is_open()) sockets.CloseEndpoint(*this);
}

SimulatedPollable::State SimulatedEndpoint::At(int64_t now_ns) const {
  State state;
  const auto &from = in(), &to = out();
  const bool reset = HasArrived(from.reset_ns, now_ns), ended = HasArrived(from.end_ns, now_ns);
  size_t arrived = 0;
  while (arrived < from.pieces.size() && from.pieces[arrived].arrives_ns <= now_ns) arrived++;
  state.ready = {.readable = arrived > 0 || ended || reset,
                 .writable = reset || to.end_ns >= 0 || HasRoom(*connection, to),
                 .peer_closed = ended || reset,
                 .failed = reset || (ended && to.end_ns >= 0)};
  state.changes = from.gone + arrived + (ended ? 1 : 0) + (reset ? 1 : 0) + space_changes;
  if (arrived < from.pieces.size()) Earlier(from.pieces[arrived].arrives_ns, now_ns, state.next_ns);
  Earlier(from.end_ns, now_ns, state.next_ns);
  Earlier(from.reset_ns, now_ns, state.next_ns);
  return state;
}

SimulatedPollable::State SimulatedListener::At(int64_t) const {
  return {.ready = {.readable = !backlog.empty()}, .changes = arrivals};
}

int SimulatedSockets::Number(SimulatedPollable& what) {
  int number = kFirstDescriptor;
  for (auto& [taken, other] : numbers_) {
    if (taken != number) break;
    number++;
  }
  numbers_[number] = &what;
  return number;
}

void SimulatedSockets::Drop(int descriptor) { numbers_.erase(descriptor); }

SimulatedPollable* SimulatedSockets::Find(int descriptor) const {
  auto at = numbers_.find(descriptor);
  return at == numbers_.end() ? nullptr : at->second;
}

Result<int> SimulatedSockets::Listen(const SocketAddress& address, ProcessId process) {
  SocketAddress bound = address;
  const auto is_taken = [&](uint16_t port) {
    return std::any_of(listeners_.begin(), listeners_.end(), [&](auto& l) { return l.second->is_open && l.second->address.port == port; });
  };
  if (bound.port == 0) {
    bound.port = kFirstFreePort;
    while (is_taken(bound.port)) bound.port++;
  }
  if (is_taken(bound.port))
    return Error{ErrorCode::kConflict, "cannot listen on " + bound.ToString() + ": port " + std::to_string(bound.port) + " is in use",
                 "choose another port"};
  auto listener = std::make_unique<SimulatedListener>(bound, process);
  const int number = Number(*listener);
  listeners_[number] = std::move(listener);
  return number;
}

Result<int> SimulatedSockets::Connect(const SocketAddress& address, ProcessId process) {
  auto at = std::find_if(listeners_.begin(), listeners_.end(),
                         [&](auto& l) { return l.second->is_open && l.second->address.port == address.port; });
  if (at == listeners_.end() || at->second->backlog.size() >= kBacklog)
    return Error{ErrorCode::kUnavailable, "cannot connect to " + address.ToString() + ": connection refused"};
  auto connection = std::make_shared<SimulatedConnection>();
  const uint64_t most = std::max<uint64_t>(options_.window_bytes_max, kWindowBytesMin);
  connection->window = kWindowBytesMin + random_.Below(most - kWindowBytesMin + 1);
  auto ours = std::make_unique<SimulatedEndpoint>(*this, connection, 0, process);
  auto theirs = std::make_unique<SimulatedEndpoint>(*this, connection, 1, at->second->process);
  const uint64_t nth = connects_++;
  SocketAddress peer{address.is_loopback() ? "127.0.0.1" : "192.0.2." + std::to_string(1 + nth % 4), static_cast<uint16_t>(50'000 + nth % 10'000)};
  at->second->backlog.emplace_back(std::move(theirs), std::move(peer));
  at->second->arrivals++;
  at->second->Changed();
  const int number = Number(*ours);
  endpoints_[number] = std::move(ours);
  return number;
}

int SimulatedSockets::Accept(int listener, SocketAddress& peer) {
  auto& backlog = listeners_.at(listener)->backlog;
  if (backlog.empty()) return -1;
  auto [endpoint, address] = std::move(backlog.front());
  backlog.pop_front();
  peer = std::move(address);
  const int number = Number(*endpoint);
  endpoints_[number] = std::move(endpoint);
  return number;
}

// ---- sending ----------------------------------------------------------------------------------------------------------------

// Most pieces are quick; those that are not overtake nobody.
int64_t SimulatedSockets::Arrival(const SimulatedConnection& connection, const SimulatedPipe& pipe) {
  if (connection.stalled) return kNever;
  int64_t travel_us = options_.travel_us_max;
  if (travel_us > 0) {
    if (random_.Below(4) != 0) travel_us /= 20;
    travel_us = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(travel_us) + 1));
  }
  return std::max(pipe.last_ns, now_ns() + travel_us * kNanosPerMicro);
}

void SimulatedSockets::Append(SimulatedEndpoint& from, std::string_view bytes) {
  auto& pipe = from.out();
  while (!bytes.empty()) {
    size_t size = bytes.size();
    if (options_.piece_bytes_max > 0) size = std::min<size_t>(size, 1 + random_.Below(options_.piece_bytes_max));
    pipe.last_ns = Arrival(*from.connection, pipe);
    pipe.pieces.push_back({pipe.last_ns, std::string(bytes.substr(0, size))});
    pipe.held += size;
    bytes.remove_prefix(size);
  }
}

void SimulatedSockets::SendEnd(SimulatedEndpoint& from) {
  auto& pipe = from.out();
  if (pipe.end_ns >= 0) return;
  pipe.end_ns = pipe.last_ns = Arrival(*from.connection, pipe);
  if (auto* peer = from.peer()) peer->Changed();
}

void SimulatedSockets::SendReset(SimulatedConnection& connection, int to_side, int64_t not_before_ns) {
  auto& pipe = connection.pipes[1 - to_side];
  if (connection.sides[to_side] == nullptr || not_before_ns == kNever) return;
  const bool overtakes = random_.Coin();
  const int64_t at_ns = std::max(not_before_ns, overtakes ? now_ns() : Arrival(connection, pipe));
  if (pipe.reset_ns >= 0 && pipe.reset_ns <= at_ns) return;
  pipe.reset_ns = at_ns;
  pipe.reset_discards = random_.Coin();
  size_t in_time = 0;
  while (in_time < pipe.pieces.size() && pipe.pieces[in_time].arrives_ns <= at_ns) in_time++;
  Lose(pipe, in_time);
  connection.sides[to_side]->Changed();
}

Transfer SimulatedSockets::Send(int descriptor, std::string_view first, std::string_view second, bool faulty) {
  auto& from = *endpoints_.at(descriptor);
  auto& connection = *from.connection;
  auto& pipe = from.out();
  if (!from.is_open() || pipe.end_ns >= 0 || HasArrived(from.in().reset_ns, now_ns())) return {TransferState::kClosed};
  const size_t total = first.size() + second.size();
  if (from.peer() == nullptr) {  // whoever is there now knows nothing of this connection
    SendReset(connection, from.side, Arrival(connection, pipe));
    return {TransferState::kDone, total};
  }
  if (faulty && random_.Chance(options_.connection_stalled)) connection.stalled = true;
  if (faulty && random_.Chance(options_.connection_reset)) {
    SendReset(connection, from.side, now_ns());
    SendReset(connection, 1 - from.side, Arrival(connection, pipe));
    return {TransferState::kDone, total};
  }
  if (pipe.reset_ns >= 0) return {TransferState::kDone, total};  // behind the reset nothing arrives
  size_t size = std::min(total, connection.window - std::min(pipe.held, connection.window));
  if (size == 0) {
    from.wants_space = true;
    return {TransferState::kWouldBlock};
  }
  if (faulty && random_.Below(8) == 0) size = 1 + random_.Below(size);
  Append(from, first.substr(0, size));
  Append(from, second.substr(0, size - std::min(size, first.size())));
  from.peer()->Changed();
  return {TransferState::kDone, size};
}

void SimulatedSockets::ShutDownSending(int descriptor) {
  if (auto& endpoint = *endpoints_.at(descriptor); endpoint.is_open()) SendEnd(endpoint);
}

// ---- receiving --------------------------------------------------------------------------------------------------------------

Transfer SimulatedSockets::Receive(int descriptor, std::span<char> to) {
  auto& endpoint = *endpoints_.at(descriptor);
  auto& pipe = endpoint.in();
  if (!endpoint.is_open()) return {TransferState::kClosed};
  if (HasArrived(pipe.reset_ns, now_ns()) && pipe.reset_discards) Lose(pipe, 0);
  size_t got = 0;
  while (got < to.size() && !pipe.pieces.empty() && pipe.pieces.front().arrives_ns <= now_ns()) {
    const std::string_view bytes = std::string_view(pipe.pieces.front().bytes).substr(pipe.taken);
    const size_t size = std::min(bytes.size(), to.size() - got);
    std::memcpy(to.data() + got, bytes.data(), size);
    got += size;
    pipe.taken += size;
    if (size < bytes.size()) break;
    pipe.pieces.pop_front();
    pipe.gone++;
    pipe.taken = 0;
  }
  pipe.held -= got;
  if (auto* peer = endpoint.peer(); got > 0 && peer != nullptr && peer->wants_space && HasRoom(*endpoint.connection, pipe)) {
    peer->wants_space = false;
    peer->space_changes++;
    peer->Changed();
  }
  if (got > 0) return {TransferState::kDone, got};
  return {AtEnd(descriptor) ? TransferState::kClosed : TransferState::kWouldBlock};
}

bool SimulatedSockets::AtEnd(int descriptor) const {
  auto& endpoint = *endpoints_.at(descriptor);
  auto& pipe = endpoint.in();
  if (!endpoint.is_open()) return true;
  const bool reset = HasArrived(pipe.reset_ns, now_ns());
  const bool waits = !pipe.pieces.empty() && pipe.pieces.front().arrives_ns <= now_ns() && !(reset && pipe.reset_discards);
  return !waits && (reset || HasArrived(pipe.end_ns, now_ns()));
}

// ---- closing ----------------------------------------------------------------------------------------------------------------

void SimulatedSockets::CloseEndpoint(SimulatedEndpoint& endpoint) {
  auto& pipe = endpoint.in();
  auto& connection = *endpoint.connection;
  const int other = 1 - endpoint.side;
  const bool unread = !pipe.pieces.empty() && pipe.pieces.front().arrives_ns <= now_ns();
  if (endpoint.resets || unread) SendReset(connection, other, Arrival(connection, endpoint.out()));
  else SendEnd(endpoint);
  // What arrives later finds nobody.
  if (!pipe.pieces.empty() && pipe.pieces.back().arrives_ns != kNever) SendReset(connection, other, pipe.pieces.back().arrives_ns);
  connection.sides[endpoint.side] = nullptr;
  Lose(pipe, 0);
  endpoint.Changed();
}

void SimulatedSockets::CloseListener(SimulatedListener& listener) {
  listener.is_open = false;
  for (auto& [endpoint, peer] : listener.backlog) endpoint->resets = true;
  listener.backlog.clear();
}

void SimulatedSockets::Close(int descriptor) {
  Drop(descriptor);
  if (auto at = listeners_.find(descriptor); at != listeners_.end()) {
    if (at->second->is_open) CloseListener(*at->second);
    listeners_.erase(at);
  } else {
    endpoints_.erase(descriptor);
  }
}

void SimulatedSockets::OnCrash(CrashKind kind, ProcessId process) {
  for (auto& [number, listener] : listeners_)
    if (listener->process == process && listener->is_open) CloseListener(*listener);
  for (auto& [number, endpoint] : endpoints_) {
    if (endpoint->process != process || !endpoint->is_open()) continue;
    if (kind == CrashKind::kProcess) CloseEndpoint(*endpoint);
    else endpoint->connection->sides[endpoint->side] = nullptr;
  }
}

}  // namespace sluice::io
