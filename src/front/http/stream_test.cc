// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include "front/http/test_client.h"
#include "front/http/thread_stream.h"

namespace sluice::front::http {
namespace {

std::string Get(std::string_view target, std::string_view version = "1.1") {
  return "GET " + std::string(target) + " HTTP/" + std::string(version) + "\r\nHost: x\r\n\r\n";
}

Route StreamOf(std::vector<std::string> pieces, bool abort = false) {
  return {Method::kGet, "/stream", [=](HttpRequest&, Responder responder) {
            auto stream = responder.BeginStream({.content_type = "text/csv"});
            for (const auto& piece : pieces) stream.Write(piece);
            if (abort) stream.Abort();
            else stream.End();
          }, "Streams."};
}

TEST(ResponseStream, ArrivesInPiecesAndTheConnectionStays) {
  TestServer server({StreamOf({"a,b\n", "", "1,2\n"})});
  auto client = server.Connect();
  for (int i = 0; i < 2; ++i) {
    auto reply = client.Ask(Get("/stream"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "a,b\n1,2\n");
    EXPECT_FALSE(client.broken());
  }
}

TEST(ResponseStream, EndsByClosingForHttp10) {
  TestServer server({StreamOf({"a", "b"})});
  auto client = server.Connect();
  auto reply = client.Ask(Get("/stream", "1.0"));
  EXPECT_EQ(reply.Header("Transfer-Encoding"), "");
  EXPECT_EQ(reply.body, "ab");
  EXPECT_FALSE(client.broken());
}

TEST(ResponseStream, HasNoBodyForHead) {
  TestServer server({StreamOf({"a", "b"})});
  auto client = server.Connect();
  EXPECT_EQ(client.Ask("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
  EXPECT_EQ(client.Ask(Get("/stream")).body, "ab");
}

TEST(ResponseStream, AbortIsSeenAsAFailure) {
  TestServer server({StreamOf({"a", "b"}, true)});
  auto client = server.Connect();
  auto reply = client.Ask(Get("/stream"));
  EXPECT_EQ(reply.body, "ab");  // what was written arrives, its end does not
  EXPECT_TRUE(client.broken());
  auto old = server.Connect();
  old.Ask(Get("/stream", "1.0"));
  EXPECT_TRUE(old.broken());
}

// A source that writes while it may, and waits while it must not.
struct Source {
  ResponseStream stream;
  size_t left = 0;
  size_t pauses = 0;
  size_t waiting_max = 0;
  bool gone = false;
  void Pump() {
    while (stream.open() && left > 0) {
      size_t n = std::min<size_t>(left, 10'000);
      auto state = stream.Write(std::string(n, 'x'));
      if (state == StreamState::kGone) {
        gone = true;
        return stream.Abort();
      }
      left -= n;
      if (state == StreamState::kFull) {
        ++pauses;
        return;
      }
    }
    if (stream.open()) stream.End();
  }
};

Route Pumped(Source& source, size_t bytes) {
  return {Method::kGet, "/pump", [&source, bytes](HttpRequest&, Responder responder) {
            source.left = bytes;
            source.stream = responder.BeginStream({.content_type = "text/plain"});
            source.stream.OnDrained([&source] { source.Pump(); });
            source.Pump();
          }, "Streams much."};
}

TEST(ResponseStream, WaitsForASlowClient) {
  constexpr size_t kBytes = 40 << 20;
  Source source;
  TestServer server({Pumped(source, kBytes)});
  TestClient client(server.port(), 8192);
  client.Send(Get("/pump"));
  // Before the client has read anything the source is told to wait, with most of its bytes still unwritten.
  client.Peek();
  server.OnLoop([&] { EXPECT_GT(source.pauses, 0u); EXPECT_GT(source.left, kBytes / 2); });
  auto reply = client.Receive();
  EXPECT_EQ(reply.body.size(), kBytes);
  EXPECT_FALSE(client.broken());
  server.Stop();
  EXPECT_GT(source.pauses, 1u);
}

TEST(ResponseStream, TellsItsSourceThatTheClientIsGone) {
  Source source;
  TestServer server({Pumped(source, size_t{1} << 40)});
  {
    TestClient client(server.port(), 8192);
    client.Send(Get("/pump"));
    client.Peek();
  }
  bool gone = false;
  while (!gone) server.OnLoop([&] { gone = source.gone; });
  server.OnLoop([&] { EXPECT_FALSE(source.stream.open()); });
}

// Runs `body` with the stream of each request in a thread.
struct Worker {
  explicit Worker(io::Threads& t, std::function<void(ThreadStream)> b) : threads(t), body(std::move(b)) {}
  ~Worker() {
    for (auto& thread : running) thread->Join();
  }
  Route MakeRoute() {
    return {Method::kGet, "/work", [this](HttpRequest&, Responder responder) {
              auto stream = std::make_shared<ThreadStream>(threads, std::move(responder));
              running.push_back(threads.Start("writer", io::ThreadPriority::kNormal, [this, stream] { body(std::move(*stream)); }));
            }, "Streams from a thread."};
  }
  io::Threads& threads;
  std::function<void(ThreadStream)> body;
  std::vector<std::unique_ptr<io::Thread>> running;
};

TEST(ThreadStream, WritesFromItsThreadAtTheClientsPace) {
  io::RealWorld world(io::LogLevel::kError);
  std::atomic<size_t> written{0};
  Worker worker(world.env().threads, [&](ThreadStream stream) {
    stream.Begin({.content_type = "text/plain", .body = "head"});
    for (int i = 0; i < 400; ++i) {
      EXPECT_TRUE(stream.Write(std::string(100'000, 'x')).ok());
      written += 100'000;
    }
    stream.End();
  });
  TestServer server({worker.MakeRoute()});
  TestClient client(server.port(), 8192);
  client.Send(Get("/work"));
  client.Peek();
  EXPECT_LT(written, 20'000'000u);
  EXPECT_EQ(client.Receive().body.size(), 40'000'004u);
  EXPECT_FALSE(client.broken());
}

TEST(ThreadStream, StopsWhenTheClientIsGone) {
  io::RealWorld world(io::LogLevel::kError);
  auto stopped = world.env().threads.NewSignal();
  Worker worker(world.env().threads, [&](ThreadStream stream) {
    stream.Begin({.content_type = "text/plain"});
    Result<void> outcome;
    while ((outcome = stream.Write(std::string(10'000, 'x'))).ok()) {
    }
    EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
    EXPECT_TRUE(stream.gone());
    stopped->Notify();
  });
  TestServer server({worker.MakeRoute()});
  {
    TestClient client(server.port(), 8192);
    client.Send(Get("/work"));
    client.Peek();
  }
  EXPECT_TRUE(stopped->Wait(20'000'000));
}

TEST(ThreadStream, AnswersWholeOrNotAtAll) {
  io::RealWorld world(io::LogLevel::kError);
  std::atomic<int> calls{0};
  Worker worker(world.env().threads, [&](ThreadStream stream) {
    int call = calls++;
    if (call == 0) stream.Send({.status = 422});
    if (call == 2) {
      stream.Begin({.content_type = "text/csv", .body = "a"});
      stream.Abort();
    }
  });
  TestServer server({worker.MakeRoute()});
  auto client = server.Connect();
  EXPECT_EQ(client.Ask(Get("/work")).status, 422);
  EXPECT_EQ(client.Ask(Get("/work")).status, 500);  // dropped before it was begun
  EXPECT_EQ(client.Ask(Get("/work")).body, "a");
  EXPECT_TRUE(client.broken());
}

}  // namespace
}  // namespace sluice::front::http
