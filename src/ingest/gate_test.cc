// SPDX-License-Identifier: Apache-2.0
#include "ingest/gate.h"

#include <gtest/gtest.h>

#include "io/simulated_world.h"
#include "log/test_log.h"

namespace sluice::ingest {
namespace {

constexpr size_t kReadablePadding = 64;  // behind a body

std::string Event(const std::string& id, const std::string& type, const std::string& more) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/s","type":")" + type + "\"" + more + "}";
}

// What a client sends, one request after the other.
std::vector<std::string> Bodies() {
  const std::string at = R"(,"time":"2026-01-01T00:00:00Z","data":{"user":"a","text":"x\"y"})";
  return {
      "[" + Event("1", "user_action", at) + "," + Event("2", "transaction", at) + "]",  // topics that nobody knows yet
      "[" + Event("3", "user_action", at) + "," + Event("4", "transaction", at) + "," +
          Event("5", "t", at + R"(,"subject":"z","ext":"e")") + "]",
      "[" + Event("3", "user_action", at) + "," + Event("6", "user_action", at) + "," + Event("6", "user_action", at) +
          "]",                                                                                        // seen before, twice
      "[" + Event("7", "user_action", "") + "," + Event("8", "user_action", at) + "]",                // without a time
      "[" + Event("9", "user_action", at) + R"(,{"id":"10"},)" + Event("11", "log_event", at) + "]",  // one that is refused
      "[" + Event("12", "user_action", at + R"(,"data_base64":"AAH/")") + "," + Event("13", "transaction", at) + "]",
  };
}

// A gate over a log of its own in a world of its own.
class GateRun {
 public:
  // What was answered and what the log holds. `prepared`: as requests of usual size are taken, else as small ones are.
  std::vector<std::string> Transcript(bool prepared) {
    auto result = world_.Run([&] { Take(prepared); });
    EXPECT_TRUE(result.finished()) << result.report;
    return transcript_;
  }
  size_t drafted() const { return drafted_; }

 private:
  void Take(bool prepared) {
    auto log = log::Log::Open(world_.env(), log::kTestDirectory, log::SmallLogOptions());
    ASSERT_TRUE(log.ok());
    GateOptions options;
    options.topics["raw-events"].key_pointers = {"/data/user"};
    Gate::Hooks hooks;
    hooks.prepare_topic = [](const std::string&) { return std::map<log::LogPartition, log::Offset>(); };
    hooks.on_topic = [](const log::Topic&) { return Result<void>(); };
    hooks.has_room = [] { return true; };
    hooks.takes_rows = [](const log::Topic&) { return Result<void>(); };
    auto gate = Gate::Make(world_.env(), **log, options, hooks);
    ASSERT_TRUE(gate.ok());
    for (const auto& body : Bodies()) TakeOne(**gate, **log, body, prepared);
    for (auto topic : {"raw-events", "raw-transactions", "raw-logs"}) Remember(**log, topic);
    ASSERT_TRUE((*log)->Shutdown().ok());
  }

  void TakeOne(Gate& gate, log::Log& log, const std::string& body, bool prepared) {
    const std::string padded = body + std::string(kReadablePadding, '\0');
    IngestRequest request;
    request.content_type = "application/cloudevents-batch+json";
    request.body = std::string_view(padded).substr(0, body.size());
    request.lenient = true;
    request.principal = &principal_;
    IngestOutcome outcome;
    RequestDecoder decoder(gate.limits());
    if (prepared) {
      outcome = decoder.Decode(request);
      gate.Prepare(request, decoder);
      drafted_ += decoder.draft().routes.empty() ? 0 : 1;
      outcome = gate.Admit(request, decoder, outcome);
    } else {
      outcome = gate.Ingest(request);
    }
    ASSERT_TRUE(outcome.ok()) << outcome.message;
    std::string line = std::to_string(outcome.accepted) + " " + std::to_string(outcome.duplicates) + " " + std::to_string(outcome.rejected);
    for (auto& event : gate.EventOutcomes())
      line += " | " + std::string(event.topic) + " " + std::to_string(event.partition) + " " + std::to_string(event.offset) +
              (event.duplicate ? " again" : "");
    transcript_.push_back(line);
    ASSERT_TRUE(log::WaitDurable(world_.env(), log, outcome.durable_after));
  }

  void Remember(log::Log& log, const std::string& topic) {
    auto stored = log::ReadStored(log, topic);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    for (auto& [partition, events] : *stored) {
      std::string line = topic + " " + std::to_string(partition.get());
      for (auto& id : log::Ids(events)) line += " " + id;
      transcript_.push_back(line);
    }
  }

  io::SimulatedWorld world_{1};
  Principal principal_;
  std::vector<std::string> transcript_;
  size_t drafted_ = 0;
};

// Goal: what is prepared beside the loop is admitted as if the loop had done it all.
// Method: the same requests both ways, each into a log of its own; answers and logs are compared.
TEST(GatePrepare, ChangesNothingOfWhatIsAdmitted) {
  GateRun small, usual;
  const auto expected = small.Transcript(false);
  EXPECT_EQ(usual.Transcript(true), expected);
  EXPECT_EQ(expected.at(2).substr(0, 5), "1 2 0");
  EXPECT_EQ(usual.drafted(), Bodies().size() - 2) << "all but those whose topics nobody knows yet";
}

}  // namespace
}  // namespace sluice::ingest
