// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are not quite HTTP. Each vector is sent to a real server; what is ambiguous must be refused and the connection
// closed, so that nothing behind it can be taken for a request of its own.

#include <string>
#include <vector>

#include "front/http/test_client.h"

namespace sluice::front::http {
namespace {

using namespace std::string_literals;

constexpr bool kCloses = true;
constexpr bool kStays = false;

struct Vector {
  const char* name;
  std::string bytes;
  int status;
  bool closes;
};

std::string Get(const std::string& headers) { return "GET /ok HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n"; }
std::string PostHead(const std::string& headers) { return "POST /ok HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n"; }
std::string Chunked(const std::string& body) { return PostHead("Transfer-Encoding: chunked\r\n") + body; }
std::string Line(const std::string& line) { return line + "\r\nHost: x\r\n\r\n"; }

std::vector<Vector> RequestLines() {
  return {
      {"plain", Line("GET /ok HTTP/1.1"), 200, kStays},
      {"one empty line before", "\r\n" + Line("GET /ok HTTP/1.1"), 200, kStays},
      {"two empty lines before", "\r\n\r\n" + Line("GET /ok HTTP/1.1"), 200, kStays},
      {"three empty lines before", "\r\n\r\n\r\n" + Line("GET /ok HTTP/1.1"), 400, kCloses},
      {"bare LF before", "\n" + Line("GET /ok HTTP/1.1"), 400, kCloses},
      {"space before", " " + Line("GET /ok HTTP/1.1"), 400, kCloses},
      {"two spaces before the target", Line("GET  /ok HTTP/1.1"), 400, kCloses},
      {"two spaces before the version", Line("GET /ok  HTTP/1.1"), 400, kCloses},
      {"tab for space", Line("GET\t/ok\tHTTP/1.1"), 400, kCloses},
      {"space behind the version", Line("GET /ok HTTP/1.1 "), 400, kCloses},
      {"space in the target", Line("GET /o k HTTP/1.1"), 400, kCloses},
      {"no version", Line("GET /ok"), 400, kCloses},
      {"no target", Line("GET HTTP/1.1"), 400, kCloses},
      {"no method", Line("/ok HTTP/1.1"), 400, kCloses},
      {"bare LF behind the request line", "GET /ok HTTP/1.1\nHost: x\r\n\r\n", 400, kCloses},
      {"bare CR behind the request line", "GET /ok HTTP/1.1\rHost: x\r\n\r\n", 400, kCloses},
      {"lower-case version", Line("GET /ok http/1.1"), 400, kCloses},
      {"mixed version", Line("GET /ok HtTP/1.1"), 400, kCloses},
      {"version without minor", Line("GET /ok HTTP/1"), 400, kCloses},
      {"version with two digits", Line("GET /ok HTTP/1.10"), 400, kCloses},
      {"version with a letter", Line("GET /ok HTTP/1.x"), 400, kCloses},
      {"other protocol", Line("GET /ok ICAP/1.0"), 400, kCloses},
      {"HTTP/2.0", Line("GET /ok HTTP/2.0"), 505, kCloses},
      {"HTTP/0.9 named", Line("GET /ok HTTP/0.9"), 505, kCloses},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, kCloses},
      {"TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s, 400, kCloses},
      {"zero byte first", "\0GET /ok HTTP/1.1\r\nHost: x\r\n\r\n"s, 400, kCloses},
      {"zero byte in the target", "GET /o\0k HTTP/1.1\r\nHost: x\r\n\r\n"s, 400, kCloses},
      {"control byte in the target", Line("GET /o\x01k HTTP/1.1"), 400, kCloses},
      {"delete in the target", Line("GET /o\x7fk HTTP/1.1"), 400, kCloses},
      {"raw UTF-8 in the target", Line("GET /\xc3\xbc HTTP/1.1"), 400, kCloses},
      {"fragment in the target", Line("GET /ok#part HTTP/1.1"), 400, kCloses},
      {"relative target", Line("GET ok HTTP/1.1"), 400, kCloses},
      {"backslash target", Line("GET \\ok HTTP/1.1"), 400, kCloses},
      {"absolute target", Line("GET http://x/ok HTTP/1.1"), 200, kStays},
      {"absolute target with a port", Line("GET http://x:8080/ok?a=1 HTTP/1.1"), 200, kStays},
      {"absolute target without a path", Line("GET http://x HTTP/1.1"), 404, kStays},
      {"absolute target without a host", Line("GET http:///ok HTTP/1.1"), 400, kCloses},
      {"absolute target with a user", Line("GET http://u@x/ok HTTP/1.1"), 400, kCloses},
      {"absolute target of another scheme", Line("GET ftp://x/ok HTTP/1.1"), 400, kCloses},
      {"asterisk for GET", Line("GET * HTTP/1.1"), 400, kCloses},
      {"asterisk for OPTIONS", Line("OPTIONS * HTTP/1.1"), 204, kStays},
      {"authority for CONNECT", Line("CONNECT x:443 HTTP/1.1"), 501, kCloses},
      {"TRACE", Line("TRACE /ok HTTP/1.1"), 501, kCloses},
      {"unknown method", Line("FETCH /ok HTTP/1.1"), 501, kCloses},
      {"lower-case method", Line("get /ok HTTP/1.1"), 501, kCloses},
      {"method with a bracket", Line("GE[T /ok HTTP/1.1"), 400, kCloses},
      {"escape cut short", Line("GET /ok%4 HTTP/1.1"), 400, kCloses},
      {"escape without digits", Line("GET /ok%zz HTTP/1.1"), 400, kCloses},
      {"escaped zero byte", Line("GET /ok%00 HTTP/1.1"), 400, kCloses},
      {"bad escape in the query", Line("GET /ok?a=%g1 HTTP/1.1"), 400, kCloses},
      {"dots do not climb", Line("GET /x/../ok HTTP/1.1"), 404, kStays},
      {"escaped slash is no separator", Line("GET /%2fok HTTP/1.1"), 404, kStays},
      {"escaped letters are the same path", Line("GET /%6Fk HTTP/1.1"), 200, kStays},
  };
}

std::vector<Vector> Headers() {
  return {
      {"no Host", "GET /ok HTTP/1.1\r\n\r\n", 400, kCloses},
      {"two Hosts", "GET /ok HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400, kCloses},
      {"two different Hosts", "GET /ok HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n", 400, kCloses},
      {"Host list", "GET /ok HTTP/1.1\r\nHost: x, y\r\n\r\n", 400, kCloses},
      {"Host with a user", "GET /ok HTTP/1.1\r\nHost: u@x\r\n\r\n", 400, kCloses},
      {"Host with a path", "GET /ok HTTP/1.1\r\nHost: x/y\r\n\r\n", 400, kCloses},
      {"Host with a bad port", "GET /ok HTTP/1.1\r\nHost: x:8a\r\n\r\n", 400, kCloses},
      {"Host with IPv6", "GET /ok HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200, kStays},
      {"empty Host", "GET /ok HTTP/1.1\r\nHost:\r\n\r\n", 200, kStays},
      {"HTTP/1.0 without Host", "GET /ok HTTP/1.0\r\n\r\n", 200, kCloses},
      {"HTTP/1.0 keep-alive", "GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, kCloses},
      {"close", Get("Connection: close\r\n"), 200, kCloses},
      {"close in a list", Get("Connection: x, Close\r\n"), 200, kCloses},
      {"space before the colon", Get("A : b\r\n"), 400, kCloses},
      {"tab before the colon", Get("A\t: b\r\n"), 400, kCloses},
      {"space before the colon of a length", PostHead("Content-Length : 1\r\n") + "a", 400, kCloses},
      {"no colon", Get("A\r\n"), 400, kCloses},
      {"no name", Get(": b\r\n"), 400, kCloses},
      {"space in a name", Get("A b: c\r\n"), 400, kCloses},
      {"bracket in a name", Get("A(b: c\r\n"), 400, kCloses},
      {"UTF-8 in a name", Get("\xc3\xbc: c\r\n"), 400, kCloses},
      {"zero byte in a name", Get("A\0b: c\r\n"s), 400, kCloses},
      {"folded with a space", Get("A: b\r\n c\r\n"), 400, kCloses},
      {"folded with a tab", Get("A: b\r\n\tc\r\n"), 400, kCloses},
      {"folded from empty", Get("A:\r\n b\r\n"), 400, kCloses},
      {"white space before the first header", "GET /ok HTTP/1.1\r\n Host: x\r\n\r\n", 400, kCloses},
      {"bare LF behind a header", Get("A: b\n"), 400, kCloses},
      {"bare LF at the end", "GET /ok HTTP/1.1\r\nHost: x\r\n\n", 400, kCloses},
      {"bare CR in a value", Get("A: b\rc\r\n"), 400, kCloses},
      {"zero byte in a value", Get("A: b\0c\r\n"s), 400, kCloses},
      {"control byte in a value", Get("A: b\x01\r\n"), 400, kCloses},
      {"delete in a value", Get("A: b\x7f\r\n"), 400, kCloses},
      {"UTF-8 in a value", Get("A: \xc3\xbc\r\n"), 200, kStays},
      {"tab in a value", Get("A: b\tc\r\n"), 200, kStays},
      {"empty value", Get("A:\r\n"), 200, kStays},
      {"unknown expectation", PostHead("Expect: 200-ok\r\nContent-Length: 1\r\n") + "a", 417, kCloses},
  };
}

std::vector<Vector> Bodies() {
  return {
      {"length", PostHead("Content-Length: 1\r\n") + "a", 200, kStays},
      {"length zero", PostHead("Content-Length: 0\r\n"), 200, kStays},
      {"no length", PostHead(""), 200, kStays},
      {"leading zeros", PostHead("Content-Length: 0001\r\n") + "a", 200, kStays},
      {"body of a GET", Get("Content-Length: 1\r\n") + "a", 200, kStays},
      {"length with plus", PostHead("Content-Length: +1\r\n") + "a", 400, kCloses},
      {"length with minus", PostHead("Content-Length: -1\r\n") + "a", 400, kCloses},
      {"length in hex", PostHead("Content-Length: 0x1\r\n") + "a", 400, kCloses},
      {"length with a fraction", PostHead("Content-Length: 1.0\r\n") + "a", 400, kCloses},
      {"length with a space inside", PostHead("Content-Length: 1 1\r\n") + "a", 400, kCloses},
      {"length empty", PostHead("Content-Length:\r\n"), 400, kCloses},
      {"length list", PostHead("Content-Length: 1, 1\r\n") + "a", 400, kCloses},
      {"length list of two", PostHead("Content-Length: 1, 2\r\n") + "a", 400, kCloses},
      {"length quoted", PostHead("Content-Length: \"1\"\r\n") + "a", 400, kCloses},
      {"length beyond 64 bits", PostHead("Content-Length: 18446744073709551617\r\n") + "a", 400, kCloses},
      {"length of 64 bits", PostHead("Content-Length: 18446744073709551615\r\n") + "a", 413, kCloses},
      {"length twice the same", PostHead("Content-Length: 1\r\nContent-Length: 1\r\n") + "a", 400, kCloses},
      {"length twice", PostHead("Content-Length: 1\r\nContent-Length: 2\r\n") + "a", 400, kCloses},
      {"length, then coding", PostHead("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"coding, then length", PostHead("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n", 400, kCloses},
      {"unknown coding and length", PostHead("Transfer-Encoding: x\r\nContent-Length: 1\r\n") + "a", 501, kCloses},
      {"coding twice", PostHead("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"coding listed twice", PostHead("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n", 501, kCloses},
      {"gzip, chunked", PostHead("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", 501, kCloses},
      {"chunked, gzip", PostHead("Transfer-Encoding: chunked, gzip\r\n") + "0\r\n\r\n", 501, kCloses},
      {"identity", PostHead("Transfer-Encoding: identity\r\n") + "a", 501, kCloses},
      {"xchunked", PostHead("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", 501, kCloses},
      {"chunked with a parameter", PostHead("Transfer-Encoding: chunked;q=1\r\n") + "0\r\n\r\n", 501, kCloses},
      {"chunked quoted", PostHead("Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n", 501, kCloses},
      {"chunked behind a vertical tab", PostHead("Transfer-Encoding: \x0b"s + "chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"coding empty", PostHead("Transfer-Encoding:\r\n"), 400, kCloses},
      {"coding with a space before the colon", PostHead("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"chunked in capitals", PostHead("Transfer-Encoding: CHUNKED\r\n") + "0\r\n\r\n", 200, kStays},
      {"coding in HTTP/1.0", "POST /ok HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, kCloses},
  };
}

std::vector<Vector> Chunks() {
  return {
      {"empty", Chunked("0\r\n\r\n"), 200, kStays},
      {"one chunk", Chunked("3\r\nabc\r\n0\r\n\r\n"), 200, kStays},
      {"zeros before the size", Chunked("0003\r\nabc\r\n000\r\n\r\n"), 200, kStays},
      {"extension", Chunked("3;a=b\r\nabc\r\n0;c\r\n\r\n"), 200, kStays},
      {"quoted extension", Chunked("3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n"), 200, kStays},
      {"trailer", Chunked("0\r\nA: b\r\n\r\n"), 200, kStays},
      {"trailer that names a length", Chunked("0\r\nContent-Length: 5\r\n\r\n"), 200, kStays},
      {"extension with bare LF", Chunked("3;a\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"extension with bare CR", Chunked("3;a\rb\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"extension with a zero byte", Chunked("3;\0\r\nabc\r\n0\r\n\r\n"s), 400, kCloses},
      {"extension beyond the limit", Chunked("3;" + std::string(kChunkLineBytesMax, 'a') + "\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"trailer with bare LF", Chunked("0\r\nA: b\n\r\n"), 400, kCloses},
      {"trailer folded", Chunked("0\r\nA: b\r\n c\r\n\r\n"), 400, kCloses},
      {"trailers beyond the limit", Chunked("0\r\nA: " + std::string(kChunkExtraBytesMax, 'b') + "\r\n\r\n"), 400, kCloses},
      {"no size", Chunked("\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size with plus", Chunked("+3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size with minus", Chunked("-3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size with 0x", Chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size with underscore", Chunked("0_3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"space before the size", Chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"space behind the size", Chunked("3 \r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size that is no number", Chunked("x\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size beyond 64 bits", Chunked("10000000000000003\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size of 64 bits", Chunked("ffffffffffffffff\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size that is huge", Chunked("fffffffffff\r\nabc\r\n0\r\n\r\n"), 413, kCloses},
      {"zeros without end", Chunked(std::string(kChunkLineBytesMax + 1, '0') + "3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"bare LF behind the size", Chunked("3\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"bare CR behind the size", Chunked("3\rabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size too small", Chunked("2\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"size too large", Chunked("4\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"no line end behind the data", Chunked("3\r\nabc0\r\n\r\n"), 400, kCloses},
      {"bare LF behind the data", Chunked("3\r\nabc\n0\r\n\r\n"), 400, kCloses},
      {"two bytes behind the data", Chunked("3\r\nabcXX0\r\n\r\n"), 400, kCloses},
  };
}

std::vector<Route> Routes() {
  auto ok = [](HttpRequest&, Responder responder) { responder.Send({.content_type = "text/plain", .body = "ok"}); };
  return {{Method::kGet, "/ok", ok, "Says ok."}, {Method::kPost, "/ok", ok, "Says ok."}};
}

// Goal: each vector gets its status, and an ambiguous one no second answer. Method: the vector, and behind it, in the same write, a
// sound request: it is answered exactly when the connection is to stay.
void Check(const std::vector<Vector>& vectors) {
  TestServer server(Routes());
  for (const Vector& vector : vectors) {
    SCOPED_TRACE(vector.name);
    auto client = server.Connect();
    client.Send(vector.bytes + Get(""));
    Reply reply = client.Receive();
    EXPECT_EQ(reply.status, vector.status);
    EXPECT_EQ(reply.closes, vector.closes);
    if (reply.status >= 400) {
      EXPECT_EQ(reply.Header("Content-Type"), kProblemType);
      EXPECT_NE(reply.body.find("\"type\":\"urn:sluice:problem:"), std::string::npos) << reply.body;
    }
    if (vector.closes) {
      EXPECT_TRUE(client.AtEnd());
    } else {
      EXPECT_EQ(client.Receive().status, 200);
    }
  }
}

TEST(HostileBytes, InRequestLines) { Check(RequestLines()); }
TEST(HostileBytes, InHeaders) { Check(Headers()); }
TEST(HostileBytes, InBodyFraming) { Check(Bodies()); }
TEST(HostileBytes, InChunks) { Check(Chunks()); }

TEST(HostileBytes, ThereAreEnoughVectors) {
  EXPECT_GE(RequestLines().size() + Headers().size() + Bodies().size() + Chunks().size(), 150u);
}

// Goal: how the network cuts the bytes changes nothing. Method: one byte at a time.
TEST(HostileBytes, CutsBetweenPacketsChangeNothing) {
  TestServer server(Routes());
  for (const std::string& bytes : {Chunked("3;a\r\nabc\r\n0\r\nA: b\r\n\r\n"), PostHead("Content-Length: 3\r\n") + "abc", "\r\n" + Get("A: b\r\n")}) {
    auto client = server.Connect();
    for (char c : bytes) client.Send(std::string(1, c));
    EXPECT_EQ(client.Receive().status, 200);
    EXPECT_EQ(client.Ask(Get("")).status, 200);
  }
}

}  // namespace
}  // namespace sluice::front::http
