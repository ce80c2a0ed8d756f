// SPDX-License-Identifier: Apache-2.0
//
// The server under connections that obey a seed: bytes come late and in any pieces, windows are small, connections break or fall silent.
// Whatever happens: an answer belongs to its request, answers come in order, what is not disturbed is answered, and nothing stays behind.

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "front/http/http_metrics.h"
#include "front/http/network_client.h"
#include "front/http/responder.h"
#include "front/http/server.h"
#include "io/simulated_world.h"

namespace sluice::front::http {
namespace {

constexpr int64_t kPatienceNs = 100'000'000'000;

std::string Pattern(size_t size, size_t start) {
  std::string out(size, ' ');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + (start + i) % 23);
  return out;
}

std::string Chunked(std::string_view body, size_t chunk) {
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    char size[16];
    auto end = std::to_chars(size, size + sizeof size, std::min(chunk, body.size()), 16).ptr;
    out.append(size, end) += "\r\n" + std::string(body.substr(0, chunk)) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

struct Bytes {
  std::string head, body;
};
Bytes Post(std::string_view path, std::string_view body, bool chunked, std::string_view headers = "") {
  const std::string framing = chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return {"POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + framing + "\r\n",
          chunked ? Chunked(body, 100) : std::string(body)};
}

// A server process with three ways to answer: at once, from another thread, in pieces with back-pressure.
class World {
 public:
  World(uint64_t seed, io::SimulationOptions options) : world_(seed, options) {
    world_.Spawn("server", "server", [this] { Serve(); });
  }
  void AddClient(std::function<void(io::Env)> body) {
    clients_++;
    world_.Spawn("", "client", [this, body = std::move(body)] {
      auto env = world_.env("");
      while (!is_open_) env.clock.SleepUs(100);
      body(env);
      if (--clients_ == 0) loop_->Post([this] { server_->Drain([this] { loop_->Stop(); }); });
    });
  }
  void Run() {
    const auto ran = world_.Run();
    EXPECT_TRUE(ran.finished()) << ran.report;
  }
  static constexpr int kPieces = 5;

 private:
  void Serve() {
    auto env = world_.env("server");
    loop_ = io::EventLoop::Make(env.network, env.clock).value();
    later_bell_ = env.threads.NewSignal();
    auto thread = env.threads.Start("later", io::ThreadPriority::kNormal, [&, this] { AnswerLater(env); });
    std::vector<Route> routes;
    routes.push_back({Method::kPost, "/echo", [](HttpRequest& request, Responder responder) {
                        responder.Send({.content_type = "text/plain", .body = std::string(request.body())});
                      }, "Sends the body back."});
    routes.push_back({Method::kPost, "/later", [this](HttpRequest& request, Responder responder) {
                        later_.emplace_back(std::move(responder), std::string(request.body()));
                        later_bell_->Notify();
                      }, "The same, from another thread."});
    routes.push_back({Method::kPost, "/pieces", [](HttpRequest& request, Responder responder) { Stream(request, std::move(responder)); },
                      "The same, many times."});
    server_ = HttpServer::Open(*loop_, {"127.0.0.1", 80}, Router::Make(std::move(routes)).value(), {}, env.log, env.metrics).value();
    is_open_ = true;
    ASSERT_TRUE(loop_->Run().ok());
    EXPECT_EQ(server_->connection_count(), 0u);
    EXPECT_EQ(env.metrics.GetGauge(kConnections).value(), 0);
    stopping_ = true;
    later_bell_->Notify();
    thread->Join();
    EXPECT_TRUE(later_.empty());
    server_.reset();
    loop_.reset();
  }

  void AnswerLater(io::Env env) {
    while (!stopping_) {
      while (!later_.empty()) {
        auto [responder, body] = std::move(later_.front());
        later_.pop_front();
        env.clock.SleepUs(300);
        responder.Send({.content_type = "text/plain", .body = std::move(body)});
      }
      later_bell_->Wait();
    }
  }

  static void Stream(HttpRequest& request, Responder responder) {
    struct State {
      std::string body;
      int left = kPieces;
      ResponseStream stream;
    };
    auto state = std::make_shared<State>();
    state->body = request.body();
    state->stream = responder.BeginStream({.content_type = "text/plain"});
    auto write = [state] {
      while (state->left-- > 0) {
        const auto written = state->stream.Write(state->body);
        if (written == StreamState::kFull) return;
        if (written == StreamState::kGone) break;
      }
      auto kept = state;  // ending forgets the function that holds it
      kept->stream.End();
    };
    state->stream.OnDrained(write);
    write();
  }

  io::SimulatedWorld world_;
  std::unique_ptr<io::Signal> later_bell_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<HttpServer> server_;
  std::deque<std::pair<Responder, std::string>> later_;
  bool is_open_ = false, stopping_ = false;
  int clients_ = 0;
};

// One client with all its habits. `calm`: nothing disturbs the connections, so that each request has to be answered.
class Client {
 public:
  Client(uint64_t seed, bool calm) : random_(seed), calm_(calm) {}
  int answered = 0, unanswered = 0;

  void Run(io::Env env) {
    for (int i = 0; i < 12; i++) {
      if (connection_ == nullptr || Below(4) == 0 || connection_->at_end()) {
        connection_.reset();
        auto connected = NetworkClient::Connect(env, {"127.0.0.1", 80});
        ASSERT_TRUE(connected.ok()) << connected.error().ToString();
        connection_ = *std::move(connected);
      }
      Ask(env);
    }
    connection_.reset();
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  bool Trickle(io::Env env, std::string_view bytes) {
    const size_t step = Below(3) == 0 ? 1 + bytes.size() / 8 : bytes.size();
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
      if (!connection_->Send(bytes.substr(0, step), env.clock.MonotonicNs() + kPatienceNs)) return false;
      if (step < bytes.size()) env.clock.SleepUs(static_cast<int64_t>(Below(30'000)));
    }
    return true;
  }

  // What is asked for `body`, and what has to come back.
  void Ask(io::Env env) {
    static constexpr const char* kPaths[] = {"/echo", "/later", "/pieces"};
    const auto path = kPaths[Below(3)];
    const std::string body = Pattern(1 + Below(Below(2) == 0 ? 40 : 6'000), Below(23));
    std::string expected;
    for (int k = 0; k < (path == kPaths[2] ? World::kPieces : 1); k++) expected += body;
    const bool chunked = Below(2) == 0;
    const auto plain = Post(path, body, chunked), polite = Post(path, body, chunked, "Expect: 100-continue\r\n");
    switch (habit_ = Below(6)) {
      case 0:
        Trickle(env, plain.head + plain.body);
        return Expect(env, expected);
      case 1:  // two at once
        Trickle(env, plain.head + plain.body + plain.head + plain.body);
        Expect(env, expected);
        return Expect(env, expected);
      case 2:
        Trickle(env, polite.head);
        return Continue(env, polite.body, expected);
      case 3:  // it asks before it has read the answer to what came before
        Trickle(env, plain.head + plain.body + polite.head);
        Expect(env, expected);
        return Continue(env, polite.body, expected);
      case 4:  // closes its side and waits
        Trickle(env, plain.head + plain.body);
        if (connection_ != nullptr) connection_->HalfClose();
        Expect(env, expected);
        return connection_.reset();
      default:  // goes away in the middle of it
        const std::string all = plain.head + plain.body;
        (void)connection_->Send(std::string_view(all).substr(0, Below(all.size() + 1)), env.clock.MonotonicNs() + kPatienceNs);
        if (Below(2) == 0) connection_->ResetOnClose();
        return connection_.reset();
    }
  }

  void Continue(io::Env env, std::string_view body, std::string_view expected) {
    if (connection_ == nullptr) return;
    const auto interim = connection_->Receive(env.clock.MonotonicNs() + kPatienceNs);
    if (interim.status != 100) return Lost("no 100 (" + std::to_string(interim.status) + ")");
    Trickle(env, body);
    Expect(env, expected);
  }

  void Expect(io::Env env, std::string_view expected) {
    if (connection_ == nullptr) return;
    const auto reply = connection_->Receive(env.clock.MonotonicNs() + kPatienceNs);
    if (reply.status == 0) return Lost("no answer");
    answered++;
    EXPECT_EQ(reply.status, 200) << reply.body << ", habit " << habit_;
    EXPECT_EQ(reply.body.size(), expected.size());
    EXPECT_TRUE(reply.body == expected);
  }

  void Lost(const std::string& what) {
    unanswered++;
    connection_.reset();
    if (calm_) ADD_FAILURE() << what << ", habit " << habit_;
  }

  std::mt19937_64 random_;
  const bool calm_;
  uint64_t habit_ = 0;
  std::unique_ptr<NetworkClient> connection_;
};

struct Sums {
  int answered = 0, unanswered = 0;
};

Sums RunSeeds(uint64_t first, uint64_t count, bool calm) {
  Sums sums;
  for (uint64_t seed = first; seed < first + count && !testing::Test::HasFailure(); seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::SimulationOptions options;
    options.travel_us_max = seed % 3 == 0 ? 0 : 20'000;
    options.piece_bytes_max = seed % 2 == 0 ? 0 : 500;
    options.window_bytes_max = seed % 4 == 0 ? 300 : 10'000;
    if (!calm) {
      options.connection_reset = 0.02;
      options.connection_stalled = 0.01;
      options.accept_exhausted = 0.1;
    }
    World world(seed, options);
    std::vector<std::unique_ptr<Client>> clients;
    for (uint64_t i = 0; i < 3; i++) {
      clients.push_back(std::make_unique<Client>(seed * 10 + i, calm));
      world.AddClient([client = clients.back().get()](io::Env env) { client->Run(env); });
    }
    world.Run();
    for (auto& client : clients) {
      sums.answered += client->answered;
      sums.unanswered += client->unanswered;
    }
  }
  return sums;
}

TEST(SimulatedHttp, WhatNothingDisturbsIsAnswered) {
  const auto sums = RunSeeds(1, 60, true);
  EXPECT_GT(sums.answered, 1'000);
  EXPECT_EQ(sums.unanswered, 0);
}

// Goal: a client that has not read the answer before gets its 100 Continue and its answer. Method: answers of all lengths around a window.
TEST(SimulatedHttp, A100ContinueThatFindsNoRoomWaits) {
  io::SimulationOptions options;
  options.window_bytes_max = 256;
  for (size_t size = 1; size <= 150; size++) {
    World world(1, options);
    world.AddClient([&](io::Env env) {
      auto client = NetworkClient::Connect(env, {"127.0.0.1", 80}).value();
      const auto before = Post("/echo", Pattern(size, 0), false), polite = Post("/echo", "body", false, "Expect: 100-continue\r\n");
      const auto until_ns = [&] { return env.clock.MonotonicNs() + 5'000'000'000; };
      for (std::string_view bytes : {std::string_view(before.head), std::string_view(before.body), std::string_view(polite.head)}) {
        ASSERT_TRUE(client->Send(bytes, until_ns()));
        env.clock.SleepUs(10'000);
      }
      EXPECT_EQ(client->Receive(until_ns()).body, Pattern(size, 0));
      EXPECT_EQ(client->Receive(until_ns()).status, 100) << size;
      ASSERT_TRUE(client->Send(polite.body, until_ns()));
      EXPECT_EQ(client->Receive(until_ns()).body, "body");
    });
    world.Run();
  }
}

TEST(SimulatedHttp, AnswersBelongToTheirRequestsWhateverHappensToConnections) {
  const auto sums = RunSeeds(1'000, 60, false);
  EXPECT_GT(sums.answered, 500);
  EXPECT_GT(sums.unanswered, 50);
}

}  // namespace
}  // namespace sluice::front::http
