// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Turns hot chunks into the data files of one table commit: one file per partition, one writer open at a time. Nobody sees the
// files until a commit names them.
//
//   chunks ─▶ places of rows, by partition ─▶ row group ─▶ one column of it ─▶ pages ─▶ object
//             8 bytes a row                                 16 bytes a row      some megabytes

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/data_file_options.h"
#include "iceberg/table_change.h"
#include "iceberg/table_metadata.h"
#include "io/env.h"
#include "table/hot_tail.h"
#include "tier/writing_turns.h"

namespace sluice::tier {

// Bytes of the heap that one staging needs at most, whatever the rows and the table's properties are; all tables together, so many for
// each of WritingTurns. A commit's list of files (about ten kilobytes each) comes on top. What makes it true: rows of a commit, rows of
// a row group, bytes of a page and of a dictionary have bounds that options cannot exceed.
inline constexpr size_t kStagingBytesMax = size_t{48} << 20;
inline constexpr uint64_t kCommitRowsMax = uint64_t{2} << 20;
inline constexpr int64_t kRowGroupRowsMax = 128 << 10;
inline constexpr int64_t kPageBytesMax = 1 << 20;   // and of a dictionary
inline constexpr size_t kRowGroupsPerFileMax = 32;  // their Bloom filters are kept until the file ends

struct StagedFiles {
  std::vector<iceberg::AddedFile> files;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Writes all rows of `chunks` (kCommitRowsMax and what one chunk more has, at most) under `metadata`'s location, schema and default
// partition spec, and waits before that until `turns` allow it. On error the files that were written so far are removed; one whose
// outcome is unknown stays for the orphan search (its name is used by nobody else).
// kExhausted (no space), kUnavailable, kIo: of the object store. kInvalid: the table's schema wants what events do not have.
// kCorruption: a chunk in a file is not what was written; nothing of it is read.
Result<StagedFiles> StageDataFiles(io::Env env, WritingTurns& turns, const iceberg::TableMetadata& metadata,
                                   const iceberg::DataFileOptions& options, const std::vector<table::HotChunkView>& chunks);

// Removes staged files that no commit can refer to any more. Failures are logged: a file that stays is an orphan, not a loss.
void RemoveStagedFiles(io::Env env, const std::vector<iceberg::AddedFile>& files);

}  // namespace sluice::tier
