// SPDX-License-Identifier: Apache-2.0
// The files beside the journal: topic files, checkpoints, identity; and state entries.

#include <gtest/gtest.h>

#include "log/internal/checkpoint.h"
#include "log/internal/gather_buffer.h"
#include "log/internal/state_batch.h"
#include "log/internal/test_formats.h"
#include "log/internal/topic_file.h"
#include "log/internal/topic_table.h"

namespace sluice::log {
namespace {

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
