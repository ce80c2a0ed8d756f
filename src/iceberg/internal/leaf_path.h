// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// From rows to Parquet levels. A leaf is reached from its top-level column through structs, lists and maps; for a run of rows
// LeafPath says which definition and repetition levels to write and where the leaf's values stand.
//
//   optional list of optional int:  null -> (def 0)   [] -> (1)   [null] -> (2)   [7, 8] -> (3, rep 0) (3, rep 1)
//
// Source: Melnik et al., "Dremel", VLDB 2010, section 4; Parquet format, "Nested Encoding".

#include <cstdint>
#include <span>
#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "iceberg/internal/arrow_column.h"
#include "iceberg/schema.h"

namespace sluice::iceberg::internal {

// Levels are produced in runs of about this many: their scratch stays in the first-level cache.
inline constexpr size_t kRunLevels = 1024;

// What Fill produced. The spans are valid until the next call.
struct LevelRun {
  size_t rows = 0;                       // rows covered
  size_t levels = 0;
  const int16_t* definition = nullptr;   // null: no level to write (a required column)
  const int16_t* repetition = nullptr;   // null: none
  std::span<const int64_t> values;       // physical positions in leaf()
};

class LeafPath {
 public:
  // The rows to write, in order: `count` rows from `begin` on, or the listed ones.
  struct Rows {
    int64_t begin = 0;
    int64_t count = 0;
    const uint32_t* listed = nullptr;

    Rows Part(int64_t from, int64_t n) const { return {listed == nullptr ? begin + from : 0, n, listed == nullptr ? nullptr : listed + from}; }
  };

  const NestedField& field() const { return *steps_.back().field; }
  const ArrowColumn& leaf() const { return steps_.back().column; }
  bool repeated() const { return lists_ > 0; }
  // Whether no row has a value.
  bool absent() const { return steps_.front().column.layout() == Layout::kNull; }

  // Levels and positions of the first rows of `rows`: all of them, or fewer when kRunLevels are reached.
  // kInvalid: null where the schema requires a value.
  Result<LevelRun> Fill(Rows rows);

 private:
  friend class PathBinder;
  struct Step {
    const NestedField* field;
    ArrowColumn column;
    int64_t shift = 0;       // logical + shift = physical position
    int16_t repetition = 0;  // level of a second entry of this list or map
  };

  void FillFlat(Rows rows, LevelRun& run);
  void Walk(size_t step, int64_t logical, int16_t definition, int16_t repetition);
  void Emit(int16_t definition, int16_t repetition) { definition_.push_back(definition); repetition_.push_back(repetition); }

  std::vector<Step> steps_;
  int lists_ = 0;
  std::vector<int16_t> definition_, repetition_;
  std::vector<int64_t> values_;
  bool null_in_required_ = false;
};

// One path per leaf of `schema`, in the order of Parquet columns. Columns are found by field id (lists and maps by position);
// one that is missing counts as null. kInvalid: a required one is missing, or has another type. `schema` and `columns` must
// outlive the paths.
Result<std::vector<LeafPath>> BindLeaves(const TableSchema& schema, const Columns& columns);
// The same of one top-level field. `columns` may be empty: the field is missing.
Result<std::vector<LeafPath>> BindLeaves(const NestedField& field, const Columns& columns);

}  // namespace sluice::iceberg::internal
