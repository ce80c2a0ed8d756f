// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which events the rows of a table are, read from its data files.

#include "base/result.h"
#include "iceberg/table_metadata.h"
#include "io/env.h"
#include "log/successor.h"

namespace sluice::table {

// Calls `visit` for each row of the newest snapshot that has the log offset `from` or a higher one; for others, too, where a data file has
// both. Rows that delete files hide are shown: they are of this log nevertheless.
// Errors of reading, and those of `visit`, end it.
Result<void> VisitTableRows(io::Env env, const iceberg::TableMetadata& metadata, log::Offset from, const log::SuccessorTables::Visit& visit);

}  // namespace sluice::table
