// SPDX-License-Identifier: Apache-2.0
// tests/golden/journal_v1.bin: a segment of format version 1, byte for byte. It must be readable for ever; it changes only together with
// the format version. SLUICE_WRITE_GOLDEN=1 writes it anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/bytes.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"
#include "io/env.h"
#include "io/simulated_world.h"
#include "log/internal/journal_reader.h"
#include "log/internal/state_batch.h"
#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr uint64_t kSegmentBytes = 4 * kBlock;
constexpr int64_t kTime = 1'768'435'200'000'000;  // 2026-01-15T00:00:00Z

// The golden directory of the tree that this binary was built in.
Path GoldenPath(std::string_view name) {
  auto at = std::filesystem::read_symlink("/proc/self/exe");
  while (at.has_relative_path() && !std::filesystem::exists(at / "tests" / "golden")) at = at.parent_path();
  return (at / "tests" / "golden" / name).string();
}

class SegmentMaker {
 public:
  SegmentMaker() : bytes_(kSegmentBytes, '\0') {
    id_.fill('\x5a');
    EncodeSegmentHeader({kJournalFormatVersion, false, id_, SegmentNumber(1), kSegmentBytes, Timestamp{kTime}}, bytes_.data());
  }
  const JournalId& id() const { return id_; }
  const std::string& bytes() const { return bytes_; }

  void AddFrame(Frame frame, const std::string& batch) {
    frame.chain = ExtendChain(frame.chain_before, frame.base_offset, frame.next_offset, batch);
    size_t at = body_.size(), prefix = FramePrefixSize(frame);
    body_.resize(at + PadTo(prefix + batch.size(), kFrameAlignment));
    EncodeFramePrefix(frame, batch.size(), body_.data() + at);
    std::copy(batch.begin(), batch.end(), body_.begin() + static_cast<std::ptrdiff_t>(at + prefix));
    frames_++;
  }
  void Commit() {
    ++sequence_;
    CommitHeader header{kJournalFormatVersion, frames_, id_, SegmentNumber(1), position_, sequence_, Timestamp{kTime + 1},
                        static_cast<uint32_t>(kCommitHeaderSize + body_.size()), base::Crc32c(body_)};
    EncodeCommitHeader(header, bytes_.data() + position_);
    std::copy(body_.begin(), body_.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(position_ + kCommitHeaderSize));
    position_ += header.padded_length();
    body_.clear();
    frames_ = 0;
  }

 private:
  JournalId id_;
  std::string bytes_, body_;
  uint64_t position_ = kBlock;
  uint32_t frames_ = 0;
  CommitSequence sequence_;
};

Frame EventFrame() {
  Frame frame;
  frame.topic = "raw-events";
  frame.partition = LogPartition(1);
  frame.base_offset = Offset(40);
  frame.next_offset = Offset(42);
  frame.rows = 2;
  frame.append_time = Timestamp{kTime};
  frame.event_time_max = Timestamp{kTime - 5};
  frame.chain_before = 0x01020304;
  frame.tenant = "default";
  frame.producer = "golden";
  frame.late_bits = std::string_view("\x02", 1);
  return frame;
}

std::string EventRecords() {
  event::EventBatch batch;
  std::string bytes(64, ' ');
  batch.Reset(std::string_view(bytes).substr(0, 1));
  AddEvent(batch, {"first", kTime, "/golden", R"({"n":1})"});
  AddEvent(batch, {"second", kTime - 3'600'000'000, "/golden", R"({"n":2})"});
  std::vector<uint32_t> rows = {0, 1};
  std::string out(event::RecordBatchBound(batch, rows) + 64, '\0');
  char* end = event::EncodeRecordBatch(batch, rows, {}, 40, kTime, out.data());
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

SegmentMaker MakeGolden() {
  SegmentMaker maker;
  Frame state;
  state.kind = FrameKind::kState;
  state.topic = "__topics";
  state.next_offset = Offset(1);
  state.rows = 1;
  state.append_time = Timestamp{kTime};
  maker.AddFrame(state, EncodeStateBatch({{"raw-events", R"({"partitions":2,"key_pointers":[],"first_offsets":{}})"}}, Offset(0), Timestamp{kTime}));
  maker.AddFrame(EventFrame(), EventRecords());
  maker.Commit();
  maker.Commit();  // an idle mark
  return maker;
}

class JournalGoldenTest : public testing::Test {
 protected:
  io::RealWorld world_{io::LogLevel::kError};
  Path path_ = GoldenPath("journal_v1.bin");
};

TEST_F(JournalGoldenTest, TheEncoderWritesTheGoldenBytes) {
  auto maker = MakeGolden();
  if (std::getenv("SLUICE_WRITE_GOLDEN") != nullptr) {
    ASSERT_TRUE(io::WriteFileAtomically(world_.env().files, path_, maker.bytes()).ok());
  }
  auto golden = io::ReadFile(world_.env().files, path_);
  ASSERT_TRUE(golden.ok()) << golden.error().ToString();
  ASSERT_EQ(golden->size(), maker.bytes().size());
  for (size_t i = 0; i < golden->size(); i++) ASSERT_EQ((*golden)[i], maker.bytes()[i]) << "byte " << i;
}

TEST_F(JournalGoldenTest, TheGoldenBytesAreRead) {
  auto reader = SegmentReader::Open(world_.env().files, path_);
  ASSERT_TRUE(reader.ok()) << reader.error().ToString();
  JournalId id;
  id.fill('\x5a');
  auto commit = reader->ReadCommit(id, SegmentNumber(1), kBlock);
  ASSERT_TRUE(commit.ok());
  ASSERT_EQ(commit->state, CommitState::kValid);
  EXPECT_EQ(commit->header.sequence, CommitSequence(1));
  EXPECT_EQ(commit->header.time, Timestamp{kTime + 1});
  Frame frame;
  FrameCursor cursor(commit->body);
  ASSERT_TRUE(cursor.Next(frame));
  EXPECT_EQ(frame.kind, FrameKind::kState);
  EXPECT_EQ(DecodeStateBatch(frame.record_batch)->at(0).key, "raw-events");
  ASSERT_TRUE(cursor.Next(frame));
  EXPECT_EQ(frame.topic, "raw-events");
  EXPECT_EQ(frame.producer, "golden");
  EXPECT_FALSE(frame.late(0));
  EXPECT_TRUE(frame.late(1));
  event::EventBatch batch;
  event::RecordPlaces places;
  ASSERT_TRUE(event::DecodeRecordBatch(frame.record_batch, batch, places).ok());
  EXPECT_EQ(batch.Get(event::Attribute::kId, 1), "second");
  EXPECT_EQ(batch.Get(event::Attribute::kData, 0), R"({"n":1})");
  EXPECT_FALSE(cursor.Next(frame));
  auto idle = reader->ReadCommit(id, SegmentNumber(1), 2 * kBlock);
  ASSERT_TRUE(idle.ok());
  EXPECT_EQ(idle->state, CommitState::kValid);
  EXPECT_EQ(idle->header.frame_count, 0u);
  EXPECT_EQ(reader->ReadCommit(id, SegmentNumber(1), 3 * kBlock)->state, CommitState::kNone);
}

}  // namespace
}  // namespace sluice::log
