// SPDX-License-Identifier: Apache-2.0
//
// What both networks promise (io/sockets.h, io/poller.h).

#include <gtest/gtest.h>

#include "io/listener.h"
#include "io/network_twins.h"

namespace sluice::io {
namespace {

class NetworkTest : public NetworkContract {};
INSTANTIATE_TEST_SUITE_P(Twins, NetworkTest, NetworkTwins(), [](auto& tested) { return NetworkTwinName(tested.param); });

std::string Pattern(size_t size) {
  std::string out(size, ' ');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

TEST_P(NetworkTest, ABusyPortIsNamedWithAWayOut) {
  OnTwin([](Env env) {
    auto first = env.network.Listen({"127.0.0.1", 0}).value();
    auto address = LocalAddress(first).value();
    EXPECT_NE(address.port, 0);
    auto second = env.network.Listen(address);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_NE(second.error().message.find(std::to_string(address.port)), std::string::npos);
    EXPECT_FALSE(second.error().hint.empty());
    first.Close();
    EXPECT_TRUE(env.network.Listen(address).ok());
  });
}

TEST_P(NetworkTest, WhereNobodyListensConnectionsAreRefused) {
  OnTwin([](Env env) {
    auto listener = env.network.Listen({"127.0.0.1", 0}).value();
    auto address = LocalAddress(listener).value();
    listener.Close();
    auto connected = env.network.Connect(address);
    ASSERT_FALSE(connected.ok());
    EXPECT_EQ(connected.error().code, ErrorCode::kUnavailable);
  });
}

TEST_P(NetworkTest, MovesBytesAndTellsTheEnd) {
  OnTwin([](Env env) {
    auto listener = env.network.Listen({"127.0.0.1", 0}).value();
    EXPECT_FALSE(AcceptFrom(listener).value().socket.open());
    Socket client = env.network.Connect(LocalAddress(listener).value()).value();
    Accepted accepted = AcceptFrom(listener).value();
    ASSERT_TRUE(accepted.socket.open());
    EXPECT_EQ(accepted.peer.host, "127.0.0.1");
    char bytes[16];
    EXPECT_EQ(Receive(accepted.socket, bytes).state, TransferState::kWouldBlock);
    EXPECT_FALSE(AtEnd(accepted.socket));
    std::string sent, rest = "abcd";
    while (!rest.empty()) {
      auto now = Send(client, std::string_view(rest).substr(0, 2), std::string_view(rest).substr(std::min<size_t>(2, rest.size())));
      ASSERT_EQ(now.state, TransferState::kDone);
      rest.erase(0, now.bytes);
    }
    client.Close();
    EXPECT_EQ(ReceiveAll(env, accepted.socket), "abcd");
    EXPECT_TRUE(AtEnd(accepted.socket));
    EXPECT_EQ(Receive(accepted.socket, bytes).state, TransferState::kClosed);
  });
}

TEST_P(NetworkTest, TheEndOfOneDirectionLeavesTheOther) {
  OnTwin([](Env env) {
    SocketPair pair(env);
    ShutDownSending(pair.theirs);
    AwaitReadable(env, pair.ours);
    EXPECT_TRUE(AtEnd(pair.ours));
    EXPECT_EQ(Send(pair.theirs, "x").state, TransferState::kClosed);
    ASSERT_EQ(Send(pair.ours, "y").state, TransferState::kDone);
    pair.ours.Close();
    EXPECT_EQ(ReceiveAll(env, pair.theirs), "y");
  });
}

TEST_P(NetworkTest, AResetIsAFailureAndNotAnEnd) {
  OnTwin([](Env env) {
    SocketPair pair(env);
    auto poller = env.network.NewPoller().value();
    ASSERT_TRUE(poller->Add(pair.ours.descriptor(), Interest::kRead, 7).ok());
    ResetOnClose(pair.theirs);
    pair.theirs.Close();
    bool failed = false;
    PollUntil(*poller, [&] { return failed; }, [&](const PollEvent& event) {
      EXPECT_EQ(event.tag, 7u);
      failed |= event.ready.failed;
    });
    EXPECT_TRUE(AtEnd(pair.ours));
    EXPECT_EQ(Send(pair.ours, "x").state, TransferState::kClosed);
    poller->Remove(pair.ours.descriptor());
  });
}

// Goal: more than fits reaches a slow receiver whole, and edges are enough for both to know when to go on.
TEST_P(NetworkTest, EdgesAreEnoughForAWholeTransfer) {
  OnTwin([](Env env) {
    SocketPair pair(env);
    auto poller = env.network.NewPoller().value();
    ASSERT_TRUE(poller->Add(pair.ours.descriptor(), Interest::kReadWriteEdge, 1).ok());
    ASSERT_TRUE(poller->Add(pair.theirs.descriptor(), Interest::kReadWriteEdge, 2).ok());
    const bool real = GetParam() == NetworkTwin::kReal;
    const std::string sent = Pattern(real ? 8 << 20 : 20'000);
    std::string received;
    size_t at = 0;
    bool full = false;
    const auto send = [&] {
      while (at < sent.size()) {
        auto now = Send(pair.ours, std::string_view(sent).substr(at));
        if (now.state != TransferState::kDone) {
          full = true;
          return;
        }
        at += now.bytes;
      }
    };
    const auto receive = [&] {
      char bytes[1000];
      for (;;) {
        auto now = Receive(pair.theirs, bytes);
        if (now.state != TransferState::kDone) return;
        received.append(bytes, now.bytes);
        if (now.bytes < sizeof bytes) return;  // empty: the next byte is reported
      }
    };
    PollUntil(*poller, [&] { return received.size() == sent.size(); }, [&](const PollEvent& event) {
      if (event.tag == 1 && event.ready.writable) send();
      if (event.tag == 2 && event.ready.readable) receive();
    });
    EXPECT_TRUE(full);
    EXPECT_EQ(received, sent);
    poller->Remove(pair.ours.descriptor());
    poller->Remove(pair.theirs.descriptor());
  });
}

TEST_P(NetworkTest, WhoSendsToAClosedPeerHearsOfIt) {
  OnTwin([](Env env) {
    SocketPair pair(env);
    pair.theirs.Close();
    auto poller = env.network.NewPoller().value();
    ASSERT_TRUE(poller->Add(pair.ours.descriptor(), Interest::kReadWriteEdge, 1).ok());
    (void)Send(pair.ours, "x");  // it cannot know yet
    bool failed = false;
    PollUntil(*poller, [&] { return failed; }, [&](const PollEvent& event) { failed |= event.ready.failed; });
    EXPECT_EQ(Send(pair.ours, "x").state, TransferState::kClosed);
    poller->Remove(pair.ours.descriptor());
  });
}

TEST_P(NetworkTest, ClosingWithUnreadBytesIsAReset) {
  OnTwin([](Env env) {
    SocketPair pair(env);
    ASSERT_EQ(Send(pair.theirs, "x").state, TransferState::kDone);
    AwaitReadable(env, pair.ours);
    pair.ours.Close();
    auto poller = env.network.NewPoller().value();
    ASSERT_TRUE(poller->Add(pair.theirs.descriptor(), Interest::kReadWriteEdge, 1).ok());
    bool failed = false;
    PollUntil(*poller, [&] { return failed; }, [&](const PollEvent& event) { failed |= event.ready.failed; });
    poller->Remove(pair.theirs.descriptor());
  });
}

TEST_P(NetworkTest, ConnectionsOfAListenerThatClosesEnd) {
  OnTwin([](Env env) {
    auto listener = env.network.Listen({"127.0.0.1", 0}).value();
    Socket client = env.network.Connect(LocalAddress(listener).value()).value();
    listener.Close();
    AwaitReadable(env, client);
    EXPECT_TRUE(AtEnd(client));
  });
}

TEST_P(NetworkTest, APollerWaitsAsLongAsItIsTold) {
  OnTwin([](Env env) {
    auto poller = env.network.NewPoller().value();
    PollEvent events[1];
    const int64_t before_ns = env.clock.MonotonicNs();
    EXPECT_EQ(poller->Wait(events, 2'000'000).value(), 0u);
    EXPECT_GE(env.clock.MonotonicNs(), before_ns + 2'000'000);
  });
}

TEST_P(NetworkTest, APollerIsWokenByAnotherThread) {
  OnTwin([](Env env) {
    auto poller = env.network.NewPoller().value();
    auto thread = env.threads.Start("waker", ThreadPriority::kNormal, [&] { poller->Wake(); });
    PollEvent events[1];
    EXPECT_EQ(poller->Wait(events, -1).value(), 0u);  // else it hangs
    thread->Join();
    poller->Wake();
    EXPECT_EQ(poller->Wait(events, -1).value(), 0u);  // nor is one lost that came before
  });
}

TEST_P(NetworkTest, ASignalIsReadableWhileItIsRung) {
  OnTwin([](Env env) {
    auto poller = env.network.NewPoller().value();
    auto signal = env.threads.NewSignal();
    ASSERT_TRUE(poller->Add(signal->descriptor(), Interest::kRead, 3).ok());
    PollEvent events[2];
    EXPECT_EQ(poller->Wait(events, 0).value(), 0u);
    signal->Notify();
    for (int i = 0; i < 2; i++) {
      ASSERT_EQ(poller->Wait(events, -1).value(), 1u);
      EXPECT_EQ(events[0].tag, 3u);
    }
    EXPECT_TRUE(signal->Wait(0));
    EXPECT_EQ(poller->Wait(events, 0).value(), 0u);
    poller->Remove(signal->descriptor());
  });
}

TEST_P(NetworkTest, AListenerHandsConnectionsOver) {
  OnTwin([](Env env) {
    auto loop = EventLoop::Make(env.network, env.clock).value();
    std::vector<Accepted> accepted;
    auto listener = Listener::Open(*loop, env.log, {"127.0.0.1", 0}, [&](Accepted a) {
                      accepted.push_back(std::move(a));
                      if (accepted.size() == 3) loop->Stop();
                    }).value();
    std::vector<Socket> clients;
    for (int i = 0; i < 3; ++i) clients.push_back(env.network.Connect(listener->address()).value());
    ASSERT_TRUE(loop->Run().ok());
    EXPECT_EQ(accepted.size(), 3u);
  });
}

}  // namespace
}  // namespace sluice::io
