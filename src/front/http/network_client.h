// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests and the simulator: a client's connection on either network. It blocks, up to a moment, and sends any bytes.

#include <charconv>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "front/http/http_message.h"
#include "io/env.h"

namespace sluice::front::http {

// What came back, as far as tests look at it.
struct Reply {
  int status = 0;  // 0: the connection ended first
  std::string head;
  std::string body;
  bool closes = false;  // "Connection: close"
  std::string Header(std::string_view name) const {
    size_t at = 0;
    while ((at = head.find("\r\n", at)) != std::string::npos) {
      at += 2;
      auto line = std::string_view(head).substr(at, head.find("\r\n", at) - at);
      auto colon = line.find(": ");
      if (colon != std::string_view::npos && EqualsIgnoringCase(line.substr(0, colon), name)) return std::string(line.substr(colon + 2));
    }
    return {};
  }
  // Of a complete head, with "\r\n" behind each line.
  static Reply FromHead(std::string text) {
    Reply reply;
    reply.head = std::move(text);
    reply.status = std::atoi(reply.head.c_str() + 9);
    reply.closes = reply.Header("Connection") == "close";
    return reply;
  }
};

// Belongs to one thread. `env` and what made the socket must outlive it.
class NetworkClient {
 public:
  // kUnavailable: refused.
  static Result<std::unique_ptr<NetworkClient>> Connect(io::Env env, const io::SocketAddress& address) {
    ASSIGN_OR_RETURN(auto socket, env.network.Connect(address));
    ASSIGN_OR_RETURN(auto poller, env.network.NewPoller());
    RETURN_IF_ERROR(poller->Add(socket.descriptor(), io::Interest::kRead, 1));
    return std::unique_ptr<NetworkClient>(new NetworkClient(env, std::move(socket), std::move(poller)));
  }
  ~NetworkClient() { poller_->Remove(socket_.descriptor()); }

  // Takes meanwhile what comes: a server may answer what was sent first before it takes the rest.
  // False: the server sends no more, or does not take it in time. It may have answered nevertheless.
  bool Send(std::string_view bytes, int64_t until_ns) {
    while (!bytes.empty()) {
      const auto sent = io::Send(socket_, bytes);
      if (sent.state == io::TransferState::kClosed) return false;
      if (sent.state == io::TransferState::kDone) bytes.remove_prefix(sent.bytes);
      else if (at_end_ || !Await(io::Interest::kReadWrite, until_ns)) return false;
      else Unasked();
    }
    return true;
  }

  // One answer, also an interim one. `head_request`: it has no body whatever its length says. An answer that ends early has status 0.
  Reply Receive(int64_t until_ns, bool head_request = false) {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!More(until_ns)) return {};
    Reply reply = Reply::FromHead(buffer_.substr(0, end + 2));
    buffer_.erase(0, end + 4);
    if (head_request || reply.status == 204 || reply.status < 200) return reply;
    bool whole = true;
    if (reply.Header("Transfer-Encoding") == "chunked") {
      whole = ReceiveChunks(reply, until_ns);
    } else if (auto length = reply.Header("Content-Length"); !length.empty()) {
      const size_t size = std::strtoul(length.c_str(), nullptr, 10);
      while (whole && buffer_.size() < size) whole = More(until_ns);
      reply.body = buffer_.substr(0, size);
      buffer_.erase(0, std::min(size, buffer_.size()));
    } else {
      while (More(until_ns)) {
      }
      reply.body = std::exchange(buffer_, {});
      whole = at_end_;
    }
    return whole ? reply : Reply{};
  }

  void HalfClose() { io::ShutDownSending(socket_); }
  void ResetOnClose() { io::ResetOnClose(socket_); }
  // Bytes that nobody has asked for yet; waits for nothing.
  const std::string& Unasked() {
    while (Take()) {
    }
    return buffer_;
  }
  bool at_end() const { return at_end_; }

 private:
  NetworkClient(io::Env env, io::Socket socket, std::unique_ptr<io::Poller> poller)
      : env_(env), socket_(std::move(socket)), poller_(std::move(poller)) {}

  // False: it is too late.
  bool Await(io::Interest interest, int64_t until_ns) {
    if (!poller_->Modify(socket_.descriptor(), interest, 1).ok()) return false;
    for (;;) {
      const int64_t left_ns = until_ns - env_.clock.MonotonicNs();
      if (left_ns <= 0) return false;
      io::PollEvent events[1];
      const auto count = poller_->Wait(events, left_ns);
      if (!count.ok()) return false;
      if (*count > 0) return true;
    }
  }

  bool Take() {
    char bytes[8192];
    const auto got = io::Receive(socket_, bytes);
    at_end_ |= got.state == io::TransferState::kClosed;
    if (got.state != io::TransferState::kDone) return false;
    buffer_.append(bytes, got.bytes);
    return true;
  }

  bool More(int64_t until_ns) {
    while (!Take())
      if (at_end_ || !Await(io::Interest::kRead, until_ns)) return false;
    return true;
  }

  bool ReceiveChunks(Reply& reply, int64_t until_ns) {
    for (;;) {
      size_t line;
      while ((line = buffer_.find("\r\n")) == std::string::npos)
        if (!More(until_ns)) return false;
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < line + 2 + size + 2)
        if (!More(until_ns)) return false;
      reply.body += buffer_.substr(line + 2, size);
      buffer_.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  io::Env env_;
  io::Socket socket_;
  const std::unique_ptr<io::Poller> poller_;
  std::string buffer_;
  bool at_end_ = false;
};

}  // namespace sluice::front::http
