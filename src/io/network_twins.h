// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests only: both twins of the network, so that one contract test runs on both.

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "io/env.h"
#include "io/simulated_world.h"

namespace sluice::io {

enum class NetworkTwin : uint8_t { kReal, kSimulated };

inline const char* NetworkTwinName(NetworkTwin twin) { return twin == NetworkTwin::kReal ? "Real" : "Simulated"; }

// A test's body runs in the world: on the simulated twin several seeds of it, where bytes travel, in pieces, through small windows.
class NetworkContract : public testing::TestWithParam<NetworkTwin> {
 protected:
  void OnTwin(const std::function<void(Env)>& body) {
    if (GetParam() == NetworkTwin::kReal) {
      RealWorld world(LogLevel::kError);
      return body(world.env());
    }
    for (uint64_t seed = 1; seed <= 20; seed++) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      SimulationOptions options;
      options.travel_us_max = seed % 2 == 0 ? 0 : 5'000;
      options.piece_bytes_max = seed % 3 == 0 ? 0 : 700;
      options.window_bytes_max = seed % 4 == 0 ? 300 : 8'000;
      SimulatedWorld world(seed, options);
      const auto ran = world.Run([&] { body(world.env()); });
      EXPECT_TRUE(ran.finished()) << ran.report;
      if (HasFailure()) return;
    }
  }
};

inline auto NetworkTwins() { return testing::Values(NetworkTwin::kReal, NetworkTwin::kSimulated); }

struct SocketPair {
  explicit SocketPair(Env env) {
    auto listener = env.network.Listen({"127.0.0.1", 0}).value();
    theirs = env.network.Connect(LocalAddress(listener).value()).value();
    ours = AcceptFrom(listener).value().socket;
    EXPECT_TRUE(ours.open());
  }
  Socket ours, theirs;
};

// One call of the poller after the other until `done`; fails when nothing comes for ten seconds.
inline void PollUntil(Poller& poller, const std::function<bool()>& done, const std::function<void(const PollEvent&)>& on_event = {}) {
  while (!done()) {
    PollEvent events[8];
    const auto count = poller.Wait(events, 10'000'000'000);
    ASSERT_TRUE(count.ok());
    ASSERT_GT(*count, 0u) << "nothing came";
    for (size_t i = 0; i < *count && on_event; i++) on_event(events[i]);
  }
}

// Waits until `socket` has something to receive, or its end.
inline void AwaitReadable(Env env, const Socket& socket) {
  auto poller = env.network.NewPoller().value();
  ASSERT_TRUE(poller->Add(socket.descriptor(), Interest::kRead, 1).ok());
  bool readable = false;
  PollUntil(*poller, [&] { return readable; }, [&](const PollEvent& event) { readable = event.ready.readable; });
  poller->Remove(socket.descriptor());
}

// All that comes until the end.
inline std::string ReceiveAll(Env env, const Socket& socket) {
  std::string all;
  char bytes[4096];
  for (;;) {
    auto got = Receive(socket, bytes);
    if (got.state == TransferState::kClosed) return all;
    if (got.state == TransferState::kDone) all.append(bytes, got.bytes);
    else AwaitReadable(env, socket);
  }
}

}  // namespace sluice::io
