// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Delete files, as engines write them that do not write data files anew. What they delete is not there: an upsert deletes every key that
// it brings, whether there is one or not, and deletes of positions outlive the files that they are of. So the rows stay what they are;
// but whoever does not apply delete files cannot know that, and has to say so.

#include <string>

#include "base/result.h"
#include "iceberg/catalog.h"
#include "io/env.h"
#include "sim/dice.h"

namespace sluice::sim {

// One more delete file; a change without files: the table has no rows yet. Errors: of the store.
Result<iceberg::SnapshotChange> AddDeletes(io::Env env, const iceberg::Table& table, Dice& dice);
// All of them leave. A change without files: there is none.
Result<iceberg::SnapshotChange> RemoveDeletes(io::Env env, const iceberg::Table& table);

// By its name.
bool IsDeleteFile(const std::string& uri);
// What SQL says of such a table.
bool SaysDeletes(const std::string& text);

}  // namespace sluice::sim
