// SPDX-License-Identifier: Apache-2.0
#include "front/http/server.h"

#include "front/http/test_client.h"

namespace sluice::front::http {
namespace {

Route Echo(std::string pattern = "/echo", uint64_t body_bytes_max = kBodyBytesMax) {
  return {Method::kPost, std::move(pattern), [](HttpRequest& request, Responder responder) {
            std::string body(request.body());
            responder.Send({.content_type = "text/plain", .body = std::move(body)});
          }, "Sends the body back.", body_bytes_max};
}
Route Hello() {
  return {Method::kGet, "/hello/{name}", [](HttpRequest& request, Responder responder) {
            responder.Send({.content_type = "text/plain", .body = "hello " + std::string(request.Param("name"))});
          }, "Greets."};
}
std::string Post(std::string_view body, std::string_view path = "/echo") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  TestServer server({Echo(), Hello()});
  auto client = server.Connect();
  for (int i = 0; i < 3; ++i) {
    auto reply = client.Ask("GET /hello/J%C3%BCrgen HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "hello J\xc3\xbcrgen");
    EXPECT_FALSE(reply.closes);
  }
  EXPECT_EQ(client.Ask(Post("body")).body, "body");
}

}  // namespace
}  // namespace sluice::front::http
