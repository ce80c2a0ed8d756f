// SPDX-License-Identifier: Apache-2.0
// The files beside the journal: topic files, dedup runs, checkpoints, identity; and state entries.

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "io/simulated_world.h"
#include "log/internal/checkpoint.h"
#include "log/internal/dedup_index.h"
#include "log/internal/dedup_sealing.h"
#include "log/internal/gather_buffer.h"
#include "log/internal/state_batch.h"
#include "log/internal/topic_file.h"
#include "log/internal/topic_table.h"

namespace sluice::log {
namespace {

JournalId TestId(char fill = 'J') {
  JournalId id;
  id.fill(fill);
  return id;
}

class FormatsTest : public testing::Test {
 protected:
  io::FileSystem& files() { return env_.files; }
  std::string Load(const Path& path) { return *io::ReadFile(files(), path); }

  // Opening or using the file fails with kCorruption when any one of its bytes is damaged.
  void ExpectEveryByteCovered(const Path& path, const std::function<Result<void>()>& use, size_t step = 1) {
    ASSERT_TRUE(use().ok());
    const std::string whole = Load(path);
    for (size_t i = 0; i < whole.size(); i += step) {
      world_.CorruptByte(path, i, 0x04);
      auto used = use();
      ASSERT_FALSE(used.ok()) << "byte " << i;
      ASSERT_EQ(used.error().code, ErrorCode::kCorruption) << "byte " << i;
      world_.CorruptByte(path, i, 0x04);
    }
  }

  Result<std::shared_ptr<const DedupRun>> Write(const DedupRunRange& range, const std::vector<DedupEntry>& entries);

  io::SimulatedWorld world_{1};
  io::Env env_ = world_.env();
  LogPaths paths_{"/data"};
};

// ---- topic files ----

std::shared_ptr<const TopicFile> WriteTopicFile(io::FileSystem& files, const Path& directory, int frames, size_t payload) {
  auto writer = TopicFileWriter::Create(files, directory, TestId(), LogPartition(3), Offset(10));
  CHECK(writer.ok(), "create");
  uint32_t chain = 5;
  for (int i = 0; i < frames; i++) {
    std::string batch = EncodeStateBatch({{"k" + std::to_string(i), std::string(payload, 'x')}}, Offset(10 + i), Timestamp{0});
    Frame frame;
    frame.topic = "raw-events";
    frame.partition = LogPartition(3);
    frame.base_offset = Offset(10 + i);
    frame.next_offset = Offset(11 + i);
    frame.rows = 1;
    frame.record_batch = batch;
    frame.chain_before = chain;
    frame.chain = chain = ExtendChain(chain, frame.base_offset, frame.next_offset, batch);
    CHECK((*writer)->Add(frame, CommitSequence(static_cast<uint64_t>(100 + i))).ok(), "add");
  }
  auto file = (*writer)->Finish();
  CHECK(file.ok(), "finish");
  return *file;
}

TEST_F(FormatsTest, ATopicFileGivesBackItsFrames) {
  auto file = WriteTopicFile(files(), "/data/topics/t/3", 10, 60'000);
  auto reopened = TopicFile::Open(files(), file->path(), TestId());
  ASSERT_TRUE(reopened.ok());
  EXPECT_EQ(base::FileName(file->path()), "00000000000000000010.log");
  EXPECT_EQ((*reopened)->base_offset(), Offset(10));
  EXPECT_EQ((*reopened)->next_offset(), Offset(20));
  EXPECT_GT((*reopened)->blocks().size(), 1u);
  Offset next(10);
  uint32_t chain = 5;
  for (size_t b = 0; b < (*reopened)->blocks().size(); b++) {
    EXPECT_EQ((*reopened)->blocks()[b].base_offset, next);
    auto block = (*reopened)->ReadBlock(b);
    ASSERT_TRUE(block.ok());
    Frame frame;
    for (FrameCursor cursor(**block); cursor.Next(frame);) {
      EXPECT_EQ(frame.base_offset, next);
      EXPECT_EQ(frame.chain_before, chain);
      chain = frame.chain;
      next = frame.next_offset;
    }
  }
  EXPECT_EQ(next, Offset(20));
  EXPECT_EQ((*reopened)->chain(), chain);
}

TEST_F(FormatsTest, EveryByteOfATopicFileIsCovered) {
  auto file = WriteTopicFile(files(), "/data/topics/t/3", 3, 100);
  ExpectEveryByteCovered(file->path(), [&]() -> Result<void> {
    ASSIGN_OR_RETURN(auto opened, TopicFile::Open(files(), file->path(), TestId()));
    for (size_t b = 0; b < opened->blocks().size(); b++) RETURN_IF_ERROR(opened->ReadBlock(b));
    return {};
  });
}

TEST_F(FormatsTest, AForeignTopicFileIsRefused) {
  auto file = WriteTopicFile(files(), "/data/topics/t/3", 1, 10);
  EXPECT_EQ(TopicFile::Open(files(), file->path(), TestId('X')).error().code, ErrorCode::kCorruption);
}

// ---- dedup ----

std::vector<DedupEntry> RandomEntries(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<DedupEntry> entries;
  for (size_t i = 0; i < n; i++) entries.push_back({{random(), random()}, DedupPlace(LogPartition(static_cast<int32_t>(i % 5)), Offset(static_cast<int64_t>(i)))});
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return entries;
}

DedupRunRange Range(uint64_t first, uint64_t last, int64_t newest = 9) {
  return {CommitSequence(first), CommitSequence(last), Timestamp{1}, Timestamp{newest}};
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
  for (auto [p, o] : {std::pair<int32_t, int64_t>{0, 0}, {DedupPlace::kPartitionMax, DedupPlace::kOffsetMax}, {1, DedupPlace::kOffsetMax}}) {
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

Result<std::shared_ptr<const DedupRun>> FormatsTest::Write(const DedupRunRange& range, const std::vector<DedupEntry>& entries) {
  GivenEntries given(entries);
  return DedupRun::Write(env_, paths_, TestId(), range, entries.size(), given);
}

// Goal: few runs, each key written a few times only; nobody is merged with a longer one, or beyond the bounds.
TEST_F(FormatsTest, FourRunsOfAboutASizeBecomeOne) {
  LogOptions options;
  options.dedup_run_keys_max = 100;
  DedupRuns runs;
  CommitSequence next(1);
  auto add = [&](size_t keys, int64_t append_time = 0) {
    auto run = Write({next, next, Timestamp{append_time}, Timestamp{append_time}}, RandomEntries(keys, next.get()));
    ASSERT_TRUE(run.ok());
    runs.push_back(*run);
    ++next;
  };
  auto merge = [&] {
    const size_t count = RunsToMerge(runs, options);
    if (count == 0) return count;
    const DedupRuns newest(runs.end() - static_cast<ptrdiff_t>(count), runs.end());
    auto merged = MergeRuns(env_, paths_, TestId(), newest, std::atomic<bool>(false));
    EXPECT_TRUE(merged.ok());
    EXPECT_EQ((*merged)->range().first, newest.front()->range().first);
    EXPECT_EQ((*merged)->range().last, newest.back()->range().last);
    runs.resize(runs.size() - count);
    runs.push_back(*merged);
    return count;
  };
  EXPECT_EQ(RunsToMerge(runs, options), 0u);
  for (int i = 0; i < 3; i++) add(5);
  EXPECT_EQ(merge(), 0u) << "three are few enough";
  add(5);
  EXPECT_EQ(merge(), 4u);
  for (int i = 0; i < 12; i++) {
    add(5);
    while (merge() > 0) {}
  }
  EXPECT_EQ(runs.size(), 1u) << "four of four";
  runs.clear();
  for (int i = 0; i < 4; i++) add(40);
  EXPECT_EQ(merge(), 0u) << "more keys than a run may have";
  runs.clear();
  for (int i = 0; i < 4; i++) add(5, i * options.dedup_run_span_us);
  EXPECT_EQ(merge(), 0u) << "a run that ends late keeps its oldest keys for longer";
  runs.clear();
  for (int i = 0; i < 4; i++) add(0);
  EXPECT_EQ(merge(), 4u) << "of runs without keys, too";
  EXPECT_EQ(MergeRuns(env_, paths_, TestId(), runs, std::atomic<bool>(true)).error().code, ErrorCode::kCancelled);
}

TEST_F(FormatsTest, ADedupRunFindsItsKeysAndFewOthers) {
  auto entries = RandomEntries(5'000, 1);
  auto written = Write(Range(1, 7), entries);
  ASSERT_TRUE(written.ok());
  auto run = *DedupRun::Open(env_, (*written)->path(), TestId());
  for (const auto& e : entries) {
    ASSERT_TRUE(run->MayHold(e.key));
    ASSERT_EQ(run->Find(e.key)->packed(), e.place.packed());
  }
  size_t mistaken = 0;
  for (const auto& e : RandomEntries(100'000, 2)) {
    mistaken += run->MayHold(e.key);
    ASSERT_TRUE(run->Find(e.key)->empty());
  }
  EXPECT_LT(mistaken, 100u);  // one in a thousand; about one in 10,000 is expected
  DedupRunEntries all(*run);
  EXPECT_EQ(AllOf(all)->size(), entries.size());
  EXPECT_EQ(run->range().last, CommitSequence(7));
}

TEST_F(FormatsTest, EveryByteOfADedupRunIsCovered) {
  auto entries = RandomEntries(200, 1);  // two blocks
  auto written = Write(Range(1, 7), entries);
  ASSERT_TRUE(written.ok());
  ExpectEveryByteCovered((*written)->path(), [&]() -> Result<void> {
    ASSIGN_OR_RETURN(auto run, DedupRun::Open(env_, (*written)->path(), TestId()));
    DedupRunEntries all(*run);
    RETURN_IF_ERROR(AllOf(all));
    return {};
  }, 7);
}

TEST_F(FormatsTest, RunsThatAnotherContainsAreLeftOutAndGapsAreDamage) {
  auto entries = RandomEntries(10, 1);
  for (auto range : {Range(1, 5), Range(6, 7), Range(6, 9)}) ASSERT_TRUE(Write(range, entries).ok());
  std::vector<Path> obsolete;
  auto runs = OpenDedupRuns(env_, paths_, TestId(), obsolete);
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ(runs->size(), 2u);
  ASSERT_EQ(obsolete.size(), 1u);
  EXPECT_EQ(base::FileName(obsolete[0]), "6-7.run");
  ASSERT_TRUE(Write(Range(11, 12), entries).ok());
  EXPECT_EQ(OpenDedupRuns(env_, paths_, TestId(), obsolete).error().code, ErrorCode::kCorruption);
}

// A merge that was killed left up to half a gigabyte behind, for good.
TEST_F(FormatsTest, UnfinishedRunsAreObsolete) {
  ASSERT_TRUE(Write(Range(1, 5), RandomEntries(10, 1)).ok());
  const auto unfinished = base::JoinPath(paths_.dedup, "1-9.run.tmp");
  ASSERT_TRUE(io::WriteFileAtomically(env_.files, unfinished, "half").ok());
  std::vector<Path> obsolete;
  auto runs = OpenDedupRuns(env_, paths_, TestId(), obsolete);
  ASSERT_TRUE(runs.ok());
  EXPECT_EQ(runs->size(), 1u);
  EXPECT_EQ(obsolete, std::vector<Path>{unfinished});
}

TEST_F(FormatsTest, RunsExpireByTheirNewestTime) {
  auto entries = RandomEntries(10, 1);
  std::vector<std::shared_ptr<const DedupRun>> runs = {*Write(Range(1, 5, 100), entries),
                                                       *Write(Range(6, 9, 200), entries)};
  DedupIndex index(runs, CommitSequence(9), 100);
  EXPECT_TRUE(index.Expire(Timestamp{100}).empty());
  EXPECT_EQ(index.Expire(Timestamp{101}).size(), 1u);
  EXPECT_EQ(index.runs().size(), 1u);
  EXPECT_EQ(index.covered(), CommitSequence(9));
}

TEST_F(FormatsTest, TablesInMemoryAreCountedUntilTheyAreSealed) {
  constexpr size_t kKeys = 3'000;  // more than a new table has room for
  DedupIndex index({}, CommitSequence(), 2 * kKeys);
  const uint64_t empty = index.memory_bytes();
  EXPECT_GT(empty, 0u);
  index.open().Reserve(kKeys);
  const uint64_t open = index.memory_bytes();
  EXPECT_GE(open, kKeys * sizeof(DedupEntry));
  for (const auto& entry : RandomEntries(kKeys, 1)) index.open().Insert(entry.key, entry.place);
  index.Freeze(CommitSequence(9));
  EXPECT_GE(index.memory_bytes(), 2 * kKeys * sizeof(DedupEntry));  // the next one has room for as many
  const auto sealed = index.Sealed(*Write(Range(1, 9), RandomEntries(kKeys, 1)));
  EXPECT_EQ(index.memory_bytes(), index.open().byte_size());
}

// ---- checkpoints ----

Checkpoint SomeCheckpoint(uint64_t covered) {
  TopicTable table;
  CHECK(table.ApplyState(kTopicsStateTopic, {{"raw-events", EncodeTopicConfig({2, {"/data/user"}, {{LogPartition(1), Offset(5)}}})}}, Offset(1)).ok(), "");
  CHECK(table.ApplyState("__cursors", {{std::string("k\0\xff", 3), std::string("v")}}, Offset(1)).ok(), "");
  return {CommitSequence(covered), SegmentNumber(3), Timestamp{77}, CommitSequence(4), {Range(1, 4)}, table.ToJson()};
}

TEST_F(FormatsTest, ACheckpointComesBack) {
  auto decoded = DecodeCheckpoint(EncodeCheckpoint(SomeCheckpoint(9), TestId()), TestId());
  ASSERT_TRUE(decoded.ok()) << decoded.error().ToString();
  EXPECT_EQ(decoded->covered, CommitSequence(9));
  EXPECT_EQ(decoded->first_segment, SegmentNumber(3));
  EXPECT_EQ(decoded->dedup_runs.size(), 1u);
  auto table = TopicTable::FromJson(decoded->topics);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->Find("raw-events")->config().key_pointers, std::vector<std::string>{"/data/user"});
  EXPECT_EQ(table->Find("raw-events")->partition(LogPartition(1)).next, Offset(5));
  EXPECT_EQ(table->state().at("__cursors").values.at(std::string("k\0\xff", 3)), "v");
}

TEST_F(FormatsTest, TwoGenerationsAreKeptAndOneMayRot) {
  for (uint64_t covered : {5, 6, 7}) ASSERT_TRUE(WriteCheckpoint(files(), paths_, EncodeCheckpoint(SomeCheckpoint(covered), TestId())).ok());
  auto names = *files().List(paths_.checkpoints);
  ASSERT_EQ(names.size(), 2u);
  auto loaded = LoadCheckpoint(files(), paths_, TestId());
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->checkpoint.covered, CommitSequence(7));
  EXPECT_EQ((*loaded)->previous_covered, CommitSequence(6));
  Path newest = base::JoinPath(paths_.checkpoints, names[1]);
  for (size_t i = 0; i < Load(newest).size(); i += 5) {
    world_.CorruptByte(newest, i, 1);
    loaded = LoadCheckpoint(files(), paths_, TestId());
    if (loaded.ok()) {
      ASSERT_EQ((*loaded)->checkpoint.covered, CommitSequence(6)) << "byte " << i;
      ASSERT_FALSE((*loaded)->newest);
    } else {
      ASSERT_EQ(loaded.error().code, ErrorCode::kInvalid) << "byte " << i;  // of the version
    }
    world_.CorruptByte(newest, i, 1);
  }
  world_.CorruptByte(newest, 60, 1);
  world_.CorruptByte(base::JoinPath(paths_.checkpoints, names[0]), 60, 1);
  EXPECT_EQ(LoadCheckpoint(files(), paths_, TestId()).error().code, ErrorCode::kCorruption);
}

// ---- identity ----

TEST_F(FormatsTest, IdentityComesBackAndRotIsFound) {
  auto identity = MakeIdentity(env_.random);
  ASSERT_TRUE(files().CreateDirectories(paths_.journal).ok());
  EXPECT_EQ(ReadIdentity(files(), paths_).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(WriteIdentity(files(), paths_, identity).ok());
  auto read = ReadIdentity(files(), paths_);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->id, identity.id);
  EXPECT_EQ(read->dedup_secret, identity.dedup_secret);
  size_t at = Load(paths_.identity()).find("dedup_secret") + 20;
  world_.CorruptByte(paths_.identity(), at, 1);
  EXPECT_EQ(ReadIdentity(files(), paths_).error().code, ErrorCode::kCorruption);
}

// ---- state entries ----

TEST(StateBatchTest, EntriesComeBackAndDamageIsFound) {
  std::vector<StateEntry> entries = {{"a", "1"}, {"b", std::nullopt}, {"", ""}, {std::string(300, 'k'), std::string(70'000, 'v')}};
  std::string batch = EncodeStateBatch(entries, Offset(5), Timestamp{1'000});
  auto decoded = DecodeStateBatch(batch);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, entries);
  for (size_t i = 8; i < 200; i++) {
    bool outside = i >= 12 && i < 16;  // the leader epoch is not covered by Kafka's CRC
    std::string rotten = batch;
    rotten[i] = static_cast<char>(rotten[i] ^ 1);
    EXPECT_EQ(DecodeStateBatch(rotten).ok(), outside) << i;
  }
  EXPECT_FALSE(DecodeStateBatch(batch.substr(0, batch.size() - 1)).ok());
}

// ---- the gathering commit ----

TEST(GatherBufferTest, HoldsExactlyItsBound) {
  GatherBuffer buffer(4 * kBlock);
  EXPECT_NE(buffer.Reserve(4 * kBlock - kCommitHeaderSize), nullptr);
  EXPECT_EQ(buffer.Reserve(4 * kBlock - kCommitHeaderSize + 1), nullptr);
}

TEST(GatherBufferTest, KeepsWhatWasGatheredWhenItMoves) {
  GatherBuffer buffer(64 << 20);
  std::string all;
  std::vector<SealedCommit> sealed;
  for (int i = 0; i < 40; i++) {
    std::string piece(700'000, static_cast<char>('a' + i % 26));
    std::copy(piece.begin(), piece.end(), buffer.Reserve(piece.size()));
    buffer.Advance(piece.size());
    all += piece;
  }
  auto commit = buffer.Seal();
  EXPECT_EQ(commit.bytes.substr(kCommitHeaderSize, all.size()), all);
  EXPECT_EQ(commit.bytes.size() % kBlock, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(commit.bytes.data()) % io::kDirectAlignment, 0u);
  EXPECT_EQ(commit.bytes.find_first_not_of('\0', commit.length), std::string_view::npos);
  EXPECT_TRUE(buffer.empty());
}

TEST(GatherBufferTest, SealedCommitsOutliveTheBuffer) {
  std::vector<SealedCommit> sealed;
  {
    GatherBuffer buffer(1 << 20);
    for (int i = 0; i < 50; i++) {
      char* to = buffer.Reserve(600'000);
      std::fill(to, to + 600'000, static_cast<char>(i));
      buffer.Advance(600'000);
      sealed.push_back(buffer.Seal());
    }
  }
  for (int i = 0; i < 50; i++) {
    auto body = sealed[static_cast<size_t>(i)].bytes.substr(kCommitHeaderSize, 600'000);
    ASSERT_EQ(body.find_first_not_of(static_cast<char>(i)), std::string_view::npos);
  }
}

TEST(GatherBufferTest, MemoryOfCommitsIsCountedUntilNobodyHasThem) {
  GatherBuffer buffer(64 << 20);
  const uint64_t one = buffer.memory_bytes();
  EXPECT_GE(one, GatherBuffer::kArenaBytes);
  std::vector<SealedCommit> sealed;
  for (size_t bytes : {size_t{5} << 20, size_t{5} << 20, size_t{20} << 20, size_t{5} << 20, size_t{5} << 20, size_t{5} << 20}) {
    ASSERT_NE(buffer.Reserve(bytes), nullptr);
    buffer.Advance(bytes);
    sealed.push_back(buffer.Seal());
  }
  EXPECT_GE(buffer.memory_bytes(), 3 * one + (size_t{20} << 20));
  sealed.clear();
  EXPECT_LE(buffer.memory_bytes(), 3 * one);  // the one at hand, and two that are kept for later
}

// ---- frames ----

TEST(FrameTest, EveryFieldComesBack) {
  std::string batch = EncodeStateBatch({{"k", "v"}}, Offset(5), Timestamp{0});
  Frame in;
  in.topic = "raw-events";
  in.partition = LogPartition(3);
  in.base_offset = Offset(5);
  in.next_offset = Offset(14);
  in.rows = 9;
  in.append_time = Timestamp{-1};
  in.event_time_max = Timestamp{INT64_MIN};
  in.chain_before = 1;
  in.chain = 2;
  in.policy_version = 3;
  in.payload_schema_id = -4;
  in.tenant = "default";
  in.producer = "p";
  in.late_bits = std::string_view("\x01\x01", 2);
  std::string bytes(FramePrefixSize(in) + batch.size() + kFrameAlignment, 'x');
  size_t prefix = FramePrefixSize(in);
  std::copy(batch.begin(), batch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(prefix));
  bytes.resize(EncodeFramePrefix(in, batch.size(), bytes.data()));
  EXPECT_EQ(bytes.size() % kFrameAlignment, 0u);
  Frame out;
  FrameCursor cursor(bytes);
  ASSERT_TRUE(cursor.Next(out));
  EXPECT_EQ(out.topic, in.topic);
  EXPECT_EQ(out.partition, in.partition);
  EXPECT_EQ(out.next_offset, in.next_offset);
  EXPECT_EQ(out.rows, in.rows);
  EXPECT_EQ(out.append_time, in.append_time);
  EXPECT_EQ(out.event_time_max, in.event_time_max);
  EXPECT_EQ(out.chain_before, in.chain_before);
  EXPECT_EQ(out.chain, in.chain);
  EXPECT_EQ(out.policy_version, in.policy_version);
  EXPECT_EQ(out.payload_schema_id, in.payload_schema_id);
  EXPECT_EQ(out.tenant, in.tenant);
  EXPECT_EQ(out.producer, in.producer);
  EXPECT_EQ(out.record_batch, batch);
  EXPECT_TRUE(out.late(0));
  EXPECT_FALSE(out.late(1));
  EXPECT_TRUE(out.late(8));
  EXPECT_FALSE(cursor.Next(out));
  EXPECT_FALSE(cursor.damaged());
  for (size_t cut = 1; cut < kFrameHeaderSize; cut++) {
    FrameCursor short_cursor(std::string_view(bytes).substr(0, cut));
    EXPECT_FALSE(short_cursor.Next(out));
    EXPECT_TRUE(short_cursor.damaged());
  }
}

// Numbers behind a checksum that fits, as only somebody who made it can write them: rows that wrap around, offsets beyond the largest.
TEST(FrameCursorTest, NumbersThatWrapAroundAreDamage) {
  std::string batch = EncodeStateBatch({{"k", "v"}}, Offset(0), Timestamp{0});
  auto is_read = [&](uint32_t rows, Offset base, size_t late_bytes) {
    std::string late(late_bytes, '\1');
    Frame in;
    in.topic = "t";
    in.rows = rows;
    in.base_offset = base;
    in.next_offset = base + (base.get() == INT64_MAX ? 0 : 1);
    in.late_bits = late;
    size_t prefix = FramePrefixSize(in);
    std::string bytes(prefix + batch.size() + kFrameAlignment, 'x');
    std::copy(batch.begin(), batch.end(), bytes.begin() + static_cast<std::ptrdiff_t>(prefix));
    bytes.resize(EncodeFramePrefix(in, batch.size(), bytes.data()));
    Frame out;
    return FrameCursor(bytes).Next(out);
  };
  EXPECT_TRUE(is_read(9, Offset(0), 2));
  EXPECT_FALSE(is_read(9, Offset(0), 1));
  EXPECT_FALSE(is_read(UINT32_MAX, Offset(0), 1));
  EXPECT_TRUE(is_read(1, Offset(INT64_MAX - 1), 0));
  EXPECT_FALSE(is_read(1, Offset(-1), 0));
}

}  // namespace
}  // namespace sluice::log
