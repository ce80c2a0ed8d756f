// SPDX-License-Identifier: Apache-2.0
// Runs that one filter stands for: nothing is found less, whatever they are merged with, and whoever asks meanwhile.

#include "log/internal/sealed_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "log/internal/dedup_index.h"
#include "log/internal/dedup_sealing.h"
#include "log/internal/test_formats.h"

namespace sluice::log {
namespace {

DedupEntry RandomEntry(std::mt19937_64& random) { return {{random(), random()}, DedupPlace(random() >> 1 | 1)}; }

class SealedKeysTest : public FormatsTest {
 protected:
  static constexpr size_t kTableKeys = 64, kRunKeys = 640;

  // A table of `keys` new ones becomes a run.
  void Seal(size_t keys, Timestamp append_time) {
    for (size_t i = 0; i < keys; i++) {
      const auto entry = RandomEntry(random_);
      index_.open().Reserve(1);
      index_.open().Insert(entry.key, entry.place);
      known_[entry.key] = {entry.place, append_time};
    }
    index_.Touch(append_time);
    index_.Freeze(++commit_);
    const auto recent = index_.KeysForNextRun();
    auto run = SealTable(env_, paths_, TestId(), index_.frozen().front(), recent.get());
    ASSERT_TRUE(run.ok());
    index_.Sealed(*run, recent);
  }
  bool Merge(bool meanwhile_sealed) {
    const auto runs = RunsToMerge(index_.runs(), options_);
    if (runs.empty()) return false;
    if (runs.back() == index_.runs().back()) index_.EndGroup();
    auto merged = MergeRuns(env_, paths_, TestId(), runs, std::atomic<bool>(false));
    EXPECT_TRUE(merged.ok());
    if (meanwhile_sealed) Seal(kTableKeys, runs.back()->range().newest);
    index_.Merged(runs, *merged);
    return true;
  }
  // Every key that did not expire is found at its place, and no other one.
  void Check(Timestamp kept_from) {
    std::vector<DedupKey> keys;
    for (const auto& [key, known] : known_) keys.push_back(key);
    for (int i = 0; i < 500; i++) keys.push_back(RandomEntry(random_).key);
    std::vector<DedupPlace> places(keys.size());
    ASSERT_TRUE(index_.FindOlder(keys, places).ok());
    for (size_t i = 0; i < keys.size(); i++) {
      const auto known = known_.find(keys[i]);
      if (known == known_.end()) {
        ASSERT_TRUE(places[i].empty());
      } else if (known->second.second >= kept_from) {
        ASSERT_EQ(places[i].packed(), known->second.first.packed());
      }
    }
  }

  std::mt19937_64 random_{1};
  LogOptions options_ = [] {
    LogOptions options;
    options.dedup_table_keys_max = kTableKeys;
    options.dedup_run_keys_max = kRunKeys;
    return options;
  }();
  DedupIndex index_{{}, CommitSequence(), kTableKeys, kRunKeys};
  CommitSequence commit_;
  std::map<DedupKey, std::pair<DedupPlace, Timestamp>> known_;
};

TEST_F(SealedKeysTest, KeysAreFoundWhateverBecomesOfTheirRuns) {
  size_t merges = 0, grouped = 0, alone = 0;
  Timestamp kept_from;
  for (int64_t i = 1; i <= 150; i++) {
    const bool is_small = random_() % 10 == 0;
    Seal(is_small ? random_() % 5 : kTableKeys, Timestamp{i});
    if (i % 3 == 0) merges += Merge(random_() % 2 == 0);
    if (i % 40 == 0) {
      kept_from = Timestamp{i - 30};
      index_.Expire(kept_from);
    }
    if (i % 4 == 0) Check(kept_from);
    const auto sealed = index_.sealed();
    ASSERT_LE(sealed->groups.size(), DedupIndex::kGroupsMax);
    for (const auto& run : sealed->runs) {
      const bool in_group = std::any_of(sealed->groups.begin(), sealed->groups.end(),
                                        [&](auto& g) { return g.first <= run->range().first && run->range().last <= g.last; });
      (in_group ? grouped : alone)++;
    }
  }
  EXPECT_GT(merges, 5u);
  EXPECT_GT(grouped, 100u);
  EXPECT_GT(alone, 100u);
}

// A run of few keys is in no filter; the next group must not begin before it.
TEST_F(SealedKeysTest, ARunOfFewKeysEndsAGroup) {
  Seal(kTableKeys, Timestamp{1});
  Seal(1, Timestamp{2});
  Seal(kTableKeys, Timestamp{3});
  const auto sealed = index_.sealed();
  ASSERT_EQ(sealed->groups.size(), 2u);
  EXPECT_EQ(sealed->groups[0].last, CommitSequence(1));
  EXPECT_EQ(sealed->groups[1].first, CommitSequence(3));
  Check(Timestamp());
}

TEST_F(SealedKeysTest, FewKeysSeemToBeInAFullFilter) {
  RecentKeys keys(10'000);
  std::vector<DedupEntry> entries;
  for (int i = 0; i < 10'000; i++) entries.push_back(RandomEntry(random_));
  keys.Add(entries);
  for (const auto& entry : entries) ASSERT_TRUE(keys.MayHold(entry.key, DedupFilterBits(entry.key)));
  size_t mistaken = 0;
  for (int i = 0; i < 10'000; i++) {
    const auto other = RandomEntry(random_);
    mistaken += keys.MayHold(other.key, DedupFilterBits(other.key));
  }
  EXPECT_LT(mistaken, 2'000u);  // about 1,100 are expected
}

// Goal: a filter that grows answers true for what was in it before, on any thread. ThreadSanitizer watches this one.
TEST_F(SealedKeysTest, AFilterIsAskedWhileItGrows) {
  RecentKeys keys(20'000);
  std::vector<DedupEntry> before, later;
  for (int i = 0; i < 1'000; i++) before.push_back(RandomEntry(random_));
  for (int i = 0; i < 19'000; i++) later.push_back(RandomEntry(random_));
  keys.Add(before);
  std::atomic<bool> done{false};
  std::atomic<size_t> missed{0};
  std::thread asking([&] {
    do {
      for (const auto& entry : before) missed += !keys.MayHold(entry.key, DedupFilterBits(entry.key));
    } while (!done);
  });
  keys.Add(later);
  done = true;
  asking.join();
  EXPECT_EQ(missed, 0u);
}

}  // namespace
}  // namespace sluice::log
