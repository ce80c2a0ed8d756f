// SPDX-License-Identifier: Apache-2.0
#include "sim/clients.h"

#include <algorithm>
#include <iterator>

#include "sim/damage.h"
#include "sim/dice.h"
#include "sim/second_act.h"

namespace sluice::sim {
namespace {

constexpr int64_t kReconnectUs = 5'000;
constexpr int64_t kLongPauseUsMax = 30 * kMicrosPerSecond;
constexpr int64_t kFlushPatienceUs = 30 * kMicrosPerSecond;
constexpr int64_t kPollUs = 20'000;
constexpr int64_t kStragglersUs = kMicrosPerSecond;  // after that nothing is on its way any more of clients that left
constexpr int kAttemptsMax = 1'000;                  // of one request; after that the server counts as hanging
constexpr int kAttemptsOfDivergedMax = 100;
constexpr int kClosingAttemptsMax = 300;
constexpr int64_t kAttemptsEach = 10;
constexpr int kLeftSenders = 1'000;  // above all numbers of senders
constexpr uint64_t kSenderStream = 200, kFlushStream = 300, kClockStream = 301, kDiskStream = 302, kOutageStream = 303;

bool AnyTableOf(const Request& request, const std::set<table::TableName>& tables) {
  return std::any_of(request.keys.begin(), request.keys.end(),
                     [&](auto& key) { return !key.id.empty() && tables.contains(table::TableNameOf(key.topic)); });
}

std::string StatusText(const Call& call) { return "status " + std::to_string(static_cast<int>(call.status)) + ", " + call.message; }

}  // namespace

bool Ask(RunState& run, io::Env env, const std::shared_ptr<io::Signal>& bell, const std::shared_ptr<Call>& call, int64_t patience_us) {
  call->bell = bell;
  if (!run.network.Send(call)) {
    env.clock.SleepUs(kReconnectUs);
    return false;
  }
  const int64_t until_ns = env.clock.MonotonicNs() + patience_us * 1'000;
  while (!call->done) {
    const int64_t left_us = (until_ns - env.clock.MonotonicNs()) / 1'000;
    if (left_us <= 0) break;
    bell->Wait(left_us);
  }
  return call->done;
}

Sender::Sender(RunState& run, io::Env env, int number, int requests)
    : run_(run),
      env_(env),
      number_(number),
      requests_(requests),
      dice_(run.scenario.seed, kSenderStream + static_cast<uint64_t>(number)),
      workload_(run.scenario.seed, number, run.scenario.workload, run.ledger),
      bell_(env.threads.NewSignal()),
      http_(run.scenario.http.is_used ? std::make_unique<HttpClient>(run, env, number) : nullptr) {}

void Sender::Run() {
  for (int i = 0; i < requests_ && IsServed(); i++) {
    const auto one_in = run_.scenario.long_pause_one_in;
    const int64_t pause_us_max = one_in != 0 && dice_.OneIn(one_in) ? kLongPauseUsMax : run_.scenario.pause_us_max;
    env_.clock.SleepUs(dice_.Between(0, pause_us_max));
    const auto request = workload_.Next(env_.clock.Now());
    if (http_ == nullptr || !GoesAway(request)) Deliver(request);
  }
  http_.reset();
  run_.all.senders_at_work--;
}

// What the ledger does not know may not be seen. What nobody waits for may come behind the sender's next ones: it is a sender of its own.
bool Sender::GoesAway(const Request& request) {
  const auto& http = run_.scenario.http;
  if (dice_.OneIn(http.too_much_one_in)) http_->SendTooMuch();
  if (dice_.OneIn(http.part_one_in)) {
    http_->SendPart(request);
    return true;
  }
  if (!dice_.OneIn(http.left_one_in)) return false;
  const int sender = kLeftSenders * (1 + left_++) + number_;
  Tell(request, sender);
  BeginRecord(request, "sender-" + std::to_string(sender));
  http_->SendAndLeave(request);
  return true;
}

void Sender::Tell(const Request& request, int sender) {
  if (request.is_refused()) return;
  std::vector<EventKey> keys;
  std::vector<Row> rows;
  for (size_t i = 0; i < request.keys.size(); i++) {
    if (request.keys[i].id.empty()) continue;
    keys.push_back(request.keys[i]);
    rows.push_back(request.rows[i]);
  }
  run_.ledger.Send(sender, keys, rows);
}

void Sender::Deliver(const Request& request) {
  Tell(request, number_);
  const auto shared = std::make_shared<const Request>(request);
  const size_t record = BeginRecord(request, "sender-" + std::to_string(number_));
  int64_t unanswered = 0;
  // A table that does not get on stops its own topic, and nobody else.
  bool is_topics_own = false;
  bool is_frozen = false;  // a server that stands still answers nobody, and has all that was sent before it when it wakes up
  bool is_full = false;    // the first start on a full disk fails, and the next one, and connections are refused at once
  for (int attempt = 0; IsServed();
       attempt += is_topics_own || is_frozen || is_full || AnyTableOf(request, run_.all.broken_tables) ? 0 : 1) {
    is_topics_own = is_frozen = is_full = false;
    auto call = std::make_shared<Call>();
    call->request = shared;
    const size_t acknowledged = run_.ledger.acknowledged().size();
    if (attempt == kAttemptsMax)
      return run_.verdict.Note("sender " + std::to_string(number_), "no answer after " + std::to_string(attempt) + " attempts");
    // Who gets no answer waits longer the next time.
    const int64_t patience_us = run_.scenario.patience_us * (1 + unanswered / kAttemptsEach);
    std::vector<Call> twins;
    if (http_ != nullptr ? !http_->Ask(*call, patience_us, twins) : !Ask(run_, env_, bell_, call, patience_us)) {
      unanswered++;
      run_.all.unanswered++;
      is_frozen = run_.frozen_until_ns > env_.clock.MonotonicNs();
      is_full = run_.faults_on && run_.all.disk_bytes_max > 0;
      continue;
    }
    const bool is_done = Judge(*shared, *call, acknowledged);
    for (auto& twin : twins) (void)Judge(*shared, twin, acknowledged);
    if (is_done) return EndRecord(record, *call);
    is_topics_own = call->status == ingest::IngestStatus::kTopicQuota;
    // For good: rows of tables that take none any more fill their share, and may fill all of a small memory.
    if (is_topics_own && AnyTableOf(request, run_.diverged)) return;
    if (!run_.diverged.empty() && attempt > kAttemptsOfDivergedMax) return;
    env_.clock.SleepUs(dice_.Between(1'000, 50'000));
  }
}

size_t Sender::BeginRecord(const Request& request, const std::string& client) {
  auto& send = run_.history.sends.emplace_back();
  send.invoked = ++run_.all.stamp;
  send.client = client;
  for (auto& key : request.keys)
    if (!key.id.empty()) send.events.push_back({HistoryId(key), key.topic, {}});
  return run_.history.sends.size() - 1;
}

void Sender::EndRecord(size_t at, const Call& call) {
  auto& send = run_.history.sends[at];
  send.completed = ++run_.all.stamp;
  send.outcome = call.status == ingest::IngestStatus::kTaken ? history::Outcome::kAcknowledged : history::Outcome::kRefused;
  for (auto& answer : call.events)
    if (!answer.topic.empty()) send.places.push_back({answer.place.partition, answer.place.offset});
}

bool Sender::Judge(const Request& request, const Call& call, size_t acknowledged) {
  const auto who = "sender " + std::to_string(number_);
  using ingest::IngestStatus;
  constexpr IngestStatus kTryAgain[] = {IngestStatus::kBusy, IngestStatus::kTopicQuota, IngestStatus::kDiskFull, IngestStatus::kFailed};
  if (std::find(std::begin(kTryAgain), std::end(kTryAgain), call.status) != std::end(kTryAgain)) {
    if (call.status == IngestStatus::kTopicQuota) run_.reached.Note(Reach::kTopicRefused);
    env_.log.Debug("refused", {{"sender", number_}, {"cause", call.message}});
    if (call.status == IngestStatus::kFailed && SaysDamage(call.message)) NameDamage(run_, who, call.message);
    return false;
  }
  if (request.is_refused()) {
    if (call.status != IngestStatus::kInvalidEvents) run_.verdict.Note(who, "an invalid event was not refused: " + StatusText(call));
  } else if (call.status != IngestStatus::kTaken) {
    run_.verdict.Note(who, "a valid request was refused: " + StatusText(call));
  } else {
    Accept(request, call, acknowledged);
  }
  return true;
}

void Sender::Accept(const Request& request, const Call& call, size_t acknowledged) {
  const auto who = "sender " + std::to_string(number_);
  if (call.events.size() != request.keys.size())
    return run_.verdict.Note(
        who, std::to_string(request.keys.size()) + " events were sent, " + std::to_string(call.events.size()) + " were answered");
  for (size_t i = 0; i < call.events.size(); i++) {
    const auto& key = request.keys[i];
    const auto& answer = call.events[i];
    if (key.id.empty() != answer.topic.empty())
      run_.verdict.Note(who, "event " + std::to_string(i) + (key.id.empty() ? " is invalid and was taken" : " is valid and was rejected"));
    if (key.id.empty()) continue;
    if (answer.topic != key.topic) run_.verdict.Note(who, key.ToString() + " went to " + answer.topic);
    const auto wrong = run_.ledger.Acknowledge(key, answer.place, answer.duplicate, acknowledged);
    if (!IsRottenAnswer(run_, key.topic, wrong)) run_.verdict.Note(who, wrong);
    run_.acknowledged_ns.resize(run_.ledger.acknowledged().size(), env_.clock.MonotonicNs());
  }
}

void AskForFlushes(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kFlushStream);
  const std::shared_ptr<io::Signal> bell = env.threads.NewSignal();
  for (int i = 0; i < run.scenario.flushes && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, 500'000));
    auto call = std::make_shared<Call>();
    call->kind = Call::Kind::kFlush;
    Ask(run, env, bell, call, kFlushPatienceUs);
  }
}

void JumpClocks(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kClockStream);
  // An hour at most each time: all of them together stay well inside of the window in which duplicates are known.
  constexpr int64_t kJumpsSeconds[] = {-3'600, -30, -1, 1, 5, 60, 3'600};
  for (int i = 0; i < run.scenario.clock_jumps && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, 400'000));
    run.world.JumpClock(dice.Pick(kJumpsSeconds) * kMicrosPerSecond);
  }
}

void FillDisks(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kDiskStream);
  const auto set_limit = [&](uint64_t bytes) {
    if (!run.faults_on) return;
    auto options = run.world.options();
    run.all.disk_bytes_max = options.disk_bytes_max = bytes;
    run.world.SetOptions(options);
  };
  for (int i = 0; i < run.scenario.full_disks && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, 400'000));
    set_limit(1);
    env.clock.SleepUs(dice.Between(0, 3 * kMicrosPerSecond));
    set_limit(0);
  }
}

void BreakTables(RunState& run, io::Env env) {
  Dice dice(run.scenario.seed, kOutageStream);
  constexpr const char* kTopics[] = {"raw-events", "raw-events", "raw-transactions", "silver-orders"};
  for (int i = 0; i < run.scenario.table_outages && run.verdict.ok() && run.all.senders_at_work > 0; i++) {
    env.clock.SleepUs(dice.Between(0, run.scenario.outage_pause_us_max));
    const auto table = table::TableNameOf(dice.Pick(kTopics));
    const int64_t length_us = dice.Between(run.scenario.outage_us_max / 4, run.scenario.outage_us_max);
    if (!run.faults_on) return;
    run.all.broken_tables.insert(table);
    env.log.Info("the catalog stops answering", {{"table", table.ToString()}, {"us", length_us}});
    env.clock.SleepUs(length_us);
    run.all.broken_tables.erase(table);
  }
}

void Close(RunState& run, io::Env env) {
  const std::shared_ptr<io::Signal> bell = env.threads.NewSignal();
  while (run.all.senders_at_work > 0 && run.verdict.ok()) env.clock.SleepUs(kPollUs);
  io::SimulationOptions calm;
  calm.steps_max = run.world.options().steps_max;
  run.world.SetOptions(calm);
  run.faults_on = false;
  run.network.Calm();
  run.all.broken_tables.clear();
  const int64_t frozen_us = std::max<int64_t>(0, (run.frozen_until_ns - env.clock.MonotonicNs()) / 1'000);
  if (run.scenario.http.is_used) env.clock.SleepUs(frozen_us + kStragglersUs);
  auto until_done = [&](Call::Kind kind, bool must_succeed) {
    std::string why = "no answer";
    for (int attempt = 0; run.verdict.ok() && !run.retired; attempt++) {
      auto call = std::make_shared<Call>();
      call->kind = kind;
      if (attempt == kClosingAttemptsMax) return run.verdict.Note("close", "nothing moves any more: " + why);
      if (Ask(run, env, bell, call, kFlushPatienceUs) && (call->message.empty() || !must_succeed)) return;
      why = call->message;
      env.clock.SleepUs(std::max(kPollUs, (run.frozen_until_ns - env.clock.MonotonicNs()) / 1'000));
    }
  };
  until_done(Call::Kind::kFlush, true);
  until_done(Call::Kind::kLook, true);
  if (run.act > 1) AwaitOrphanSearch(run, env);
  until_done(Call::Kind::kStop, false);
}

}  // namespace sluice::sim
