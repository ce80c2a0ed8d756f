// SPDX-License-Identifier: Apache-2.0
//
// What the log reads behind a checksum that fits: frames of a commit, entries of a state topic, checkpoints. The checksums are made to
// fit, so that damage gets behind them.

#include <cstdio>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fuzz_target.h"
#include "event/record_batch_format.h"
#include "log/internal/checkpoint.h"
#include "log/internal/journal_format.h"
#include "log/internal/state_batch.h"
#include "log/internal/topic_table.h"

namespace sluice::log {
namespace {

JournalId Id() {
  JournalId id;
  id.fill('J');
  return id;
}

void RunFrames(std::string_view input) {
  size_t before = 0;
  Frame frame;
  FrameCursor cursor(input);
  while (cursor.Next(frame)) {
    CHECK(cursor.position() > before && cursor.position() < input.size() + kFrameAlignment, "the cursor moves on");
    CHECK(frame.next_offset >= frame.base_offset, "offsets grow");
    before = cursor.position();
    for (std::string_view part : {frame.topic, frame.tenant, frame.producer, frame.late_bits, frame.record_batch}) {
      CHECK(part.empty() || (part.data() >= input.data() && part.data() + part.size() <= input.data() + input.size()), "a frame points into its bytes");
    }
    if (!frame.late_bits.empty()) {
      for (uint32_t row = 0; row < std::min(frame.rows, 64u); row++) (void)frame.late(row);
      if (frame.rows > 0) (void)frame.late(frame.rows - 1);
    }
  }
  CHECK(!cursor.Next(frame), "the end stays the end");
}

void RunState(std::string_view input) {
  std::string bytes(input);
  if (bytes.size() >= event::kRecordBatchHeaderBytes) {
    base::PutBig<int32_t>(bytes.data() + event::kLengthAt, static_cast<int32_t>(bytes.size() - event::kRecordBatchLengthBytes));
    base::PutBig<uint32_t>(bytes.data() + event::kCrcAt, base::Crc32c(bytes.data() + event::kAttributesAt, bytes.size() - event::kAttributesAt));
  }
  auto entries = DecodeStateBatch(bytes);
  if (!entries.ok() || entries->empty()) return;
  auto again = DecodeStateBatch(EncodeStateBatch(*entries, Offset(0), Timestamp{0}));
  CHECK(again.ok() && *again == *entries, "what was read can be written and reads the same");
}

void RunCheckpoint(std::string_view input) {
  char head[64];
  std::snprintf(head, sizeof head, "sluice-checkpoint 1 %08x %zu\n", base::Crc32c(input), input.size());
  auto checkpoint = DecodeCheckpoint(std::string(head) + std::string(input), Id());
  if (!checkpoint.ok()) return;
  (void)TopicTable::FromJson(checkpoint->topics).ok();
  auto again = DecodeCheckpoint(EncodeCheckpoint(*checkpoint, Id()), Id());
  CHECK(again.ok() && again->covered == checkpoint->covered && again->topics == checkpoint->topics, "what was read can be written and reads the same");
}

std::string OneFrame(std::string_view topic, std::string_view late_bits) {
  Frame frame;
  frame.kind = FrameKind::kState;
  frame.topic = topic;
  frame.next_offset = Offset(2);
  frame.rows = 2;
  frame.tenant = "default";
  frame.producer = "p";
  frame.late_bits = late_bits;
  std::string batch = EncodeStateBatch({{"k", "v"}, {"l", std::nullopt}}, Offset(0), Timestamp{0});
  size_t prefix = FramePrefixSize(frame);
  std::string bytes(PadTo(prefix + batch.size(), kFrameAlignment), '\0');
  EncodeFramePrefix(frame, batch.size(), bytes.data());
  return bytes.replace(prefix, batch.size(), batch);
}

std::vector<std::string> FrameSeeds() { return {OneFrame("raw-events", ""), OneFrame("t", "\x02") + OneFrame("u", "")}; }

std::vector<std::string> StateSeeds() {
  return {EncodeStateBatch({{"k", "v"}}, Offset(0), Timestamp{0}), EncodeStateBatch({{"k", std::nullopt}, {"", ""}}, Offset(7), Timestamp{9})};
}

std::vector<std::string> CheckpointSeeds() {
  Checkpoint checkpoint;
  checkpoint.covered = CommitSequence(9);
  checkpoint.dedup_covered = CommitSequence(8);
  checkpoint.dedup_runs = {{CommitSequence(1), CommitSequence(8), Timestamp{1}, Timestamp{9}}};
  checkpoint.topics = TopicTable().ToJson();
  std::string bytes = EncodeCheckpoint(checkpoint, Id());
  return {bytes.substr(bytes.find('\n') + 1)};
}

const base::FuzzRegistration kFrames({"journal_frames", RunFrames, FrameSeeds});
const base::FuzzRegistration kState({"state_entries", RunState, StateSeeds});
const base::FuzzRegistration kCheckpoint({"checkpoint", RunCheckpoint, CheckpointSeeds});

}  // namespace
}  // namespace sluice::log
