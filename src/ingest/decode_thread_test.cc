// SPDX-License-Identifier: Apache-2.0
#include "ingest/decode_thread.h"

#include <gtest/gtest.h>

#include <mutex>
#include <vector>

#include "io/simulated_world.h"

namespace sluice::ingest {
namespace {

constexpr size_t kRequests = 3 * DecodeThread::kDecodersMax;

// Requests for one thread, and what it made of them.
class DecodeThreadTest : public testing::Test {
 protected:
  DecodeThreadTest() {
    for (size_t i = 0; i < kRequests; i++) {
      std::string body = "[";
      for (size_t event = 0; event <= i; event++) body += (event > 0 ? "," : "") + std::string(R"({"specversion":"1.0","id":"x","source":"/s","type":"t"})");
      bodies_.push_back(body + "]" + std::string(64, '\0'));
    }
    for (size_t i = 0; i < kRequests; i++) {
      IngestRequest request;
      request.content_type = "application/cloudevents-batch+json";
      request.body = std::string_view(bodies_[i]).substr(0, bodies_[i].size() - 64);
      requests_.push_back(request);
    }
  }
  void SendAll(DecodeThread& thread) {
    for (auto& request : requests_)
      thread.Decode(request, [this, alive = alive_](DecodeThread::Decoded decoded) {
        std::lock_guard lock(mutex_);
        decoded_.push_back(std::move(decoded));
        arrived_->Notify();
      });
  }
  size_t held() {
    std::lock_guard lock(mutex_);
    return decoded_.size();
  }
  void Run(const std::function<void()>& body) {
    auto result = world_.Run([&] {
      arrived_ = world_.env().threads.NewSignal();
      body();
    });
    ASSERT_TRUE(result.finished()) << result.report;
  }

  io::SimulatedWorld world_{1};
  std::vector<std::string> bodies_;
  std::vector<IngestRequest> requests_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  std::mutex mutex_;
  std::vector<DecodeThread::Decoded> decoded_;
  std::unique_ptr<io::Signal> arrived_;
};

TEST_F(DecodeThreadTest, DecodesInOrderAndNeverHoldsMoreThanItsDecoders) {
  Run([&] {
    DecodeThread thread(world_.env(), "decode", {}, [](auto&, auto&) {});
    EXPECT_FALSE(thread.busy());
    SendAll(thread);
    for (size_t next = 0; next < kRequests;) {
      while (held() == 0) arrived_->Wait();
      std::vector<DecodeThread::Decoded> taken;
      {
        std::lock_guard lock(mutex_);
        taken = std::exchange(decoded_, {});
      }
      EXPECT_LE(taken.size(), DecodeThread::kDecodersMax);
      for (auto& decoded : taken) {
        EXPECT_TRUE(decoded.outcome.ok());
        EXPECT_EQ(decoded.decoder().batch().rows(), ++next);
        EXPECT_TRUE(thread.busy());
      }
    }
    EXPECT_FALSE(thread.busy());
  });
}

TEST_F(DecodeThreadTest, DropsWhatWaitsWhenItEndsAndItsResultsOutliveIt) {
  Run([&] {
    {
      DecodeThread thread(world_.env(), "decode", {}, [](auto&, auto&) {});
      SendAll(thread);
      while (held() < DecodeThread::kDecodersMax) arrived_->Wait();
      EXPECT_GT(alive_.use_count(), 1);
    }
    EXPECT_EQ(alive_.use_count(), 1);
    EXPECT_EQ(held(), DecodeThread::kDecodersMax);
    EXPECT_EQ(decoded_.back().decoder().batch().rows(), DecodeThread::kDecodersMax);
    decoded_.clear();
  });
}

}  // namespace
}  // namespace sluice::ingest
