// SPDX-License-Identifier: Apache-2.0
// The log on the real file system with real threads: direct writes, and readers beside the loop.

#include <gtest/gtest.h>

#include "io/test_directory.h"
#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr int kEvents = 400;

// Reads until it has seen all events; answers their ids in order.
std::vector<std::string> ReadAsTheyCome(io::Env env, LogSource& source, io::Signal& watch) {
  auto reader = source.NewReader("raw-events", {{LogPartition(0), Offset(0)}});
  CHECK(reader.ok(), "a reader");
  std::vector<std::string> ids;
  event::EventBatch batch;
  event::RecordPlaces places;
  int64_t deadline = env.clock.MonotonicNs() + 60'000'000'000;
  while (ids.size() < kEvents && env.clock.MonotonicNs() < deadline) {
    auto run = (*reader)->Next(10'000);
    CHECK(run.ok(), run.ok() ? "" : run.error().message.c_str());
    for (const auto& frame : run->frames()) {
      CHECK(event::DecodeRecordBatch(frame.record_batch, batch, places).ok(), "a RecordBatch");
      for (size_t row = 0; row < batch.rows(); row++) ids.push_back(std::string(batch.Get(event::Attribute::kId, row)));
    }
    if (run->empty()) watch.Wait(10'000);
  }
  return ids;
}

TEST(LogRealWorld, ReadersFollowTheLoopOverRecycledSegments) {
  io::RealWorld world(io::LogLevel::kError);
  auto env = world.env();
  io::TestDirectory directory(env.files);
  auto options = SmallLogOptions();
  options.tail_bytes_max = 32 << 10;  // so that readers need the disk, too
  std::vector<std::string> sent, seen;
  {
    auto log = std::move(Log::Open(env, directory.path(), options)).value();
    const auto* topic = *log->OpenTopic("raw-events", {});
    auto watch = env.threads.NewSignal();
    log->source().Watch(watch.get());
    auto thread = env.threads.Start("reader", io::ThreadPriority::kNormal, [&] { seen = ReadAsTheyCome(env, log->source(), *watch); });
    for (int i = 0; i < kEvents; i++) {
      sent.push_back(std::to_string(i));
      auto appended = AppendEvents(*log, topic, LogPartition(0), {{sent.back(), 0, "/test", std::string(3'000, 'x')}});
      ASSERT_TRUE(appended.ok()) << appended.error().ToString();
      ASSERT_TRUE(WaitDurable(env, *log, appended->durable_after));
    }
    thread->Join();
    log->source().Unwatch(watch.get());
    ASSERT_TRUE(log->Shutdown().ok());
  }
  EXPECT_EQ(seen, sent);
  auto log = std::move(Log::Open(env, directory.path(), options)).value();
  auto stored = ReadStored(*log, "raw-events");
  ASSERT_TRUE(stored.ok()) << stored.error().ToString();
  EXPECT_EQ(Ids((*stored)[LogPartition(0)]), sent);  // nothing is tiered: nothing may go
  ASSERT_TRUE(log->Shutdown().ok());
}

}  // namespace
}  // namespace sluice::log
