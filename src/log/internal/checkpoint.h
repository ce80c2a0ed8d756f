// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A checkpoint: the log's state behind one commit, so that older segments can go. Two generations are kept, and a segment is
// recycled only when both cover it: one rotten file loses nothing.
//
//   sluice-checkpoint 1 <CRC-32C of the rest, 8 hex digits> <length of the rest>
//   { JSON }

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "log/internal/dedup_run.h"
#include "log/internal/journal_directory.h"

namespace sluice::log {

struct Checkpoint {
  CommitSequence covered;        // the state is the one behind this commit
  SegmentNumber first_segment{1};  // older ones are not needed
  Timestamp append_time;         // the newest one given
  CommitSequence dedup_covered;  // dedup runs hold the keys up to this commit ...
  std::vector<DedupRunRange> dedup_runs;  // ... in these files
  Json topics;                   // TopicTable::ToJson
};

std::string EncodeCheckpoint(const Checkpoint& checkpoint, const JournalId& journal);
Result<Checkpoint> DecodeCheckpoint(std::string_view bytes, const JournalId& journal);

// Writes it durably under the next number and removes all but the newest two. `bytes`: EncodeCheckpoint.
Result<void> WriteCheckpoint(io::FileSystem& files, const LogPaths& paths, const std::string& bytes);

struct LoadedCheckpoint {
  Checkpoint checkpoint;
  bool newest = true;                  // false: the newest file was damaged, this is the one before it
  CommitSequence previous_covered;     // of the generation before; 0: none
  std::string damage;                  // of the newest file, if it was
};
// Nothing: there never was one. kCorruption: there are checkpoints, but none is whole. kInvalid: a newer format.
Result<std::optional<LoadedCheckpoint>> LoadCheckpoint(io::FileSystem& files, const LogPaths& paths, const JournalId& journal);

}  // namespace sluice::log
