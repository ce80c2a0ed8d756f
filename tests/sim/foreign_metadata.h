// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What another engine does to a table's metadata for which there is no change of ours: orders of rows, tags and branches, statistics,
// members that only it knows, and columns that get other names, places and wider types, or leave.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "iceberg/catalog.h"
#include "io/env.h"
#include "sim/dice.h"

namespace sluice::sim {

// What was put into the metadata and has to stay there: a member, or an item of it.
struct MetadataMark {
  std::string member;
  Json value;
  int64_t snapshot_made_ms = 0;  // of a tag or branch: its age counts from here
};

// Called for each attempt of a commit, on what it is about to write. Returns what has to stay.
using MetadataEdit = std::function<MetadataMark(Json& metadata)>;

// One that fits the table; null: this time none does. Errors: of the store.
Result<MetadataEdit> AnyEdit(io::Env env, const iceberg::Table& table, Dice& dice);

// kCorruption: something of another engine is gone that nobody had reason to remove.
Result<void> CheckMarks(const iceberg::Table& table, const std::vector<MetadataMark>& marks);

}  // namespace sluice::sim
