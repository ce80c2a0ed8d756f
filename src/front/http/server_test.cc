// SPDX-License-Identifier: Apache-2.0
#include "front/http/server.h"

#include "front/http/http_metrics.h"
#include "front/http/test_client.h"

namespace sluice::front::http {
namespace {

Route Echo(std::string pattern = "/echo", uint64_t body_bytes_max = kBodyBytesMax) {
  return {Method::kPost, std::move(pattern), [](HttpRequest& request, Responder responder) {
            std::string body = responder.TakeScratch();
            body = request.body();
            responder.Send({.content_type = "text/plain", .body = std::move(body)});
          }, "Sends the body back.", body_bytes_max};
}
Route Hello() {
  return {Method::kGet, "/hello/{name}", [](HttpRequest& request, Responder responder) {
            responder.Send({.content_type = "text/plain", .body = "hello " + std::string(request.Param("name"))});
          }, "Greets."};
}
// Keeps responders until the test answers.
struct Waiting {
  std::vector<Responder> responders;
  int gone = 0;
  std::unique_ptr<io::Signal> changed;
  explicit Waiting(io::Threads& threads) : changed(threads.NewSignal()) {}
  Route MakeRoute() {
    return {Method::kPost, "/wait", [this](HttpRequest&, Responder responder) {
              responder.OnClientGone([this] {
                ++gone;
                changed->Notify();
              });
              responders.push_back(std::move(responder));
              changed->Notify();
            }, "Answers when the test says so."};
  }
};

std::string Post(std::string_view body, std::string_view path = "/echo", std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}
std::string Get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

std::string Pattern(size_t size) {
  std::string out(size, ' ');
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  TestServer server({Echo(), Hello()});
  auto client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    auto reply = client.Ask(Get("/hello/J%C3%BCrgen"));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello J\xc3\xbcrgen");
    EXPECT_FALSE(reply.closes);
    EXPECT_EQ(reply.Header("Date").size(), 29u);
  }
  EXPECT_EQ(client.Ask(Post("body")).body, "body");
}

TEST(HttpServer, TakesBodiesOfEverySizeWhole) {
  TestServer server({Echo()});
  auto client = server.Connect();
  for (size_t size : {1ul, 4096ul, 8191ul, 8192ul, 32769ul, 163840ul, 163841ul, 1000000ul, static_cast<size_t>(kBodyBytesMax)}) {
    EXPECT_EQ(client.Ask(Post(Pattern(size))).body, Pattern(size)) << size;
  }
}

TEST(HttpServer, DecodesChunkedBodies) {
  TestServer server({Echo()});
  auto client = server.Connect();
  std::string body, chunks;
  for (size_t size : {1ul, 10ul, 4095ul, 4096ul, 70000ul}) {
    char line[32];
    std::snprintf(line, sizeof line, "%zx;x=y\r\n", size);
    body += Pattern(size);
    chunks += line + Pattern(size) + "\r\n";
  }
  client.Send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\nA: b\r\n\r\n" + Post("next"));
  EXPECT_EQ(client.Receive().body, body);
  EXPECT_EQ(client.Receive().body, "next");
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  TestServer server({Echo(), Hello()});
  auto client = server.Connect();
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += i % 2 ? Post(Pattern(static_cast<size_t>(i) * 37)) : Get("/hello/" + std::to_string(i));
  client.Send(requests);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.Receive().body, i % 2 ? Pattern(static_cast<size_t>(i) * 37) : "hello " + std::to_string(i));
  }
}

TEST(HttpServer, AsksForTheBodyThatAClientHoldsBack) {
  TestServer server({Echo("/echo", 10)});
  auto client = server.Connect();
  EXPECT_EQ(client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").status, 100);
  EXPECT_EQ(client.Ask("body").body, "body");
  // A body that will be refused is not asked for.
  EXPECT_EQ(client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n").status, 413);
}

TEST(HttpServer, HeadIsGetWithoutTheBody) {
  TestServer server({Hello()});
  auto client = server.Connect();
  auto reply = client.Ask("HEAD /hello/you HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.Header("Content-Length"), "9");
  EXPECT_EQ(client.Ask(Get("/hello/you")).body, "hello you");
}

TEST(HttpServer, SaysWhatAPathTakes) {
  TestServer server({Echo("/v1/events"), Hello()});
  auto client = server.Connect();
  auto reply = client.Ask(Get("/v1/events"));
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.Header("Allow"), "POST, OPTIONS");
  reply = client.Ask("OPTIONS /hello/x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.Header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(reply.Header("Content-Length"), "");
  reply = client.Ask(Get("/v1/event"));
  EXPECT_EQ(reply.status, 404);
  EXPECT_NE(reply.body.find("did you mean /v1/events?"), std::string::npos) << reply.body;
  // A body for which there is no handler is not read: the connection ends behind the answer.
  reply = client.Ask(Post("body", "/nowhere"));
  EXPECT_EQ(reply.status, 404);
  EXPECT_TRUE(reply.closes);
  EXPECT_TRUE(client.AtEnd());
}

// Limits, at the bound and one beyond -------------------------------------------------------------------------------------

std::string HeadOf(size_t bytes) {
  std::string head = "GET /hello/x HTTP/1.1\r\nHost: x\r\nA: ";
  return head + std::string(bytes - head.size() - 4, 'a') + "\r\n\r\n";
}

TEST(HttpLimits, BytesOfAHead) {
  TestServer server({Hello()});
  EXPECT_EQ(server.Connect().Ask(HeadOf(kHeadBytesMax)).status, 200);
  EXPECT_EQ(server.Connect().Ask(HeadOf(kHeadBytesMax + 1)).status, 431);
  auto client = server.Connect();
  client.Send(HeadOf(kHeadBytesMax) + HeadOf(kHeadBytesMax));
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 200);
}

TEST(HttpLimits, NumberOfHeaders) {
  TestServer server({Hello()});
  auto with = [](size_t count) {
    std::string head = "GET /hello/x HTTP/1.1\r\nHost: x\r\n";
    for (size_t i = 1; i < count; ++i) head += "A: b\r\n";
    return head + "\r\n";
  };
  EXPECT_EQ(server.Connect().Ask(with(kHeadersMax)).status, 200);
  EXPECT_EQ(server.Connect().Ask(with(kHeadersMax + 1)).status, 431);
}

TEST(HttpLimits, BytesOfATarget) {
  TestServer server({Hello()});
  EXPECT_EQ(server.Connect().Ask(Get("/hello/" + std::string(kTargetBytesMax - 7, 'a'))).status, 200);
  EXPECT_EQ(server.Connect().Ask(Get("/hello/" + std::string(kTargetBytesMax - 6, 'a'))).status, 414);
  // Told without waiting for the line's end.
  EXPECT_EQ(server.Connect().Ask("GET /" + std::string(kTargetBytesMax + 100, 'a')).status, 414);
}

TEST(HttpLimits, BytesOfABodyByRoute) {
  TestServer server({Echo("/small", 100), Echo("/echo")});
  auto chunked = [](size_t size) {
    char line[32];
    std::snprintf(line, sizeof line, "%zx\r\n", size);
    return "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + (line + Pattern(size)) + "\r\n0\r\n\r\n";
  };
  EXPECT_EQ(server.Connect().Ask(Post(Pattern(100), "/small")).status, 200);
  EXPECT_EQ(server.Connect().Ask(Post(Pattern(101), "/small")).status, 413);
  EXPECT_EQ(server.Connect().Ask(chunked(100)).status, 200);
  EXPECT_EQ(server.Connect().Ask(chunked(101)).status, 413);
  // The client still reads the answer when it sends all of a body that is refused.
  EXPECT_EQ(server.Connect().Ask(Post(Pattern(kBodyBytesMax + 1), "/echo")).status, 413);
}

TEST(HttpLimits, Connections) {
  TestServer server({Hello()}, {.connections_max = 2});
  auto a = server.Connect(), b = server.Connect();
  EXPECT_EQ(a.Ask(Get("/hello/x")).status, 200);
  EXPECT_EQ(b.Ask(Get("/hello/x")).status, 200);
  auto c = server.Connect();
  auto reply = c.Receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.closes);
  EXPECT_EQ(reply.Header("Retry-After"), "1");
  EXPECT_EQ(server.env().metrics.GetCounter(kRefusedTotal, {{"bound", "total"}}).value(), 1u);
}

TEST(HttpLimits, BytesOfBodiesInFlight) {
  // Handlers keep two bodies that fill the bound; the next one is refused until they are given back.
  std::vector<BodyBuffer> kept;
  Route keep{Method::kPost, "/keep", [&](HttpRequest& request, Responder responder) {
               kept.push_back(request.TakeBody());
               responder.Send({.status = 200});
             }, "Keeps bodies."};
  TestServer server({keep}, {.body_bytes_in_flight_max = kBodyBytesMax});
  EXPECT_EQ(server.Connect().Ask(Post(Pattern(kBodyBytesMax - 1), "/keep")).status, 200);
  EXPECT_EQ(server.Connect().Ask(Post("a", "/keep")).status, 200);
  auto reply = server.Connect().Ask(Post("b", "/keep"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.Header("Retry-After"), "1");
  server.OnLoop([&] { kept.clear(); });
  EXPECT_EQ(server.Connect().Ask(Post("c", "/keep")).status, 200);
  server.OnLoop([&] { kept.clear(); });
}

TEST(HttpOptions, NamesWhatIsOutOfRange) {
  EXPECT_TRUE(HttpOptions{}.Validate().ok());
  auto wrong = HttpOptions{.idle_timeout_ms = 0}.Validate();
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("idle_timeout_ms"), std::string::npos);
  EXPECT_FALSE((HttpOptions{.connections_max = 0}.Validate().ok()));
  EXPECT_FALSE((HttpOptions{.body_bytes_in_flight_max = kBodyBytesMax - 1}.Validate().ok()));
}

// Deadlines ----------------------------------------------------------------------------------------------------------------

TEST(HttpDeadlines, OfAHead) {
  TestServer server({Hello()}, {.head_timeout_ms = 20});
  auto client = server.Connect();
  auto reply = client.Ask("GET /hello/x HTTP/1.1\r\nHost:");
  EXPECT_EQ(reply.status, 408);
  EXPECT_TRUE(client.AtEnd());
  EXPECT_EQ(server.env().metrics.GetCounter(kTimeoutsTotal, {{"phase", "head"}}).value(), 1u);
}

TEST(HttpDeadlines, OfABody) {
  TestServer server({Echo()}, {.body_timeout_ms = 20});
  auto client = server.Connect();
  EXPECT_EQ(client.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc").status, 408);
  EXPECT_TRUE(client.AtEnd());
}

TEST(HttpDeadlines, OfAnIdleConnection) {
  TestServer server({Hello()}, {.idle_timeout_ms = 20});
  auto client = server.Connect();
  EXPECT_TRUE(client.AtEnd());  // without a word
}

TEST(HttpDeadlines, OfAClientThatDoesNotRead) {
  Route large{Method::kGet, "/large", [](HttpRequest&, Responder responder) {
                responder.Send({.content_type = "text/plain", .body = std::string(32 << 20, 'x')});
              }, "Sends much."};
  TestServer server({large}, {.write_timeout_ms = 20});
  TestClient client(server.port(), 4096);
  client.Send(Get("/large"));
  io::Counter& cut = server.env().metrics.GetCounter(kTimeoutsTotal, {{"phase", "write"}});
  while (cut.value() == 0) std::this_thread::yield();
  EXPECT_LT(client.Receive().body.size(), size_t{32} << 20);
}

// Who leaves, and when ------------------------------------------------------------------------------------------------------

TEST(HttpClients, ThatGoAwayCancelTheirRequest) {
  io::RealWorld world(io::LogLevel::kError);
  Waiting waiting(world.env().threads);
  TestServer server({waiting.MakeRoute(), Hello()});
  auto client = server.Connect();
  client.Send(Post("x", "/wait"));
  waiting.changed->Wait();
  client.Close();
  waiting.changed->Wait();
  server.OnLoop([&] {
    EXPECT_EQ(waiting.gone, 1);
    waiting.responders.front().Send({.status = 200});  // too late, and harmless
  });
  EXPECT_EQ(server.Connect().Ask(Get("/hello/x")).status, 200);
}

TEST(HttpClients, ThatOnlyStopSendingGetTheirAnswer) {
  io::RealWorld world(io::LogLevel::kError);
  Waiting waiting(world.env().threads);
  TestServer server({waiting.MakeRoute()});
  auto client = server.Connect();
  client.Send(Post("x", "/wait"));
  client.HalfClose();
  while (waiting.changed->Wait(), server.OnLoop([] {}), waiting.gone == 0) {
  }
  server.OnLoop([&] { waiting.responders.front().Send({.status = 200, .content_type = "text/plain", .body = "late"}); });
  EXPECT_EQ(client.Receive().body, "late");
  EXPECT_TRUE(client.AtEnd());
}

TEST(HttpClients, ThatCutABodyReachNoHandler) {
  int calls = 0;
  Route count{Method::kPost, "/count", [&](HttpRequest&, Responder responder) {
                ++calls;
                responder.Send({.status = 200});
              }, "Counts."};
  TestServer server({count, Hello()});
  auto client = server.Connect();
  client.Send("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  client.HalfClose();
  EXPECT_TRUE(client.AtEnd());
  server.OnLoop([&] { EXPECT_EQ(calls, 0); });
}

TEST(Responder, AnswersFromAnotherThread) {
  io::RealWorld world(io::LogLevel::kError);
  Waiting waiting(world.env().threads);
  TestServer server({waiting.MakeRoute()});
  auto client = server.Connect();
  client.Send(Post("x", "/wait"));
  waiting.changed->Wait();
  Responder taken;
  server.OnLoop([&] { taken = std::move(waiting.responders.front()); });
  taken.Send({.status = 201});  // this thread is not the loop's
  EXPECT_EQ(client.Receive().status, 201);
}

TEST(Responder, ThatIsDroppedAnswers500) {
  Route drop{Method::kGet, "/drop", [](HttpRequest&, Responder) {}, "Forgets."};
  TestServer server({drop});
  auto client = server.Connect();
  EXPECT_EQ(client.Ask(Get("/drop")).status, 500);
  EXPECT_EQ(client.Ask(Get("/drop")).status, 500);
}

TEST(HttpServer, ServesTwoHundredConnectionsAtOnce) {
  TestServer server({Echo()});
  std::vector<TestClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(server.Connect());
  for (size_t round = 0; round < 3; ++round) {
    for (size_t i = 0; i < clients.size(); ++i) clients[i].Send(Post(Pattern(i * 50 + round)));
    for (size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i].Receive().body, Pattern(i * 50 + round));
  }
  server.OnLoop([&] { EXPECT_EQ(server.server().connection_count(), 200u); });
}

TEST(HttpServer, CountsRequestsByRouteAndStatus) {
  TestServer server({Hello()});
  auto client = server.Connect();
  client.Ask(Get("/hello/a"));
  client.Ask(Get("/hello/b"));
  client.Ask(Get("/nowhere"));
  auto& metrics = server.env().metrics;
  EXPECT_EQ(metrics.GetCounter(kRequestsTotal, {{"route", "/hello/{name}"}, {"status", "200"}}).value(), 2u);
  EXPECT_EQ(metrics.GetCounter(kRequestsTotal, {{"route", kNoRoute}, {"status", "404"}}).value(), 1u);
  EXPECT_EQ(metrics.GetGauge(kConnections).value(), 1);
  EXPECT_GT(metrics.GetCounter(kReceivedBytesTotal).value(), 100u);
  EXPECT_GT(metrics.GetCounter(kSentBytesTotal).value(), 100u);
}

// Goal: a drain loses no request that has begun. Method: one idle connection, one whose handler waits, one in the middle of a body.
TEST(HttpServer, DrainFinishesWhatHasBegun) {
  io::RealWorld world(io::LogLevel::kError);
  Waiting waiting(world.env().threads);
  TestServer server({waiting.MakeRoute(), Echo()});
  auto idle = server.Connect(), working = server.Connect(), sending = server.Connect();
  EXPECT_EQ(idle.Ask(Post("x")).status, 200);
  EXPECT_EQ(sending.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n").status, 100);
  working.Send(Post("x", "/wait"));
  waiting.changed->Wait();
  auto drained = world.env().threads.NewSignal();
  server.OnLoop([&] { server.server().Drain([&] { drained->Notify(); }); });
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_FALSE(server.Connect().connected());
  auto reply = sending.Ask("body");
  EXPECT_EQ(reply.body, "body");
  EXPECT_TRUE(reply.closes);
  server.OnLoop([&] { waiting.responders.front().Send({.status = 200}); });
  reply = working.Receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.closes);
  sending.Close();
  working.Close();
  EXPECT_TRUE(drained->Wait(20'000'000));
}

TEST(HttpDate, IsWrittenAsTheStandardSays) {
  EXPECT_EQ(FormatHttpDate({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(FormatHttpDate({784111777LL * kMicrosPerSecond}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace sluice::front::http
