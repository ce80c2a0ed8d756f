// SPDX-License-Identifier: Apache-2.0
#include "io/sockets.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "io/env.h"
#include "io/listener.h"

namespace sluice::io {
namespace {

TEST(SocketAddress, IsReadFromText) {
  EXPECT_EQ(ParseSocketAddress("127.0.0.1:8080").value().ToString(), "127.0.0.1:8080");
  EXPECT_EQ(ParseSocketAddress("[::1]:0").value().ToString(), "[::1]:0");
  EXPECT_EQ(ParseSocketAddress("localhost:65535").value().ToString(), "127.0.0.1:65535");
  for (auto text : {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[127.0.0.1]:80", "[::1:80",
                    "name.example:80", ":80", "127.1:80"}) {
    auto parsed = ParseSocketAddress(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_NE(parsed.error().message.find('"' + std::string(text) + '"'), std::string::npos);
  }
}

TEST(SocketAddress, KnowsLoopback) {
  EXPECT_TRUE(ParseSocketAddress("127.9.0.1:1").value().is_loopback());
  EXPECT_TRUE(ParseSocketAddress("[::1]:1").value().is_loopback());
  EXPECT_FALSE(ParseSocketAddress("0.0.0.0:1").value().is_loopback());
  EXPECT_FALSE(ParseSocketAddress("[::]:1").value().is_loopback());
}

TEST(Sockets, AnAddressOfAnotherMachineIsRefused) {
  RealWorld world(LogLevel::kError);
  auto listening = world.env().network.Listen({"192.0.2.1", 0});
  ASSERT_FALSE(listening.ok());
  EXPECT_EQ(listening.error().code, ErrorCode::kInvalid);
}

// Goal: a listener that is out of descriptors neither turns in circles nor dies. Method: lower the limit to what is open, and
// raise it again once the listener has paused.
TEST(Listener, PausesWithoutDescriptorsAndGoesOn) {
  RealWorld world(LogLevel::kError);
  auto env = world.env();
  auto loop = EventLoop::Make(env.network, env.clock).value();
  int accepted = 0;
  auto listener = Listener::Open(*loop, env.log, {"127.0.0.1", 0}, [&](Accepted) {
                    ++accepted;
                    loop->Stop();
                  }).value();
  Socket client = env.network.Connect(listener->address()).value();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Socket probe(env.network, socket(AF_INET, SOCK_STREAM, 0));
  rlimit none{.rlim_cur = static_cast<rlim_t>(probe.descriptor()), .rlim_max = before.rlim_max};
  probe.Close();
  int rounds = 0;
  loop->SetRoundEnd([&] {
    if (++rounds == 1) {
      EXPECT_EQ(accepted, 0);
      ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    }
  });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_TRUE(loop->Run().ok());
  EXPECT_EQ(accepted, 1);
  EXPECT_LE(rounds, 5);  // paused, resumed, accepted; a circle would be thousands
}

}  // namespace
}  // namespace sluice::io
