// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Turns hot chunks into the data files of one table commit: one file per partition, one writer open at a time. Nobody sees the
// files until a commit names them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/data_file_options.h"
#include "iceberg/table_metadata.h"
#include "io/env.h"
#include "table/hot_tail.h"

namespace sluice::tier {

struct StagedFiles {
  std::vector<iceberg::DataFile> files;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Writes all rows of `chunks` under `metadata`'s location, schema and default partition spec. On error the files that were
// written so far are removed; one whose outcome is unknown stays for the orphan search (its name is used by nobody else).
// kExhausted (no space), kUnavailable, kIo: of the object store. kInvalid: the table's schema wants what events do not have.
Result<StagedFiles> StageDataFiles(io::Env env, const iceberg::TableMetadata& metadata, const iceberg::DataFileOptions& options,
                                   const std::vector<table::HotChunkView>& chunks);

// Removes staged files that no commit can refer to any more. Failures are logged: a file that stays is an orphan, not a loss.
void RemoveStagedFiles(io::Env env, const std::vector<iceberg::DataFile>& files);

}  // namespace sluice::tier
