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

// What RFC 9110 and 9112 demand of a server and the lists above do not have; by section. (9112 unless it says otherwise.)
std::vector<Vector> Musts() {
  auto absolute = [](const std::string& target, const std::string& host) { return "GET " + target + " HTTP/1.1\r\n" + host + "\r\n"; };
  return {
      // 2.2: bytes, not characters
      {"2.2 UTF-16", "\xff\xfeG\0E\0T\0"s, 400, kCloses},
      {"2.2 byte order mark", "\xef\xbb\xbf" + Line("GET /ok HTTP/1.1"), 400, kCloses},
      {"2.2 CR CR LF behind a header", Get("A: b\r\r\n"), 400, kCloses},
      {"2.2 CR CR LF at the end", "GET /ok HTTP/1.1\r\nHost: x\r\n\r\r\n", 400, kCloses},
      {"2.2 bare CR before a header", Get("\rA: b\r\n"), 400, kCloses},
      {"2.2 bare CR before a coding", PostHead("X: y\rTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"2.2 tab before the first header", "GET /ok HTTP/1.1\r\n\tHost: x\r\n\r\n", 400, kCloses},
      {"2.2 line of white space before the first header", "GET /ok HTTP/1.1\r\n \r\nHost: x\r\n\r\n", 400, kCloses},
      {"2.2 vertical tab for space", Line("GET\x0b/ok HTTP/1.1"), 400, kCloses},
      {"2.2 form feed for space", Line("GET\x0c/ok HTTP/1.1"), 400, kCloses},
      {"2.2 no-break space", Line("GET\xc2\xa0/ok HTTP/1.1"), 400, kCloses},
      // 2.3, and 9110 2.5: versions
      {"2.3 higher minor version", Line("GET /ok HTTP/1.2"), 505, kCloses},
      {"2.3 version with a space inside", Line("GET /ok HTTP/ 1.1"), 400, kCloses},
      {"2.3 version with a sign", Line("GET /ok HTTP/+1.1"), 400, kCloses},
      {"2.3 version with zeros", Line("GET /ok HTTP/01.1"), 400, kCloses},
      {"2.3 version with a comma", Line("GET /ok HTTP/1,1"), 400, kCloses},
      {"2.3 two versions", Line("GET /ok HTTP/1.1 HTTP/1.1"), 400, kCloses},
      // 3: request lines
      {"3 empty method", Line(" /ok HTTP/1.1"), 400, kCloses},
      {"3 method with a colon", Line("GE:T /ok HTTP/1.1"), 400, kCloses},
      {"3 header as request line", "Host: x\r\n\r\n", 400, kCloses},
      {"3 status line", "HTTP/1.1 200 OK\r\nHost: x\r\n\r\n", 400, kCloses},
      {"3 method of the longest kind", Line(std::string(300, 'A') + " /ok HTTP/1.1"), 501, kCloses},
      {"3 target of 8,000 bytes", Line("GET /ok?" + std::string(7'990, 'a') + " HTTP/1.1"), 200, kStays},
      // 3.2: targets and Host
      {"3.2 Host behind the target's port", absolute("http://x:80/ok", "Host: x\r\n"), 200, kStays},
      {"3.2.2 absolute target wins over Host", absolute("http://other/ok", "Host: x\r\n"), 200, kStays},
      {"3.2.2 absolute target in capitals", absolute("HTTP://x/ok", "Host: x\r\n"), 200, kStays},
      {"3.2 absolute target without Host", absolute("http://x/ok", ""), 400, kCloses},
      {"3.2 absolute target with two Hosts", absolute("http://x/ok", "Host: x\r\nHost: x\r\n"), 400, kCloses},
      {"3.2 absolute target with a bad Host", absolute("http://x/ok", "Host: x y\r\n"), 400, kCloses},
      {"3.2 absolute target with a bad port", absolute("http://x:8a/ok", "Host: x\r\n"), 400, kCloses},
      {"3.2 absolute target with a fragment", absolute("http://x/ok#a", "Host: x\r\n"), 400, kCloses},
      {"3.2 Host with a space", "GET /ok HTTP/1.1\r\nHost: x y\r\n\r\n", 400, kCloses},
      {"3.2 Host with a query", "GET /ok HTTP/1.1\r\nHost: x?y\r\n\r\n", 400, kCloses},
      {"3.2 Host with a scheme", "GET /ok HTTP/1.1\r\nHost: http://x\r\n\r\n", 400, kCloses},
      {"3.2 Host with an open bracket", "GET /ok HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, kCloses},
      {"3.2 Host with a port of six digits", "GET /ok HTTP/1.1\r\nHost: x:123456\r\n\r\n", 400, kCloses},
      {"3.2 Host in any case", "GET /ok HTTP/1.1\r\nhOsT: x\r\n\r\n", 200, kStays},
      {"3.2 two Hosts in HTTP/1.0", "GET /ok HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400, kCloses},
      {"3.2.3 authority for GET", Line("GET x:80 HTTP/1.1"), 400, kCloses},
      {"3.2.4 asterisk with a query", Line("OPTIONS *?a HTTP/1.1"), 400, kCloses},
      // 5: headers
      {"5 slash in a name", Get("A/b: c\r\n"), 400, kCloses},
      {"5 quote in a name", Get("A\"b: c\r\n"), 400, kCloses},
      {"5 only a colon", Get(":\r\n"), 400, kCloses},
      {"5.1 white space around a value", Get("A: \t b \t \r\n"), 200, kStays},
      {"5.1 no white space before a value", Get("A:b\r\n"), 200, kStays},
      {"5.2 folded Host", "GET /ok HTTP/1.1\r\nHost:\r\n x\r\n\r\n", 400, kCloses},
      {"5.2 folded length", PostHead("Content-Length:\r\n 1\r\n") + "a", 400, kCloses},
      {"5.2 folded coding", PostHead("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"5.2 folded as the last line", Get("A: b\r\n \r\n"), 400, kCloses},
      // 6: where the body ends
      {"6.1 coding with white space around", PostHead("Transfer-Encoding: \t chunked \t\r\n") + "0\r\n\r\n", 200, kStays},
      {"6.1 coding behind a form feed", PostHead("Transfer-Encoding: \x0c" "chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"6.1 chunked and identity", PostHead("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") + "0\r\n\r\n", 400, kCloses},
      {"6.1 chunked and a cow", PostHead("Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n") + "0\r\n\r\n", 400, kCloses},
      {"6.1 a cow and chunked", PostHead("Transfer-Encoding: cow\r\nTransfer-encoding: chunked\r\n") + "0\r\n\r\n", 501, kCloses},
      {"6.1 chunked with a comma", PostHead("Transfer-Encoding: chunked,\r\n") + "0\r\n\r\n", 501, kCloses},
      {"6.1 chunked cut short", PostHead("Transfer-Encoding: chunke\r\n") + "0\r\n\r\n", 501, kCloses},
      {"6.1 chunked with a zero byte", PostHead("Transfer-Encoding: chunked\0\r\n"s) + "0\r\n\r\n", 400, kCloses},
      {"6.1 coding for a GET", Get("Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", 200, kStays},
      {"6.1 length of zero and coding", PostHead("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400, kCloses},
      {"6.1 coding, length and HTTP/1.0", "POST /ok HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, kCloses},
      {"6.2 length of foreign digits", PostHead("Content-Length: \xd9\xa1\r\n") + "a", 400, kCloses},
      {"6.2 length with an exponent", PostHead("Content-Length: 1e0\r\n") + "a", 400, kCloses},
      {"6.2 length with a semicolon", PostHead("Content-Length: 1;\r\n") + "a", 400, kCloses},
      {"6.2 length in octal", PostHead("Content-Length: 0o1\r\n") + "a", 400, kCloses},
      {"6.2 length in brackets", PostHead("Content-Length: (1)\r\n") + "a", 400, kCloses},
      {"6.2 length with a zero byte", PostHead("Content-Length: 1\0\r\n"s) + "a", 400, kCloses},
      {"6.2 length of HTTP/1.0", "POST /ok HTTP/1.0\r\nContent-Length: 1\r\n\r\na", 200, kCloses},
      {"6.2 bad length of a GET", Get("Content-Length: -1\r\n"), 400, kCloses},
      {"6.2 three lengths", PostHead("Content-Length: 1\r\nA: b\r\nContent-Length: 1\r\ncontent-length: 1\r\n") + "a", 400, kCloses},
      // 7: chunks
      {"7.1 size in capitals", Chunked("0A\r\n0123456789\r\n0\r\n\r\n"), 200, kStays},
      {"7.1 size with a comma", Chunked("3,\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"7.1 size with h", Chunked("3h\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"7.1 size of foreign digits", Chunked("\xd9\xa3\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"7.1 size with a zero byte", Chunked("3\0\r\nabc\r\n0\r\n\r\n"s), 400, kCloses},
      {"7.1 size that wraps at 32 bits", Chunked("100000003\r\nabc\r\n0\r\n\r\n"), 413, kCloses},
      {"7.1 tab behind the size", Chunked("3\t\r\nabc\r\n0\r\n\r\n"), 400, kCloses},
      {"7.1 LF CR behind the size", Chunked("3\n\rabc\r\n0\r\n\r\n"), 400, kCloses},
      {"7.1 last chunk with bare LF", Chunked("3\r\nabc\r\n0\n\n"), 400, kCloses},
      {"7.1 end with bare LF", Chunked("3\r\nabc\r\n0\r\n\n"), 400, kCloses},
      {"7.1.1 extension without a name", Chunked("3;\r\nabc\r\n0\r\n\r\n"), 200, kStays},
      {"7.1.1 many extensions", Chunked("3;a;b=c;d=\"e\"\r\nabc\r\n0\r\n\r\n"), 200, kStays},
      {"7.1.2 trailer that names a Host", Chunked("0\r\nHost: y\r\n\r\n"), 200, kStays},
      {"7.1.2 trailer that names a coding", Chunked("0\r\nTransfer-Encoding: chunked\r\n\r\n"), 200, kStays},
      {"7.1.2 trailer with a zero byte", Chunked("0\r\nA: \0\r\n\r\n"s), 400, kCloses},
      // 9: connections
      {"9.3 close in capitals", Get("CONNECTION: CLOSE\r\n"), 200, kCloses},
      {"9.6 empty elements before close", Get("Connection: , ,close\r\n"), 200, kCloses},
      {"9.6 close in the second header", Get("Connection: x\r\nConnection: close\r\n"), 200, kCloses},
      {"9.6 keep-alive and close", Get("Connection: keep-alive, close\r\n"), 200, kCloses},
      {"9.6 close of a request that is not found", "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404, kCloses},
      // RFC 9110
      {"9110 7.8 upgrade to another protocol", Get("Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"), 200, kStays},
      {"9110 7.8 upgrade to WebSocket", Get("Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"), 200, kStays},
      {"9110 9.3.6 CONNECT with a body", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", 501, kCloses},
      {"9110 10.1.1 expectation of HTTP/1.0", "POST /ok HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", 200, kCloses},
      {"9110 10.1.1 expectation in capitals, body at hand", PostHead("Expect: 100-CONTINUE\r\nContent-Length: 1\r\n") + "a", 200, kStays},
      {"9110 10.1.1 expectation without a body", PostHead("Expect: 100-continue\r\n"), 200, kStays},
      {"9110 14.2 range of a POST", PostHead("Range: bytes=0-0\r\nContent-Length: 1\r\n") + "a", 200, kStays},
      {"9110 15.5.6 method that the path does not have", Line("DELETE /ok HTTP/1.1"), 405, kStays},
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
    EXPECT_EQ(reply.Header("Date").size(), 29u);  // RFC 9110 section 6.6.1
    EXPECT_EQ(reply.Header("Allow").empty(), reply.status != 405 && reply.status != 204);
    EXPECT_TRUE(reply.status != 204 || (reply.Header("Content-Length") + reply.Header("Transfer-Encoding")).empty());
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

TEST(HostileBytes, InWhatElseTheStandardDemands) { Check(Musts()); }

TEST(HostileBytes, ThereAreEnoughVectors) {
  EXPECT_GE(RequestLines().size() + Headers().size() + Bodies().size() + Chunks().size() + Musts().size(), 240u);
}

// Goal: nothing that comes in pieces gets two readings. Method: every vector, byte by byte, refused or taken as in one piece.
TEST(HostileBytes, InPiecesAreReadTheSame) {
  TestServer server(Routes());
  for (const auto& vectors : {RequestLines(), Headers(), Bodies(), Chunks(), Musts()}) {
    for (const Vector& vector : vectors) {
      if (vector.bytes.size() > 400) continue;
      SCOPED_TRACE(vector.name);
      auto client = server.Connect();
      for (char c : vector.bytes) client.Send(std::string(1, c));
      client.Send(Get(""));
      Reply reply = client.Receive();
      if (reply.status == 100) reply = client.Receive();
      EXPECT_EQ(reply.status, vector.status);
      EXPECT_EQ(reply.closes, vector.closes);
    }
  }
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
