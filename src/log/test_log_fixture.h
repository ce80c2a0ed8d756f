// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of this folder: a log in a simulated world, its calls without their errors.

#include <gtest/gtest.h>

#include <functional>

#include "log/test_log.h"

namespace sluice::log {

inline constexpr LogPartition kP0{0}, kP1{1};

class LogTest : public testing::Test {
 protected:
  void Run(const std::function<void()>& body) {
    auto result = world_.Run(body);
    ASSERT_TRUE(result.finished()) << result.report;
  }
  // The world with other files.
  io::Env EnvWith(io::FileSystem& files) {
    const auto env = world_.env();
    return {files, env.objects, env.memory, env.clock, env.random, env.threads, env.log, env.metrics, env.processes, env.network};
  }
  std::unique_ptr<Log> Open(LogOptions options = SmallLogOptions()) {
    auto log = Log::Open(world_.env(), kTestDirectory, std::move(options));
    CHECK(log.ok(), log.ok() ? "" : log.error().ToString().c_str());
    return std::move(*log);
  }
  const Topic* OpenTopic(Log& log, std::string_view name = "raw-events") {
    auto topic = log.OpenTopic(name, {});
    CHECK(topic.ok(), topic.ok() ? "" : topic.error().ToString().c_str());
    return *topic;
  }
  AppendResult Append(Log& log, const Topic* topic, LogPartition partition, const std::vector<TestEvent>& events) {
    auto result = AppendEvents(log, topic, partition, events);
    CHECK(result.ok(), result.ok() ? "" : result.error().ToString().c_str());
    return std::move(*result);
  }
  AppendResult AppendDurably(Log& log, const Topic* topic, LogPartition partition, const std::vector<TestEvent>& events) {
    auto result = Append(log, topic, partition, events);
    CHECK(WaitDurable(world_.env(), log, result.durable_after), "not durable");
    return result;
  }
  std::vector<std::string> StoredIds(Log& log, LogPartition partition, const std::string& topic = "raw-events") {
    auto stored = ReadStored(log, topic);
    CHECK(stored.ok(), stored.ok() ? "" : stored.error().ToString().c_str());
    return Ids((*stored)[partition]);
  }

  io::SimulatedWorld world_{1};
};

}  // namespace sluice::log
