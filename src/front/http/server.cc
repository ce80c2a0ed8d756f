// SPDX-License-Identifier: Apache-2.0
#include "front/http/server.h"

#include <cstdio>

#include "front/http/http_metrics.h"
#include "front/http/problems.h"

namespace sluice::front::http {

Result<std::unique_ptr<HttpServer>> HttpServer::Open(io::EventLoop& loop, const io::SocketAddress& address, Router router,
                                                     HttpOptions options, io::Logger& log, io::Metrics& metrics) {
  RETURN_IF_ERROR(options.Validate());
  std::unique_ptr<HttpServer> server(new HttpServer(loop, std::move(router), options, log, metrics));
  ASSIGN_OR_RETURN(server->listener_, io::Listener::Open(loop, log, address, [self = server.get()](io::Accepted accepted) {
                     self->OnAccept(std::move(accepted));
                   }));
  server->address_ = server->listener_->address();
  return server;
}

HttpServer::HttpServer(io::EventLoop& loop, Router router, HttpOptions options, io::Logger& log, io::Metrics& metrics)
    : loop_(loop),
      router_(std::move(router)),
      options_(options),
      log_(log),
      metrics_(metrics),
      bodies_(options.body_bytes_in_flight_max),
      connections_gauge_(metrics.GetGauge(kConnections)),
      body_bytes_gauge_(metrics.GetGauge(kBodyBytesInFlight)),
      received_bytes_(metrics.GetCounter(kReceivedBytesTotal)),
      sent_bytes_(metrics.GetCounter(kSentBytesTotal)),
      refused_total_(metrics.GetCounter(kRefusedTotal, {{"bound", "total"}})),
      refused_address_(metrics.GetCounter(kRefusedTotal, {{"bound", "address"}})),
      request_counters_(router_.routes().size() + 1) {}

HttpServer::~HttpServer() {
  on_drained_ = nullptr;
  CloseAll();
}

bool HttpServer::Counted(const io::SocketAddress& peer) const {
  return options_.connections_per_address_max > 0 && !peer.is_loopback();
}

void HttpServer::OnAccept(io::Accepted accepted) {
  if (open_count_ >= options_.connections_max) return RefuseConnection(accepted, refused_total_);
  bool counted = Counted(accepted.peer);
  auto known = per_address_.find(accepted.peer.host);
  if (counted && known != per_address_.end() && known->second >= options_.connections_per_address_max) {
    return RefuseConnection(accepted, refused_address_);
  }
  if (closed_.empty()) {
    connections_.push_back(std::make_unique<Connection>(static_cast<ConnectionHost&>(*this)));
    closed_.push_back(connections_.back().get());
  }
  std::string host = accepted.peer.host;
  if (auto opened = closed_.back()->Open(std::move(accepted)); !opened.ok()) {
    log_.Warn("connection dropped", {{"peer", host}, {"reason", opened.error().ToString()}});
    return;
  }
  closed_.pop_back();
  if (counted) ++per_address_[host];
  connections_gauge_.Set(static_cast<double>(++open_count_));
}

// In one try and without waiting: who is over the bound gets no memory of ours.
void HttpServer::RefuseConnection(const io::Accepted& accepted, io::Counter& counter) {
  counter.Add();
  HttpResponse response = ProblemResponse(Problem::kTooManyConnections, "too many connections are open", "try again later, or use fewer");
  std::string head;
  FormatHead(head, response, Framing::kLength, response.body.size(), true, Date());
  sent_bytes_.Add(io::Send(accepted.socket, head, response.body).bytes);
}

void HttpServer::OnClosed(Connection& connection) {
  closed_.push_back(&connection);
  connections_gauge_.Set(static_cast<double>(--open_count_));
  if (auto at = per_address_.find(connection.peer_host()); at != per_address_.end() && --at->second == 0) per_address_.erase(at);
  if (stopping_ && open_count_ == 0 && on_drained_) loop_.Post(std::exchange(on_drained_, nullptr));
}

void HttpServer::Drain(std::function<void()> on_drained) {
  stopping_ = true;
  listener_.reset();
  on_drained_ = std::move(on_drained);
  if (open_count_ == 0 && on_drained_) return loop_.Post(std::exchange(on_drained_, nullptr));
  for (auto& connection : connections_) connection->Drain();
}

void HttpServer::CloseAll() {
  listener_.reset();
  stopping_ = true;
  for (auto& connection : connections_) connection->Cut();
}

void HttpServer::CountRequest(const Route* route, int status) {
  body_bytes_gauge_.Set(static_cast<double>(bodies_.bytes_in_flight()));
  size_t at = route == nullptr ? request_counters_.size() - 1 : static_cast<size_t>(route - router_.routes().data());
  for (auto& [known, counter] : request_counters_[at]) {
    if (known == status) return counter->Add();
  }
  std::string label = route == nullptr ? kNoRoute : route->pattern;
  io::Counter& counter = metrics_.GetCounter(kRequestsTotal, {{"route", label}, {"status", std::to_string(status)}});
  request_counters_[at].emplace_back(status, &counter);
  counter.Add();
}

void HttpServer::CountTimeout(const char* phase) { metrics_.GetCounter(kTimeoutsTotal, {{"phase", phase}}).Add(); }

std::string_view HttpServer::Date() {
  Timestamp now = loop_.clock().Now();
  int64_t second = base::FloorDiv(now.us, kMicrosPerSecond);
  if (second != date_second_) {
    date_second_ = second;
    date_ = FormatHttpDate(now);
  }
  return date_;
}

std::string FormatHttpDate(Timestamp time) {
  constexpr const char* kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // day 0 was a Thursday
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int64_t days = base::FloorDiv(time.us, kMicrosPerDay);
  auto second = static_cast<int>((time.us - days * kMicrosPerDay) / kMicrosPerSecond);
  int64_t year;
  unsigned month, day;
  base::CivilFromDays(days, year, month, day);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", kDays[((days % 7) + 7) % 7], day, kMonths[month - 1],
                static_cast<int>(year), second / 3600, second / 60 % 60, second % 60);
  return text;
}

}  // namespace sluice::front::http
