// SPDX-License-Identifier: Apache-2.0
#include "load/load_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <fstream>

namespace sluice::bench {
namespace {

constexpr int kEventsPerWait = 256;
constexpr int64_t kWaitMaxNs = 100'000'000;
constexpr int64_t kDrainNsMax = 10'000'000'000;

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Error Broken(const char* what) { return {ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno), "is the server up?"}; }

class Connection {
 public:
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  Result<void> Open(const sockaddr_in& address, int epoll) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Broken("cannot connect");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = this;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd_, &event) != 0) return Broken("cannot watch a connection");
    return {};
  }

  Result<void> Start(const Request& request, int64_t due_ns) {
    out_ = request.bytes;
    first_id_ = request.first_id;
    due_ns_ = due_ns;
    received_ = 0;
    return Push();
  }
  Result<void> Push() {
    while (!out_.empty()) {
      const ssize_t n = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return {};
      if (n < 0) return Broken("cannot send");
      out_.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }
  // Whether the whole answer is here.
  Result<bool> Pull() {
    for (;;) {
      const ssize_t n = recv(fd_, in_ + received_, sizeof in_ - received_, 0);
      if (n < 0 && errno == EAGAIN) return false;
      if (n <= 0) return Broken("the server closed a connection");
      received_ += static_cast<size_t>(n);
      if (IsWhole()) return true;
      if (received_ == sizeof in_) return Broken("an answer is longer than the client reads");
    }
  }
  std::string_view answer() const { return {in_, received_}; }
  bool accepted() const { return answer().substr(0, 12).ends_with(" 200") || answer().substr(0, 12).ends_with(" 202"); }
  int64_t due_ns() const { return due_ns_; }
  uint64_t first_id() const { return first_id_; }

 private:
  bool IsWhole() const {
    const size_t head = answer().find("\r\n\r\n");
    if (head == std::string_view::npos) return false;
    size_t length = 0;
    if (const void* field = memmem(in_, head, "ontent-Length: ", 15); field != nullptr)
      length = std::strtoul(static_cast<const char*>(field) + 15, nullptr, 10);
    return received_ >= head + 4 + length;
  }
  int fd_ = -1;
  std::string_view out_;
  int64_t due_ns_ = 0;
  uint64_t first_id_ = 0;
  size_t received_ = 0;
  char in_[16 << 10];
};

// One run.
class Load {
 public:
  Load(Workload& workload, size_t events_per_request, const LoadOptions& options)
      : workload_(workload), per_request_(events_per_request), options_(options), connections_(options.connections) {}
  ~Load() {
    if (epoll_ >= 0) close(epoll_);
  }

  Result<LoadReport> Run() {
    RETURN_IF_ERROR(Connect());
    if (!options_.ledger.empty()) ledger_.open(options_.ledger);
    auto driven = Drive();
    if (!driven.ok() && options_.ledger.empty()) return driven.error();
    report_.server_gone = !driven.ok();
    if (report_.server_gone) report_.seconds = std::max(1e-3, static_cast<double>(NowNs() - measure_ns_) / 1e9);
    ledger_.close();
    if (ledger_.fail() && !options_.ledger.empty()) return Error{ErrorCode::kIo, "cannot write \"" + options_.ledger + "\"", {}};
    std::sort(report_.latency_us.begin(), report_.latency_us.end());
    return std::move(report_);
  }

 private:
  Result<void> Drive() {
    const int64_t begin = NowNs();
    measure_ns_ = begin + static_cast<int64_t>(options_.warmup_seconds * 1e9);
    const int64_t end = measure_ns_ + static_cast<int64_t>(options_.seconds * 1e9);
    gap_ns_ = options_.events_per_second > 0 ? 1e9 * static_cast<double>(per_request_) / options_.events_per_second : 0;
    next_due_ns_ = static_cast<double>(begin);
    for (auto& c : connections_) idle_.push_back(&c);
    RETURN_IF_ERROR(StartDue(begin));
    int64_t now = begin;
    for (; now < end; now = NowNs()) RETURN_IF_ERROR(Round(now));
    report_.seconds = static_cast<double>(now - measure_ns_) / 1e9;
    report_.requests_unsent = due_.size();
    return Drain();
  }
  Result<void> Connect() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    if (inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1)
      return Error{ErrorCode::kInvalid, "\"" + options_.host + "\" is not an IPv4 address", {}};
    for (auto& c : connections_) RETURN_IF_ERROR(c.Open(address, epoll_));
    return {};
  }
  Result<void> StartDue(int64_t now) {
    for (; gap_ns_ > 0 && next_due_ns_ <= static_cast<double>(now); next_due_ns_ += gap_ns_)
      due_.push_back(static_cast<int64_t>(next_due_ns_));
    while (!idle_.empty() && (gap_ns_ == 0 || !due_.empty())) {
      Connection* c = idle_.back();
      idle_.pop_back();
      RETURN_IF_ERROR(c->Start(workload_.Next(), gap_ns_ == 0 ? NowNs() : due_.front()));
      if (gap_ns_ > 0) due_.pop_front();
    }
    return {};
  }
  Result<void> Round(int64_t now) {
    timespec wait{0, kWaitMaxNs};
    if (gap_ns_ > 0 && !ending_) wait.tv_nsec = std::clamp<int64_t>(static_cast<int64_t>(next_due_ns_) - now, 0, kWaitMaxNs);
    epoll_event events[kEventsPerWait];
    const int n = epoll_pwait2(epoll_, events, kEventsPerWait, &wait, nullptr);
    for (int i = 0; i < n; i++) {
      auto& c = *static_cast<Connection*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0) RETURN_IF_ERROR(c.Push());
      if ((events[i].events & EPOLLIN) == 0) continue;
      ASSIGN_OR_RETURN(bool whole, c.Pull());
      if (whole) RETURN_IF_ERROR(Note(c));
    }
    return gap_ns_ > 0 && !ending_ ? StartDue(NowNs()) : Result<void>();
  }
  // What is on its way is answered, too: whoever compares events sent with events stored must know of it.
  Result<void> Drain() {
    ending_ = true;
    const int64_t deadline = NowNs() + kDrainNsMax;
    while (idle_.size() < connections_.size()) {
      if (NowNs() > deadline) return Error{ErrorCode::kUnavailable, "requests were not answered within ten seconds", {}};
      RETURN_IF_ERROR(Round(NowNs()));
    }
    return {};
  }
  Result<void> Note(Connection& c) {
    const int64_t now = NowNs();
    if (c.accepted()) {
      report_.events_answered += per_request_;
      if (ledger_.is_open()) ledger_ << c.first_id() << ' ' << per_request_ << '\n';
    } else if (report_.requests_refused++ == 0) {
      report_.refusal = c.answer();
    }
    if (now >= measure_ns_ && !ending_ && c.accepted()) {
      report_.events_measured += per_request_;
      report_.requests_measured++;
      report_.latency_us.push_back(static_cast<uint32_t>(std::min<int64_t>((now - c.due_ns()) / 1000, UINT32_MAX)));
    }
    if (gap_ns_ == 0 && !ending_) return c.Start(workload_.Next(), now);
    idle_.push_back(&c);
    return {};
  }

  Workload& workload_;
  const size_t per_request_;
  const LoadOptions options_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<Connection*> idle_;
  std::deque<int64_t> due_;  // open loop: due and not sent yet
  double gap_ns_ = 0, next_due_ns_ = 0;
  int64_t measure_ns_ = 0;
  bool ending_ = false;  // nothing is sent any more, answers are awaited
  std::ofstream ledger_;
  LoadReport report_;
};

}  // namespace

uint32_t LoadReport::LatencyAt(double q) const {
  if (latency_us.empty()) return 0;
  return latency_us[std::min(latency_us.size() - 1, static_cast<size_t>(q * static_cast<double>(latency_us.size())))];
}

Result<LoadReport> RunLoad(Workload& workload, size_t events_per_request, const LoadOptions& options) {
  if (options.connections > workload.requests())
    return Error{ErrorCode::kInvalid, "more connections than rendered requests", "raise --requests"};
  return Load(workload, events_per_request, options).Run();
}

}  // namespace sluice::bench
