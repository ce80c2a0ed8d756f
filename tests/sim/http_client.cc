// SPDX-License-Identifier: Apache-2.0
#include "sim/http_client.h"

#include <algorithm>

#include "base/json.h"
#include "front/http/problems.h"

namespace sluice::sim {
namespace {

using front::http::Problem;
using front::http::Reply;
using ingest::IngestStatus;

constexpr uint64_t kClientStream = 800, kCrowdStream = 850, kStopStream = 851;
constexpr uint16_t kPort = 8080, kRivalPort = 8081;
constexpr int64_t kReconnectUs = 5'000;
constexpr int64_t kLeavingUs = 500'000;  // what somebody waits at most who does not wait for an answer
constexpr char kProblemPrefix[] = "urn:sluice:problem:";
constexpr char kNobodys[] = R"({"specversion":"1.0","id":"too-much","source":"/nobody","type":"user_action"})";

std::string Hex(size_t n) {
  std::string out;
  do out.insert(out.begin(), "0123456789abcdef"[n % 16]);
  while ((n /= 16) > 0);
  return out;
}

const front::http::ProblemKind* KindOf(std::string_view type) {
  if (!type.starts_with(kProblemPrefix)) return nullptr;
  for (auto& kind : front::http::ProblemKinds())
    if (kind.slug == type.substr(sizeof kProblemPrefix - 1)) return &kind;
  return nullptr;
}

// What the gate said, as far as a client can tell; kTaken: no client that does nothing wrong gets this.
IngestStatus StatusOf(Problem problem) {
  switch (problem) {
    case Problem::kInvalidEvent: return IngestStatus::kInvalidEvents;
    case Problem::kTopicQuota: return IngestStatus::kTopicQuota;
    case Problem::kDiskFull: return IngestStatus::kDiskFull;
    case Problem::kInternal: return IngestStatus::kFailed;
    case Problem::kLogBehind:
    case Problem::kUnavailable:
    case Problem::kStopping:
    case Problem::kRequestTimeout:
    case Problem::kTooManyConnections: return IngestStatus::kBusy;
    default: return IngestStatus::kTaken;
  }
}

}  // namespace

io::SocketAddress AddressOf(const RunState& run) { return {"127.0.0.1", run.place.empty() ? kPort : kRivalPort}; }

HttpClient::HttpClient(RunState& run, io::Env env, int number)
    : run_(run), env_(env), number_(number), dice_(run.scenario.seed, kClientStream + static_cast<uint64_t>(number)) {}

// ---- sending ----------------------------------------------------------------------------------------------------------------

HttpClient::Bytes HttpClient::Encode(const Request& request) {
  Bytes out;
  out.is_old = dice_.OneIn(12);
  out.closes = out.is_old || dice_.OneIn(6);
  const std::string_view body = std::string_view(request.body).substr(0, request.body_bytes);
  const bool chunked = !out.is_old && dice_.OneIn(3);
  out.head = "POST " + (request.topic.empty() ? "/v1/events" : "/v1/topics/" + request.topic + "/events") + " HTTP/1." +
             (out.is_old ? "0" : "1") + "\r\nHost: sluice\r\n";
  if (!request.content_type.empty()) out.head += "Content-Type: " + request.content_type + "\r\n";
  if (!request.content_encoding.empty()) out.head += "content-encoding: " + request.content_encoding + "\r\n";
  for (auto& [name, value] : request.headers) out.head += name + ": " + value + "\r\n";
  if (request.lenient) out.head += "Prefer: handling=lenient\r\n";
  if (out.closes && !out.is_old) out.head += "Connection: close\r\n";
  out.head += chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  if (!chunked) {
    out.body = body;
    return out;
  }
  for (size_t at = 0; at < body.size();) {
    const size_t size = std::min<size_t>(body.size() - at, 1 + dice_.Below(dice_.Coin() ? 50 : 5'000));
    out.body += Hex(size) + "\r\n" + std::string(body.substr(at, size)) + "\r\n";
    out.chunk_ends.push_back(out.body.size());
    at += size;
  }
  out.body += "0\r\n\r\n";
  return out;
}

// An older connection, or a new one. False: refused.
bool HttpClient::Connect() {
  if (connection_ != nullptr) {
    if (const auto& unasked = connection_->Unasked(); !unasked.empty())
      run_.verdict.Note(who(), "an answer that nobody asked for: " + unasked.substr(0, 200));
    if (connection_->at_end() || dice_.OneIn(8)) connection_.reset();
  }
  if (connection_ != nullptr) return true;
  auto connected = front::http::NetworkClient::Connect(env_, AddressOf(run_));
  if (connected.ok()) connection_ = *std::move(connected);
  else env_.clock.SleepUs(kReconnectUs);
  return connected.ok();
}

bool HttpClient::Send(std::string_view bytes, int64_t until_ns) {
  const bool trickles = dice_.OneIn(8);
  const size_t step = trickles ? 1 + bytes.size() / 6 : std::max<size_t>(bytes.size(), 1);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    if (!connection_->Send(bytes.substr(0, step), until_ns)) return false;
    if (step < bytes.size()) env_.clock.SleepUs(dice_.Between(0, run_.scenario.http.trickle_us_max));
  }
  return true;
}

// Asks before it sends the body. True: sent; `early` is the answer of a server that did not want it.
bool HttpClient::SendPolitely(const Bytes& bytes, int64_t until_ns, Reply& early) {
  if (!Send(bytes.head + "Expect: 100-continue\r\n\r\n", until_ns)) return false;
  early = connection_->Receive(until_ns);
  if (early.status != 100) return false;
  early = {};
  run_.reached.Note(Reach::kHttpContinue);
  return Send(bytes.body, until_ns);
}

bool HttpClient::Ask(Call& call, int64_t patience_us, std::vector<Call>& twins) {
  if (!Connect()) return false;
  const auto until_ns = Until(patience_us);
  const auto bytes = Encode(*call.request);
  const bool twice = !bytes.closes && dice_.OneIn(6);
  Reply reply;
  const bool asks_first = !twice && !bytes.is_old && !bytes.body.empty() && dice_.OneIn(5);
  if (asks_first) SendPolitely(bytes, until_ns, reply);
  else {
    const auto all = bytes.head + "\r\n" + bytes.body;
    (void)Send(twice ? all + all : all, until_ns);
  }
  // It may have answered before it had all.
  if (reply.status == 0) reply = connection_->Receive(until_ns);
  if (asks_first && reply.status == 100) reply = {};  // permission that came too late
  if (!Take(bytes, reply, call)) return false;
  if (twice && connection_ != nullptr) {
    Call twin;
    twin.request = call.request;
    if (Take(bytes, connection_->Receive(until_ns), twin)) {
      run_.reached.Note(Reach::kHttpTwin);
      twins.push_back(std::move(twin));
    }
  }
  return true;
}

// ---- answers ----------------------------------------------------------------------------------------------------------------

// False: the connection ended without one.
bool HttpClient::Take(const Bytes& bytes, const Reply& reply, Call& call) {
  if (reply.status == 0) {
    run_.reached.Note(Reach::kHttpCut);
    connection_.reset();
    return false;
  }
  if (reply.closes || bytes.is_old) connection_.reset();
  call.done = true;
  auto json = Json::Parse(reply.body);
  if (!json.ok()) {
    run_.verdict.Note(who(), "status " + std::to_string(reply.status) + " with a body that is no JSON: " + reply.body.substr(0, 200));
    return true;
  }
  if (reply.status == 200) {
    int64_t counted[3] = {};
    for (auto& result : (*json)["results"].AsArray()) {
      auto& event = call.events.emplace_back();
      event.topic = result["topic"].AsString();
      event.place = {static_cast<int32_t>(result["partition"].AsInt()), result["offset"].AsInt()};
      event.duplicate = result["duplicate"].AsBool();
      counted[event.topic.empty() ? 2 : event.duplicate ? 1 : 0]++;
    }
    const int64_t said[3] = {(*json)["accepted"].AsInt(), (*json)["duplicates"].AsInt(), (*json)["rejected"].AsInt()};
    if (!std::equal(std::begin(said), std::end(said), std::begin(counted)))
      run_.verdict.Note(who(), "the sums of an answer are not those of its results: " + reply.body.substr(0, 200));
    return true;
  }
  const auto* kind = KindOf((*json)["type"].AsString());
  call.status = kind == nullptr ? IngestStatus::kTaken : StatusOf(kind->problem);
  call.message = (*json)["detail"].AsString();
  if (call.status == IngestStatus::kTaken || kind->status != reply.status)
    run_.verdict.Note(who(), "a request that is right is answered with " + std::to_string(reply.status) + ": " + reply.body.substr(0, 200));
  if (kind != nullptr && kind->problem == Problem::kRequestTimeout) run_.reached.Note(Reach::kHttpTimeout);
  if (kind != nullptr && kind->problem == Problem::kTooManyConnections) run_.reached.Note(Reach::kHttpTooMany);
  return true;
}

// ---- bad habits -------------------------------------------------------------------------------------------------------------

void HttpClient::GoAway() {
  if (dice_.Coin()) connection_->ResetOnClose();
  connection_.reset();
}

void HttpClient::AwaitNoSuccess(const std::string& what) {
  for (const int64_t until_ns = Until(kLeavingUs);;) {
    const auto reply = connection_->Receive(until_ns);
    if (reply.status == 0) return;
    if (reply.status >= 200 && reply.status < 300) run_.verdict.Note(who(), what + " was answered with " + std::to_string(reply.status));
    if (reply.status == 413) run_.reached.Note(Reach::kHttpTooLarge);
  }
}

void HttpClient::SendAndLeave(const Request& request) {
  if (!Connect()) return;
  const auto bytes = Encode(request);
  (void)Send(bytes.head + "\r\n" + bytes.body, Until(kLeavingUs));
  run_.reached.Note(Reach::kHttpLeft);
  GoAway();
}

void HttpClient::SendPart(const Request& request) {
  if (!Connect()) return;
  const auto bytes = Encode(request);
  auto all = bytes.head + "\r\n";
  const size_t head = all.size();
  all += bytes.body;
  // Also where it looks like an end.
  if (!bytes.chunk_ends.empty() && dice_.Coin()) all.resize(head + dice_.Pick(bytes.chunk_ends));
  else all.resize((bytes.body.empty() ? 0 : head) + dice_.Below(bytes.body.empty() ? head : bytes.body.size()));
  const bool sent = Send(all, Until(kLeavingUs));
  run_.reached.Note(Reach::kHttpPart);
  if (sent && dice_.Coin()) {
    connection_->HalfClose();
    AwaitNoSuccess("a part of a request");
  }
  GoAway();
}

void HttpClient::SendTooMuch() {
  if (!Connect()) return;
  const auto most = run_.scenario.http.body_bytes_max;
  std::string bytes = "POST /v1/events HTTP/1.1\r\nHost: sluice\r\nContent-Type: application/x-ndjson\r\n";
  const std::string line = std::string(kNobodys) + "\n";
  if (dice_.Coin()) bytes += "Content-Length: " + std::to_string(most + 1) + "\r\n\r\n" + line;
  else bytes += "Transfer-Encoding: chunked\r\n\r\n" + Hex(line.size()) + "\r\n" + line + "\r\n" + Hex(most) + "\r\n" + line;
  (void)Send(bytes, Until(kLeavingUs));
  AwaitNoSuccess("a body above the bound");
  GoAway();
}

void Crowd(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kCrowdStream);
  for (int i = 0; i < run.scenario.http.crowds && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, 300'000));
    std::vector<std::unique_ptr<front::http::NetworkClient>> crowd;
    for (size_t k = 0; k <= run.scenario.http.options.connections_max; k++)
      if (auto connected = front::http::NetworkClient::Connect(env, AddressOf(run)); connected.ok()) crowd.push_back(*std::move(connected));
    env.clock.SleepUs(dice.Between(0, 500'000));
    for (auto& one : crowd)
      if (one->Unasked().starts_with("HTTP/1.1 503 ")) run.reached.Note(Reach::kHttpTooMany);
  }
}

void StopServers(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kStopStream);
  for (int i = 0; i < run.scenario.http.stops && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, 400'000));
    if (run.faults_on) run.stop_asked = true;
  }
}

}  // namespace sluice::sim
