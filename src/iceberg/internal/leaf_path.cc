// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/leaf_path.h"

#include <algorithm>

#include "iceberg/data_file_columns.h"

namespace sluice::iceberg::internal {

// Walks schema and columns together; both trees have the same shape where the columns are there.
class PathBinder {
 public:
  explicit PathBinder(std::vector<LeafPath>& paths) : paths_(paths) {}

  Result<void> BindTop(const NestedField& field, const Columns& columns) {
    const int64_t i = columns.empty() ? -1 : FindChildByFieldId(columns.schema(), field.id);
    const ArrowArray& root = columns.array();
    return Bind(field, i < 0 ? nullptr : columns.schema().children[i], i < 0 ? nullptr : root.children[i], root.offset);
  }

 private:
  // `schema` and `array` are null when the column is missing. `shift`: what the parent adds to positions.
  Result<void> Bind(const NestedField& field, const ArrowSchema* schema, const ArrowArray* array, int64_t shift) {
    LeafPath::Step step{&field, {}, 0, static_cast<int16_t>(lists_)};
    if (schema != nullptr) {
      auto column = ArrowColumn::Of(field.type, *schema, *array);
      if (!column.ok()) return column.error().While("binding column \"" + field.name + "\"");
      step.column = *column;
      step.shift = shift + column->offset();
    } else if (field.required && !under_missing_) {
      return Error{ErrorCode::kInvalid, "required column \"" + field.name + "\" (field id " + std::to_string(field.id) + ") is missing"};
    }
    bool missing = step.column.layout() == Layout::kNull;
    bool outer_missing = std::exchange(under_missing_, under_missing_ || missing);
    if (field.type.id == TypeId::kList || field.type.id == TypeId::kMap) step.repetition = static_cast<int16_t>(++lists_);
    steps_.push_back(step);
    auto bound = BindBelow(field, missing ? nullptr : schema, missing ? nullptr : array);
    steps_.pop_back();
    if (field.type.id == TypeId::kList || field.type.id == TypeId::kMap) lists_--;
    under_missing_ = outer_missing;
    return bound;
  }

  Result<void> BindBelow(const NestedField& field, const ArrowSchema* schema, const ArrowArray* array) {
    switch (field.type.id) {
      case TypeId::kStruct: return BindStruct(field, schema, array);
      case TypeId::kList: return Bind(field.type.element(), schema ? schema->children[0] : nullptr, array ? array->children[0] : nullptr, 0);
      case TypeId::kMap: return BindMap(field, schema, array);
      default: break;
    }
    paths_.emplace_back();
    paths_.back().steps_ = steps_;
    paths_.back().lists_ = lists_;
    return {};
  }

  Result<void> BindStruct(const NestedField& field, const ArrowSchema* schema, const ArrowArray* array) {
    for (const NestedField& child : field.type.fields) {
      int64_t i = schema == nullptr ? -1 : FindChildByFieldId(*schema, child.id);
      RETURN_IF_ERROR(Bind(child, i < 0 ? nullptr : schema->children[i], i < 0 ? nullptr : array->children[i], 0));
    }
    return {};
  }

  // A map is a list of structs; the struct has no field of its own, only an offset.
  Result<void> BindMap(const NestedField& field, const ArrowSchema* schema, const ArrowArray* array) {
    for (int i = 0; i < 2; i++) {
      const NestedField& child = i == 0 ? field.type.key() : field.type.value();
      if (schema == nullptr) {
        RETURN_IF_ERROR(Bind(child, nullptr, nullptr, 0));
      } else {
        RETURN_IF_ERROR(Bind(child, schema->children[0]->children[i], array->children[0]->children[i], array->children[0]->offset));
      }
    }
    return {};
  }

  std::vector<LeafPath>& paths_;
  std::vector<LeafPath::Step> steps_;
  int lists_ = 0;
  bool under_missing_ = false;
};

Result<std::vector<LeafPath>> BindLeaves(const TableSchema& schema, const Columns& columns) {
  std::vector<LeafPath> paths;
  PathBinder binder(paths);
  for (const NestedField& field : schema.fields) RETURN_IF_ERROR(binder.BindTop(field, columns));
  return paths;
}

Result<std::vector<LeafPath>> BindLeaves(const NestedField& field, const Columns& columns) {
  std::vector<LeafPath> paths;
  RETURN_IF_ERROR(PathBinder(paths).BindTop(field, columns));
  return paths;
}

Result<LevelRun> LeafPath::Fill(Rows rows) {
  LevelRun run;
  null_in_required_ = false;
  if (steps_.size() == 1) {
    FillFlat(rows.Part(0, std::min(rows.count, static_cast<int64_t>(kRunLevels))), run);
  } else {
    definition_.clear();
    repetition_.clear();
    values_.clear();
    while (static_cast<int64_t>(run.rows) < rows.count && definition_.size() < kRunLevels) {
      auto row = static_cast<int64_t>(run.rows++);
      Walk(0, rows.listed == nullptr ? rows.begin + row : rows.listed[row], 0, 0);
    }
    run.levels = definition_.size();
    run.definition = definition_.data();
    run.repetition = lists_ > 0 ? repetition_.data() : nullptr;
    run.values = values_;
  }
  if (null_in_required_) return Error{ErrorCode::kInvalid, "null in required column \"" + field().name + "\""};
  return run;
}

// A top-level column of a primitive type: no recursion, no branches per row.
void LeafPath::FillFlat(Rows rows, LevelRun& run) {
  const Step& step = steps_.front();
  auto n = static_cast<size_t>(rows.count);
  run.rows = run.levels = n;
  values_.resize(kRunLevels);
  definition_.resize(kRunLevels);
  int64_t* at = values_.data();
  size_t found = n;
  if (rows.listed != nullptr) {
    for (size_t i = 0; i < n; i++) at[i] = rows.listed[i] + step.shift;
  } else {
    for (size_t i = 0; i < n; i++) at[i] = rows.begin + static_cast<int64_t>(i) + step.shift;
  }
  if (step.column.layout() == Layout::kNull) {
    found = 0;
    std::fill_n(definition_.data(), n, int16_t{0});
  } else if (step.column.may_have_nulls()) {
    found = 0;
    for (size_t i = 0; i < n; i++) {
      bool valid = step.column.IsValid(at[i]);
      definition_[i] = valid;
      at[found] = at[i];
      found += valid;
    }
  } else {
    std::fill_n(definition_.data(), n, int16_t{1});
  }
  null_in_required_ = step.field->required && found < n;
  run.definition = step.field->required ? nullptr : definition_.data();
  run.values = {at, found};
}

void LeafPath::Walk(size_t i, int64_t logical, int16_t definition, int16_t repetition) {
  const Step& step = steps_[i];
  int64_t at = logical + step.shift;
  if (!step.column.IsValid(at)) {
    null_in_required_ |= step.field->required;
    return Emit(definition, repetition);
  }
  if (!step.field->required) definition++;
  if (i + 1 == steps_.size()) {
    values_.push_back(at);
    return Emit(definition, repetition);
  }
  if (step.column.layout() == Layout::kStruct) return Walk(i + 1, at, definition, repetition);
  auto [begin, end] = step.column.Entries(at);
  if (begin == end) return Emit(definition, repetition);
  for (int64_t entry = begin; entry < end; entry++) {
    Walk(i + 1, entry, static_cast<int16_t>(definition + 1), entry == begin ? repetition : step.repetition);
  }
}

}  // namespace sluice::iceberg::internal
