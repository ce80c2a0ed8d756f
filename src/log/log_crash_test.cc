// SPDX-License-Identifier: Apache-2.0
// Invariant 1 of the design: an acknowledged event is in the log after any crash.

#include <gtest/gtest.h>

#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr LogPartition kP0{0};

LogOptions CrashOptions() {
  auto options = SmallLogOptions();
  options.dedup_run_keys_max = 20;
  return options;
}

// What the client knows; it survives the server.
struct Ledger {
  std::map<std::string, Offset> acknowledged;
  std::set<std::string> sent;
  std::map<LogPartition, Offset> tiered;
};

void SendAndWait(io::Env env, Log& log, const Topic* topic, const std::vector<TestEvent>& events, Ledger& ledger) {
  for (const auto& e : events) ledger.sent.insert(e.id);
  auto result = AppendEvents(log, topic, kP0, events);
  ASSERT_TRUE(result.ok()) << result.error().ToString();
  ASSERT_TRUE(WaitDurable(env, log, result->durable_after));
  for (size_t i = 0; i < events.size(); i++) {
    auto [at, is_new] = ledger.acknowledged.try_emplace(events[i].id, result->rows[i].offset);
    ASSERT_EQ(at->second, result->rows[i].offset) << "a retry of " << events[i].id << " got another place";
  }
}

// Enough to fill segments, seal runs, copy out, write checkpoints and recycle. Every batch repeats an id of the one before.
void Work(io::Env env, Ledger& ledger, int batches, const std::string& prefix) {
  auto log = Log::Open(env, kTestDirectory, CrashOptions());
  if (!log.ok() && log.error().code == ErrorCode::kCancelled) return;  // crashed
  ASSERT_TRUE(log.ok()) << log.error().ToString();
  auto topic = (*log)->OpenTopic("raw-events", {});
  ASSERT_TRUE(topic.ok());
  for (int i = 0; i < batches; i++) {
    std::vector<TestEvent> events;
    for (int k = 0; k < 3; k++) events.push_back({prefix + std::to_string(i * 2 + k), i, "/test", std::string(7'000, 'x')});
    SendAndWait(env, **log, *topic, events, ledger);
    if (i % 4 == 3) {
      ledger.tiered[kP0] = (*log)->source().DurableEnds("raw-events")->at(kP0) - 5;
      (*log)->SetTiered("raw-events", ledger.tiered);
    }
  }
  Settle(env, **log, 10);
  ASSERT_TRUE((*log)->Shutdown().ok());
}

// Everything acknowledged and not tiered is there, once, at its place; nothing is there that was not sent.
void Verify(io::Env env, Ledger& ledger) {
  auto log = Log::Open(env, kTestDirectory, CrashOptions());
  ASSERT_TRUE(log.ok()) << log.error().ToString();
  if ((*log)->FindTopic("raw-events") == nullptr) {
    ASSERT_TRUE(ledger.acknowledged.empty());
    return;
  }
  auto stored = ReadStored(**log, "raw-events");
  ASSERT_TRUE(stored.ok()) << stored.error().ToString();
  std::map<std::string, Offset> found;
  for (const auto& e : (*stored)[kP0]) {
    ASSERT_TRUE(found.emplace(e.id, e.offset).second) << e.id << " is there twice";
    ASSERT_TRUE(ledger.sent.contains(e.id));
  }
  for (const auto& [id, offset] : ledger.acknowledged) {
    auto at = found.find(id);
    if (at == found.end()) {
      ASSERT_LT(offset, ledger.tiered[kP0]) << id << " is lost";
    } else {
      ASSERT_EQ(at->second, offset);
    }
  }
  // A client that got no answer sends again: it gets the places that the log gave before.
  for (const auto& [id, offset] : ledger.acknowledged) {
    auto again = AppendEvents(**log, (*log)->FindTopic("raw-events"), kP0, {{id}});
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(again->duplicates, 1u) << id;
    ASSERT_EQ(again->rows[0].offset, offset);
  }
}

constexpr int kBatches = 16;

void CrashEverywhere(io::CrashKind kind, uint64_t seed, uint64_t step) {
  uint64_t calls = 0;
  {
    io::SimulatedWorld world(seed);
    Ledger ledger;
    ASSERT_TRUE(world.Run([&] { Work(world.env(), ledger, kBatches, "a"); }).finished());
    calls = world.io_count();
  }
  ASSERT_GT(calls, 200u);
  for (uint64_t at = 1; at <= calls; at += step) {
    SCOPED_TRACE("crash at io call " + std::to_string(at) + " of seed " + std::to_string(seed));
    io::SimulationOptions options;
    options.crash_at_io = at;
    options.crash_kind = kind;
    io::SimulatedWorld world(seed, options);
    Ledger ledger;
    world.Run([&] { Work(world.env(), ledger, kBatches, "a"); });
    world.SetOptions({});
    ASSERT_TRUE(world.Run([&] { Verify(world.env(), ledger); }).finished());
    if (testing::Test::HasFailure()) return;
    ASSERT_TRUE(world.Run([&] { Work(world.env(), ledger, 6, "b"); }).finished());
    ASSERT_TRUE(world.Run([&] { Verify(world.env(), ledger); }).finished());
    if (testing::Test::HasFailure()) return;
  }
}

TEST(LogCrash, PowerFailureAtEveryCallLosesNothingAcknowledged) { CrashEverywhere(io::CrashKind::kMachine, 1, 1); }
TEST(LogCrash, KillAtAnyCallLosesNothingAcknowledged) { CrashEverywhere(io::CrashKind::kProcess, 2, 3); }

// Found by the simulator: a start counted on a file whose name was not durable, because the process before was killed between its rename and
// the sync of its directory. Then the power failed.
TEST(LogCrash, PowerFailureAfterAKillLosesNothing) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    uint64_t calls = 0;
    for (uint64_t at = 0; at <= calls; at += 2) {
      SCOPED_TRACE("kill at io call " + std::to_string(at) + " of seed " + std::to_string(seed));
      io::SimulationOptions options;
      options.crash_at_io = at;
      options.crash_kind = io::CrashKind::kProcess;
      io::SimulatedWorld world(seed, options);
      Ledger ledger;
      world.Run([&] { Work(world.env(), ledger, kBatches, "a"); });
      if (at == 0) calls = world.io_count();
      options.crash_at_io = world.io_count() + 30 + at % 100;
      options.crash_kind = io::CrashKind::kMachine;
      world.SetOptions(options);
      world.Run([&] { Work(world.env(), ledger, kBatches, "b"); });
      world.SetOptions({});
      ASSERT_TRUE(world.Run([&] { Verify(world.env(), ledger); }).finished());
      if (testing::Test::HasFailure()) return;
    }
  }
}

// Recovery itself is interrupted, again and again, at a later call each time.
TEST(LogCrash, CrashesDuringRecoveryLoseNothing) {
  for (uint64_t seed = 1; seed <= 3; seed++) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    io::SimulatedWorld world(seed);
    Ledger ledger;
    world.Run([&] { Work(world.env(), ledger, 8, "a"); });
    for (uint64_t calls = 1; calls < 60; calls++) {
      io::SimulationOptions options;
      options.crash_at_io = world.io_count() + calls;
      world.SetOptions(options);
      world.Run([&] { Work(world.env(), ledger, 2, "c" + std::to_string(calls) + "-"); });
    }
    world.SetOptions({});
    ASSERT_TRUE(world.Run([&] { Verify(world.env(), ledger); }).finished());
  }
}

}  // namespace
}  // namespace sluice::log
