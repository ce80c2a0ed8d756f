// SPDX-License-Identifier: Apache-2.0
// Remembered ids: places, tables, runs, and how runs become fewer.

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "io/forwarding_files.h"
#include "log/internal/dedup_index.h"
#include "log/internal/dedup_sealing.h"
#include "log/internal/test_formats.h"

namespace sluice::log {
namespace {

std::vector<DedupEntry> RandomEntries(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<DedupEntry> entries;
  for (size_t i = 0; i < n; i++)
    entries.push_back({{random(), random()}, DedupPlace(LogPartition(static_cast<int32_t>(i % 5)), Offset(static_cast<int64_t>(i)))});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return entries;
}

class GivenEntries final : public DedupEntries {
 public:
  explicit GivenEntries(std::span<const DedupEntry> entries) : left_(entries) {}
  Result<std::span<const DedupEntry>> Next() override {
    const auto some = left_.first(std::min<size_t>(left_.size(), 100));
    left_ = left_.subspan(some.size());
    return some;
  }

 private:
  std::span<const DedupEntry> left_;
};

Result<std::vector<DedupEntry>> AllOf(DedupEntries& entries) {
  std::vector<DedupEntry> all;
  for (;;) {
    ASSIGN_OR_RETURN(auto some, entries.Next());
    if (some.empty()) return all;
    all.insert(all.end(), some.begin(), some.end());
  }
}

TEST(DedupPlaceTest, KeepsItsLimits) {
  for (auto [p, o] :
       {std::pair<int32_t, int64_t>{0, 0}, {DedupPlace::kPartitionMax, DedupPlace::kOffsetMax}, {1, DedupPlace::kOffsetMax}}) {
    DedupPlace place{LogPartition(p), Offset(o)};
    EXPECT_FALSE(place.empty());
    EXPECT_FALSE(place.pending());
    EXPECT_EQ(place.partition(), LogPartition(p));
    EXPECT_EQ(place.offset(), Offset(o));
  }
  EXPECT_TRUE(DedupPlace().empty());
  EXPECT_TRUE(DedupPlace::Pending(7).pending());
  EXPECT_EQ(DedupPlace::Pending(7).pending_row(), 7u);
}

TEST(DedupTableTest, HoldsEveryKeyWhileItGrows) {
  auto entries = RandomEntries(20'000, 1);
  DedupTable table;
  for (const auto& e : entries) {
    table.Reserve(1);
    ASSERT_EQ(table.Find(e.key), nullptr);
    table.Insert(e.key, e.place);
  }
  for (const auto& e : entries) ASSERT_EQ(table.Find(e.key)->packed(), e.place.packed());
  for (const auto& e : RandomEntries(10'000, 2)) ASSERT_EQ(table.Find(e.key), nullptr);
  DedupTableEntries source(table);
  auto sorted = *AllOf(source);
  ASSERT_EQ(sorted.size(), entries.size());
  for (size_t i = 0; i < sorted.size(); i++) ASSERT_EQ(sorted[i].key, entries[i].key);
}

TEST(DedupTableTest, AClearedTableIsEmptyAndFillsAgain) {
  DedupTable table;
  for (uint64_t seed : {1, 2}) {
    auto entries = RandomEntries(5'000, seed);
    table.Reserve(entries.size());
    for (const auto& e : entries) {
      ASSERT_EQ(table.Find(e.key), nullptr);
      table.Insert(e.key, e.place);
    }
    ASSERT_EQ(table.size(), entries.size());
    const auto bytes = table.byte_size();
    table.Clear();
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(table.byte_size(), bytes);
    DedupTableEntries none(table);
    EXPECT_TRUE(AllOf(none)->empty());
  }
}

TEST(DedupHasherTest, LengthsSecretAndScopeMatter) {
  DedupHasher a(std::string(32, 'a')), b(std::string(32, 'b'));
  auto scope = a.ScopeOf("default", "t");
  EXPECT_EQ(a.KeyOf(scope, "s", "i"), a.KeyOf(scope, "s", "i"));
  EXPECT_NE(a.KeyOf(scope, "ab", "c"), a.KeyOf(scope, "a", "bc"));
  EXPECT_NE(a.ScopeOf("ab", "c"), a.ScopeOf("a", "bc"));
  EXPECT_NE(a.KeyOf(scope, "s", "i"), b.KeyOf(scope, "s", "i"));
  EXPECT_NE(a.KeyOf(scope, "s", "i"), a.KeyOf(a.ScopeOf("default", "u"), "s", "i"));
}

// Goal: a table gives its entries in order, also those that found room only at its beginning, and takes no more slots than its usual size needs.
// Method: keys whose homes are the first and the last slots, in an order that makes them wrap around and stand among others.
TEST(DedupTableTest, EntriesThatWrappedAroundComeLast) {
  std::vector<DedupEntry> entries;
  DedupTable table(0, 2'000);
  table.Reserve(2'000);
  const auto insert = [&](uint64_t high) {
    entries.push_back({{high, entries.size()}, DedupPlace(LogPartition(1), Offset(static_cast<int64_t>(entries.size())))});
    table.Insert(entries.back().key, entries.back().place);
  };
  for (uint64_t i = 0; i < 3; i++) insert(i);
  for (uint64_t i = 0; i < 20; i++) insert(UINT64_MAX - i);
  for (uint64_t i = 0; i < 900; i++) insert(i * 977 << 40);
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.key < b.key; });
  DedupTableEntries source(table);
  const auto sorted = *AllOf(source);
  ASSERT_EQ(sorted.size(), entries.size());
  for (size_t i = 0; i < sorted.size(); i++) ASSERT_EQ(sorted[i].key, entries[i].key) << i;
}

TEST(DedupTableTest, DoublesOnlyUpToItsUsualSize) {
  const size_t keys_max = 10'000;
  DedupTable table(0, keys_max);
  for (const auto& e : RandomEntries(keys_max, 3)) {
    table.Reserve(1);
    table.Insert(e.key, e.place);
  }
  EXPECT_EQ(table.byte_size(), (keys_max * 3 / 2 + 1) * sizeof(DedupEntry));
  for (const auto& e : RandomEntries(keys_max, 4)) {  // more than usual find room, too
    table.Reserve(1);
    table.Insert(e.key, e.place);
  }
  EXPECT_EQ(table.size(), 2 * keys_max);
}

// Keys are spread evenly as a rule; what does not keep to it is in order all the same.
TEST(DedupEntriesTest, MergedSourcesAreInOrderHoweverKeysAreSpread) {
  std::mt19937_64 random(6);
  std::vector<DedupEntry> entries;
  for (uint64_t i = 0; i < 3'000; i++) entries.push_back({{0, i}, DedupPlace(1)});
  for (uint64_t i = 0; i < 3'000; i++) entries.push_back({{(uint64_t{1} << 40) + i / 7, i}, DedupPlace(1)});
  for (uint64_t i = 0; i < 3'000; i++) entries.push_back({{UINT64_MAX, i}, DedupPlace(1)});
  std::vector<DedupEntry> parts[16];
  for (const auto& entry : entries) parts[std::min<uint64_t>(random() % 40, 15)].push_back(entry);
  std::vector<std::unique_ptr<DedupEntries>> sources;
  for (auto& part : parts) sources.push_back(std::make_unique<GivenEntries>(part));
  MergedDedupEntries merged(std::move(sources));
  const auto all = *AllOf(merged);
  ASSERT_EQ(all.size(), entries.size());
  for (size_t i = 0; i < all.size(); i++) ASSERT_EQ(all[i].key, entries[i].key);
}

TEST(DedupEntriesTest, MergedSourcesAreInOrder) {
  auto entries = RandomEntries(5'000, 5);
  std::vector<DedupEntry> parts[3];
  for (size_t i = 0; i < entries.size(); i++) parts[i % 7 == 0 ? 0 : i < 2'000 ? 1 : 2].push_back(entries[i]);
  std::vector<std::unique_ptr<DedupEntries>> sources;
  for (auto& part : parts) sources.push_back(std::make_unique<GivenEntries>(part));
  sources.push_back(std::make_unique<GivenEntries>(std::span<const DedupEntry>()));
  MergedDedupEntries merged(std::move(sources));
  const auto all = *AllOf(merged);
  ASSERT_EQ(all.size(), entries.size());
  for (size_t i = 0; i < all.size(); i++) ASSERT_EQ(all[i].key, entries[i].key);
}

class DedupRunTest : public FormatsTest {
 protected:
  Result<std::shared_ptr<const DedupRun>> Write(const DedupRunRange& range, const std::vector<DedupEntry>& entries) {
    GivenEntries given(entries);
    return DedupRun::Write(env_, paths_, TestId(), range, entries.size(), given);
  }
};

// Goal: few runs, each key written twice; nobody is merged with a longer one, or beyond the bounds.
class RunsToMergeTest : public DedupRunTest {
 protected:
  void Add(size_t keys, int64_t append_time = 0) {
    auto run = Write({next_, next_, Timestamp{append_time}, Timestamp{append_time}}, RandomEntries(keys, next_.get()));
    ASSERT_TRUE(run.ok());
    runs_.push_back(*run);
    ++next_;
  }
  // How many became one.
  size_t Merge() {
    const auto some = RunsToMerge(runs_, options_);
    if (some.empty()) return 0;
    auto merged = MergeRuns(env_, paths_, TestId(), some, std::atomic<bool>(false));
    EXPECT_TRUE(merged.ok());
    EXPECT_EQ((*merged)->range().first, some.front()->range().first);
    EXPECT_EQ((*merged)->range().last, some.back()->range().last);
    auto at = std::search(runs_.begin(), runs_.end(), some.begin(), some.end());
    *at = *merged;
    runs_.erase(at + 1, at + static_cast<ptrdiff_t>(some.size()));
    return some.size();
  }
  LogOptions options_;
  DedupRuns runs_;
  CommitSequence next_{1};
};

TEST_F(RunsToMergeTest, SixteenTablesBecomeARunThatStays) {
  options_.dedup_table_keys_max = 10;
  options_.dedup_run_keys_max = 200;
  EXPECT_EQ(Merge(), 0u);
  for (int i = 0; i < 15; i++) Add(11);
  EXPECT_EQ(Merge(), 0u) << "fifteen are few enough";
  Add(11);
  EXPECT_EQ(Merge(), 16u);
  for (int i = 0; i < 64; i++) {
    Add(10);
    Merge();
  }
  EXPECT_EQ(runs_.size(), 5u);
  EXPECT_EQ(Merge(), 0u) << "those are long";
}

TEST_F(RunsToMergeTest, SmallOnesBecomeLargerInSteps) {
  size_t written = 0;
  for (int i = 0; i < 256; i++) {
    Add(1);
    for (DedupRuns before = runs_; Merge() > 0; before = runs_)
      for (const auto& run : runs_) written += std::find(before.begin(), before.end(), run) == before.end() ? run->size() : 0;
  }
  EXPECT_LE(runs_.size(), 2u * 15);
  EXPECT_LE(written, 3u * 256);
}

TEST_F(RunsToMergeTest, FourAreEnoughWhenNoMoreWillCome) {
  options_.dedup_run_keys_max = 100;
  for (int i = 0; i < 5; i++) Add(24);
  EXPECT_EQ(Merge(), 4u) << "with a fifth there would be more keys than a run may have";
  runs_.clear();
  for (int i = 0; i < 5; i++) Add(5, 10);
  EXPECT_EQ(Merge(), 0u);
  Add(5, 11 + options_.dedup_run_span_us);
  EXPECT_EQ(Merge(), 5u) << "the next one is of another hour";
}

TEST_F(RunsToMergeTest, NoneBeyondTheBounds) {
  options_.dedup_run_keys_max = 100;
  for (int i = 0; i < 20; i++) Add(40);
  EXPECT_EQ(Merge(), 0u) << "more keys than a run may have";
  runs_.clear();
  for (int i = 0; i < 20; i++) Add(1, i * options_.dedup_run_span_us);
  EXPECT_EQ(Merge(), 0u) << "a run that ends late keeps its oldest keys for longer";
  runs_.clear();
  for (int i = 0; i < 15; i++) Add(1);
  ++next_;
  for (int i = 0; i < 3; i++) Add(1);
  EXPECT_EQ(Merge(), 15u) << "not over a gap";
}

TEST_F(RunsToMergeTest, RunsWithoutKeysToo) {
  for (int i = 0; i < 16; i++) Add(0);
  EXPECT_EQ(Merge(), 16u);
}

TEST_F(RunsToMergeTest, AMergeEndsWhenItIsToldTo) {
  for (int i = 0; i < 2; i++) Add(5);
  EXPECT_EQ(MergeRuns(env_, paths_, TestId(), runs_, std::atomic<bool>(true)).error().code, ErrorCode::kCancelled);
}

TEST_F(DedupRunTest, ADedupRunFindsItsKeysAndFewOthers) {
  auto entries = RandomEntries(5'000, 1);
  auto written = Write(Range(1, 7), entries);
  ASSERT_TRUE(written.ok());
  auto run = *DedupRun::Open(env_, (*written)->path(), TestId());
  for (const auto& e : entries) {
    ASSERT_TRUE(run->MayHold(e.key, DedupFilterBits(e.key)));
    ASSERT_EQ(run->Find(e.key)->packed(), e.place.packed());
  }
  size_t mistaken = 0;
  for (const auto& e : RandomEntries(100'000, 2)) {
    mistaken += run->MayHold(e.key, DedupFilterBits(e.key));
    ASSERT_TRUE(run->Find(e.key)->empty());
  }
  EXPECT_LE(mistaken, 8u);  // about 0.6 are expected: 9 come in one run of 10^8
  DedupRunEntries all(*run);
  EXPECT_EQ(AllOf(all)->size(), entries.size());
  EXPECT_EQ(run->range().last, CommitSequence(7));
}

TEST_F(DedupRunTest, EveryByteOfADedupRunIsCovered) {
  auto entries = RandomEntries(200, 1);  // two blocks
  auto written = Write(Range(1, 7), entries);
  ASSERT_TRUE(written.ok());
  ExpectEveryByteCovered((*written)->path(),
                         [&]() -> Result<void> {
                           ASSIGN_OR_RETURN(auto run, DedupRun::Open(env_, (*written)->path(), TestId()));
                           DedupRunEntries all(*run);
                           RETURN_IF_ERROR(AllOf(all));
                           return {};
                         },
                         7);
}

// Found by the simulator on a disk that put a block of one run into another: its checksum was right, the key was not in it, and an event was
// taken twice.
TEST_F(DedupRunTest, ABlockOfAnotherPlaceIsDamage) {
  auto entries = RandomEntries(400, 1);
  const auto one = *Write(Range(1, 5), entries), other = *Write(Range(6, 7), RandomEntries(400, 2));
  constexpr size_t kFirst = kBlock, kSecond = 2 * kBlock;
  const std::string whole = Load(one->path());
  for (const auto& bytes : {whole.substr(kSecond, kBlock), Load(other->path()).substr(kFirst, kBlock)}) {
    auto file = *files().Open(one->path(), {.mode = io::OpenMode::kReadWrite});
    ASSERT_TRUE(file->Write(kFirst, bytes).ok());
    EXPECT_EQ(one->Find(entries[0].key).error().code, ErrorCode::kCorruption);
    ASSERT_TRUE(file->Write(kFirst, whole.substr(kFirst, kBlock)).ok());
    EXPECT_FALSE(one->Find(entries[0].key)->empty());
  }
}

// Found by review: an index whose page comes back wrong from the disk after the start sent a search to a wrong block, and an event was taken
// twice.
// Method: the index of one run, mapped, over the blocks of another one of the same place, whose checksums are right.
TEST_F(DedupRunTest, AnIndexThatDoesNotFitItsBlocksIsDamage) {
  const auto entries = RandomEntries(400, 1);
  const auto other = Load((*Write(Range(1, 5), RandomEntries(400, 2)))->path());
  const auto run = *Write(Range(1, 5), entries);
  for (const size_t at : {kBlock, 2 * kBlock})
    ASSERT_TRUE((*files().Open(run->path(), {.mode = io::OpenMode::kReadWrite}))->Write(at, other.substr(at, kBlock)).ok());
  for (const auto& entry : {entries[0], entries[200]}) {
    const auto found = run->Find(entry.key);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, ErrorCode::kCorruption);
    EXPECT_NE(found.error().message.find("begins with another key"), std::string::npos) << found.error().ToString();
  }
}

// Goal: a merged run whose reading failed is in nobody's list, but in the directory; the next merge begins in the middle of what it covers.
TEST_F(DedupRunTest, ARunThatAFailedMergeLeftIsNoGap) {
  auto entries = RandomEntries(300, 1);
  const std::span<const DedupEntry> all(entries);
  const auto write = [&](int64_t first, int64_t last, std::span<const DedupEntry> some) {
    ASSERT_TRUE(Write(Range(first, last), {some.begin(), some.end()}).ok());
  };
  write(13, 25, all.first(100));
  write(13, 61, all.first(200));
  write(26, 71, all.subspan(100));
  std::vector<Path> obsolete;
  auto runs = OpenDedupRuns(env_, paths_, TestId(), Timestamp(), obsolete);
  ASSERT_TRUE(runs.ok()) << runs.error().ToString();
  for (const auto& entry : entries)
    EXPECT_TRUE(std::any_of(runs->begin(), runs->end(), [&](auto& run) {
      const auto found = run->Find(entry.key);
      return found.ok() && found->packed() == entry.place.packed();
    }));
  EXPECT_EQ(runs->back()->range().last, CommitSequence(71));
  EXPECT_EQ(obsolete.size(), 1u) << "13 to 25 is in 13 to 61";
}

TEST_F(DedupRunTest, RunsThatAnotherContainsAreLeftOutAndGapsAreDamage) {
  auto entries = RandomEntries(10, 1);
  for (auto range : {Range(1, 5), Range(6, 7), Range(6, 9)}) ASSERT_TRUE(Write(range, entries).ok());
  std::vector<Path> obsolete;
  auto runs = OpenDedupRuns(env_, paths_, TestId(), Timestamp(), obsolete);
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ(runs->size(), 2u);
  ASSERT_EQ(obsolete.size(), 1u);
  EXPECT_EQ(base::FileName(obsolete[0]), "6-7.run");
  ASSERT_TRUE(Write(Range(11, 12), entries).ok());
  EXPECT_EQ(OpenDedupRuns(env_, paths_, TestId(), Timestamp(), obsolete).error().code, ErrorCode::kCorruption);
}

// A merge that was killed left up to half a gigabyte behind, for good.
// Goal: the removal of an expired run failed, its successors' did not: no start may refuse because of it. Young runs before a gap are damage.
TEST_F(DedupRunTest, ExpiredRunsBeforeAGapAreObsolete) {
  auto entries = RandomEntries(10, 1);
  for (auto range : {Range(1, 5), Range(6, 7), Range(20, 29)}) ASSERT_TRUE(Write(range, entries).ok());
  const Timestamp newest = Range(6, 7).newest;
  std::vector<Path> obsolete;
  EXPECT_EQ(OpenDedupRuns(env_, paths_, TestId(), newest, obsolete).error().code, ErrorCode::kCorruption);
  obsolete.clear();
  auto runs = OpenDedupRuns(env_, paths_, TestId(), Timestamp{newest.us + 1}, obsolete);
  ASSERT_TRUE(runs.ok()) << runs.error().ToString();
  EXPECT_EQ(runs->size(), 1u);
  EXPECT_EQ(obsolete.size(), 2u);
}

// A disk that takes runs and does not give them back.
class CannotBeReadBack final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    if (path.ends_with(".run") && options.mode == io::OpenMode::kRead) return Error{ErrorCode::kIo, "input/output error", {}};
    return files_.Open(path, options);
  }
};

// Goal: a run that cannot be read back is nobody's: it does not stay to be damage to the next start.
TEST_F(DedupRunTest, ARunThatCannotBeReadBackDoesNotStay) {
  auto entries = RandomEntries(10, 1);
  CannotBeReadBack files(env_.files);
  const io::Env rotten{files,        env_.objects, env_.memory,  env_.clock,     env_.random,
                       env_.threads, env_.log,     env_.metrics, env_.processes, env_.network};
  GivenEntries given(entries);
  EXPECT_EQ(DedupRun::Write(rotten, paths_, TestId(), Range(1, 5), entries.size(), given).error().code, ErrorCode::kIo);
  EXPECT_TRUE(env_.files.List(paths_.dedup)->empty());
}

TEST_F(DedupRunTest, UnfinishedRunsAreObsolete) {
  ASSERT_TRUE(Write(Range(1, 5), RandomEntries(10, 1)).ok());
  const auto unfinished = base::JoinPath(paths_.dedup, "1-9.run.tmp");
  ASSERT_TRUE(io::WriteFileAtomically(env_.files, unfinished, "half").ok());
  std::vector<Path> obsolete;
  auto runs = OpenDedupRuns(env_, paths_, TestId(), Timestamp(), obsolete);
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ(runs->size(), 1u);
  EXPECT_EQ(obsolete, std::vector<Path>{unfinished});
}

TEST_F(DedupRunTest, RunsExpireByTheirNewestTime) {
  auto entries = RandomEntries(10, 1);
  std::vector<std::shared_ptr<const DedupRun>> runs = {*Write(Range(1, 5, 100), entries), *Write(Range(6, 9, 200), entries)};
  DedupIndex index(runs, CommitSequence(9), 100, 100);
  EXPECT_TRUE(index.Expire(Timestamp{100}).empty());
  EXPECT_EQ(index.Expire(Timestamp{101}).size(), 1u);
  EXPECT_EQ(index.runs().size(), 1u);
  EXPECT_EQ(index.covered(), CommitSequence(9));
}

TEST_F(DedupRunTest, TablesInMemoryAreCountedUntilTheyAreSealed) {
  constexpr size_t kKeys = 3'000;  // more than a new table has room for
  DedupIndex index({}, CommitSequence(), 2 * kKeys, 20 * kKeys);
  const uint64_t empty = index.memory_bytes();
  EXPECT_GT(empty, 0u);
  index.open().Reserve(kKeys);
  const uint64_t open = index.memory_bytes();
  EXPECT_GE(open, kKeys * sizeof(DedupEntry));
  for (const auto& entry : RandomEntries(kKeys, 1)) index.open().Insert(entry.key, entry.place);
  index.Freeze(CommitSequence(9));
  EXPECT_GE(index.memory_bytes(), 2 * kKeys * sizeof(DedupEntry));  // the next one has room for as many
  const auto keys = index.KeysForNextRun();
  const auto sealed = index.Sealed(*Write(Range(1, 9), RandomEntries(kKeys, 1)), keys);
  EXPECT_EQ(index.memory_bytes(), index.open().byte_size() + keys->byte_size());
}

}  // namespace
}  // namespace sluice::log
