// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Columns that another engine added to a table of events, and the files that it wrote anew to fill them: compaction, as others do it.
// What such a column holds is a function of its type and the row's offset, so that every reader can tell whether it is right.

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/catalog.h"
#include "io/env.h"
#include "sim/dice.h"

namespace sluice::sim {

// One of all types that a column may have.
iceberg::Type AnyType(Dice& dice);
// Columns of the table that are not of events.
std::vector<iceberg::NestedField> ForeignColumns(const iceberg::TableSchema& schema);
// A few of the table's files written anew, with values in its foreign columns; a change without files: there is nothing to be done.
// Errors: of the store.
Result<iceberg::SnapshotChange> RewriteFiles(io::Env env, const iceberg::Table& table, Dice& dice);
// Every live file: its foreign columns hold what they should, and conditions on them find it. kCorruption: they do not.
Result<void> CheckForeignColumns(io::Env env, const iceberg::Table& table);

}  // namespace sluice::sim
