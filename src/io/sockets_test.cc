// SPDX-License-Identifier: Apache-2.0
#include "io/sockets.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "io/env.h"
#include "io/listener.h"

namespace sluice::io {
namespace {

Socket ConnectTo(const SocketAddress& address) {
  Socket client(socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(client.descriptor(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return client;
}

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

TEST(Sockets, ABusyPortIsNamedWithAWayOut) {
  auto first = ListenOn({"127.0.0.1", 0}).value();
  auto address = LocalAddress(first).value();
  EXPECT_NE(address.port, 0);
  auto second = ListenOn(address);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find(std::to_string(address.port)), std::string::npos);
  EXPECT_FALSE(second.error().hint.empty());
}

TEST(Sockets, AnAddressOfAnotherMachineIsRefused) {
  auto listening = ListenOn({"192.0.2.1", 0});
  ASSERT_FALSE(listening.ok());
  EXPECT_EQ(listening.error().code, ErrorCode::kInvalid);
}

TEST(Sockets, MoveBytesAndTellTheEnd) {
  auto listener = ListenOn({"127.0.0.1", 0}).value();
  EXPECT_FALSE(AcceptFrom(listener).value().socket.open());
  Socket client = ConnectTo(LocalAddress(listener).value());
  Accepted accepted = AcceptFrom(listener).value();
  ASSERT_TRUE(accepted.socket.open());
  EXPECT_EQ(accepted.peer.host, "127.0.0.1");
  char bytes[16];
  EXPECT_EQ(Receive(accepted.socket, bytes).state, TransferState::kWouldBlock);
  EXPECT_FALSE(AtEnd(accepted.socket));
  EXPECT_EQ(Send(client, "ab", "cd").bytes, 4u);
  EXPECT_EQ(Receive(accepted.socket, bytes).bytes, 4u);
  EXPECT_EQ(std::string_view(bytes, 4), "abcd");
  client.Close();
  EXPECT_TRUE(AtEnd(accepted.socket));
  EXPECT_EQ(Receive(accepted.socket, bytes).state, TransferState::kClosed);
}

TEST(Listener, HandsConnectionsOver) {
  RealWorld world(LogLevel::kError);
  auto env = world.env();
  auto loop = EventLoop::Make(env.clock).value();
  std::vector<Accepted> accepted;
  auto listener = Listener::Open(*loop, env.log, {"127.0.0.1", 0}, [&](Accepted a) {
                    accepted.push_back(std::move(a));
                    if (accepted.size() == 3) loop->Stop();
                  }).value();
  std::vector<Socket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(ConnectTo(listener->address()));
  ASSERT_TRUE(loop->Run().ok());
  EXPECT_EQ(accepted.size(), 3u);
}

// Goal: a listener that is out of descriptors neither turns in circles nor dies. Method: lower the limit to what is open, and
// raise it again once the listener has paused.
TEST(Listener, PausesWithoutDescriptorsAndGoesOn) {
  RealWorld world(LogLevel::kError);
  auto env = world.env();
  auto loop = EventLoop::Make(env.clock).value();
  int accepted = 0;
  auto listener = Listener::Open(*loop, env.log, {"127.0.0.1", 0}, [&](Accepted) {
                    ++accepted;
                    loop->Stop();
                  }).value();
  Socket client = ConnectTo(listener->address());
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  Socket probe(socket(AF_INET, SOCK_STREAM, 0));
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
