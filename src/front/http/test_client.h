// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests: a real server on a free port with its loop in a thread, and a client that blocks and sends any bytes.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "front/http/network_client.h"
#include "front/http/problems.h"
#include "front/http/responder.h"
#include "front/http/server.h"
#include "io/env.h"

namespace sluice::front::http {

class TestClient {
 public:
  explicit TestClient(uint16_t port, int receive_buffer_bytes = 0) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes > 0) setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    timeval patience{.tv_sec = 20, .tv_usec = 0};  // a test that would hang fails instead
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  TestClient(TestClient&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), connected_(other.connected_), buffer_(std::move(other.buffer_)) {}
  ~TestClient() { Close(); }

  bool connected() const { return connected_; }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  void HalfClose() { shutdown(descriptor_, SHUT_WR); }
  // Stops quietly when the server closed: the test looks at what comes back.
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t n = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
  }
  // One answer. `head_request`: it has no body whatever its length says.
  Reply Receive(bool head_request = false) {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return {};
    }
    Reply reply = Reply::FromHead(buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    if (head_request || reply.status == 204 || reply.status < 200) return reply;
    if (reply.Header("Transfer-Encoding") == "chunked") {
      ReceiveChunks(reply);
    } else if (auto length = reply.Header("Content-Length"); !length.empty()) {
      size_t size = std::strtoul(length.c_str(), nullptr, 10);
      while (buffer_.size() < size && More()) {
      }
      reply.body = buffer_.substr(0, size);
      buffer_.erase(0, size);
    } else {
      while (More()) {
      }
      reply.body = std::exchange(buffer_, {});
    }
    return reply;
  }
  // Sends `request` and takes one answer.
  Reply Ask(std::string_view request) {
    Send(request);
    return Receive(request.starts_with("HEAD "));
  }
  // True when the server closes without another byte.
  bool AtEnd() { return buffer_.empty() && !More() && !timed_out_; }
  bool broken() const { return broken_; }
  // Waits for some bytes, without taking an answer apart. Their number so far.
  size_t Peek() { More(); return buffer_.size(); }

 private:
  bool More() {
    char bytes[65536];
    ssize_t n = recv(descriptor_, bytes, sizeof bytes, 0);
    if (n <= 0) {
      timed_out_ = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
      broken_ = n < 0;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(n));
    return true;
  }
  void ReceiveChunks(Reply& reply) {
    for (;;) {
      size_t line;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!More()) return Broken();
      }
      size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < line + 2 + size + 2) {
        if (!More()) return Broken();
      }
      reply.body += buffer_.substr(line + 2, size);
      buffer_.erase(0, line + 2 + size + 2);
      if (size == 0) return;
    }
  }
  void Broken() { broken_ = true; }

  int descriptor_;
  bool connected_ = false;
  bool timed_out_ = false;
  bool broken_ = false;  // ended in the middle of chunks, or by a reset
  std::string buffer_;
};

// A server whose loop runs in a thread of its own, until this is destroyed.
class TestServer {
 public:
  explicit TestServer(std::vector<Route> routes, HttpOptions options = {}) : env_(world_.env()) {
    loop_ = std::move(io::EventLoop::Make(env_.network, env_.clock)).value();
    auto router = Router::Make(std::move(routes));
    auto server = HttpServer::Open(*loop_, {"127.0.0.1", 0}, std::move(router).value(), options, env_.log, env_.metrics);
    server_ = std::move(server).value();
    thread_ = env_.threads.Start("http-test", io::ThreadPriority::kNormal, [this] { EXPECT_TRUE(loop_->Run().ok()); });
  }
  ~TestServer() { Stop(); }
  void Stop() {
    if (!thread_) return;
    loop_->Stop();
    thread_->Join();
    thread_.reset();
    server_.reset();
  }
  uint16_t port() const { return server_->address().port; }
  TestClient Connect() const { return TestClient(port()); }
  io::EventLoop& loop() { return *loop_; }
  HttpServer& server() { return *server_; }
  io::Env& env() { return env_; }
  // Runs `task` on the loop's thread and waits for it.
  void OnLoop(std::function<void()> task) {
    auto done = env_.threads.NewSignal();
    loop_->Post([&] {
      task();
      done->Notify();
    });
    done->Wait();
  }

 private:
  io::RealWorld world_{io::LogLevel::kError};
  io::Env env_;
  std::unique_ptr<io::EventLoop> loop_;
  std::unique_ptr<HttpServer> server_;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::front::http
