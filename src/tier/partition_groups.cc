// SPDX-License-Identifier: Apache-2.0
#include "tier/partition_groups.h"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/time.h"

namespace sluice::tier {
namespace {

using iceberg::TransformKind;
using iceberg::Value;
using table::ColumnType;
using table::EventColumn;
using table::HotChunkReader;

iceberg::Type SourceType(ColumnType type) {
  switch (type) {
    case ColumnType::kTimestamp: return iceberg::TypeId::kTimestampTz;
    case ColumnType::kBinary: return iceberg::TypeId::kBinary;
    case ColumnType::kInt: return iceberg::TypeId::kInt;
    case ColumnType::kLong: return iceberg::TypeId::kLong;
    case ColumnType::kBoolean: return iceberg::TypeId::kBoolean;
    default: return iceberg::TypeId::kString;
  }
}

bool IsEventColumn(iceberg::FieldId id) { return id >= 1 && id <= static_cast<iceberg::FieldId>(table::kEventColumnCount); }

// One field of the spec: numbers its distinct partition values. Neighbouring rows mostly share theirs, so the last one is kept.
class FieldNumbers {
 public:
  explicit FieldNumbers(const iceberg::PartitionField& field)
      : transform_(field.transform),
        is_event_column_(IsEventColumn(field.source_id)),
        spec_(table::EventColumns()[is_event_column_ ? static_cast<size_t>(field.source_id - 1) : 0]),
        source_(SourceType(spec_.type)) {}

  uint32_t NumberOf(const HotChunkReader& chunk, uint32_t row) {
    if (!is_event_column_) return NumberOfValue(Value());  // another engine's column, in which events have nothing
    if (spec_.column != EventColumn::kSpecVersion && !chunk.IsValid(spec_.column, row)) return NumberOfValue(Value());
    switch (spec_.type) {
      case ColumnType::kTimestamp:
      case ColumnType::kLong: return NumberOfInteger(chunk.longs(spec_.column)[row]);
      case ColumnType::kInt: return NumberOfInteger(chunk.ints(spec_.column)[row]);
      case ColumnType::kBoolean: return NumberOfValue(Value(chunk.booleans(spec_.column)[row] != 0));
      default:
        return NumberOfText(spec_.column == EventColumn::kSpecVersion ? table::kSpecVersionValue
                                                                      : chunk.Text(chunk.views(spec_.column)[row]));
    }
  }
  const Value& value(uint32_t number) const { return values_[number]; }

 private:
  uint32_t NumberOfValue(const Value& source) {
    Value value = iceberg::ApplyTransform(transform_, source, source_);
    auto [at, added] = numbers_.try_emplace(value, static_cast<uint32_t>(values_.size()));
    if (added) values_.push_back(value);
    return at->second;
  }
  uint32_t NumberOfText(std::string_view text) {
    if (auto at = texts_.find(text); at != texts_.end()) return at->second;
    if (texts_.size() >= kTextsRemembered) texts_.clear();
    return texts_.emplace(std::string(text), NumberOfValue(Value(std::string(text)))).first->second;
  }
  // Hours and days are the same for whole ranges of values: remember the newest range.
  uint32_t NumberOfInteger(int64_t value) {
    const int64_t width = transform_.kind == TransformKind::kHour  ? kMicrosPerHour
                          : transform_.kind == TransformKind::kDay ? kMicrosPerDay
                                                                   : 0;
    if (width == 0) return NumberOfValue(Value(value));
    const int64_t range = base::FloorDiv(value, width);
    if (!has_range_ || range != range_) {
      range_ = range;
      has_range_ = true;
      range_number_ = NumberOfValue(Value(value));
    }
    return range_number_;
  }

  // std::less on Value orders by form first, then by value; NaN cannot occur: no event column is a float.
  struct Order {
    bool operator()(const Value& a, const Value& b) const {
      return a.index() != b.index() ? a.index() < b.index() : iceberg::Compare(a, b) < 0;
    }
  };
  static constexpr size_t kTextsRemembered = 65'536;
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };

  const iceberg::Transform transform_;
  const bool is_event_column_;
  const table::EventColumnSpec& spec_;
  const iceberg::Type source_;
  std::vector<Value> values_;
  std::map<Value, uint32_t, Order> numbers_;
  std::unordered_map<std::string, uint32_t, TextHash, std::equal_to<>> texts_;
  bool has_range_ = false;
  int64_t range_ = 0;
  uint32_t range_number_ = 0;
};

// Numbers the combinations of field numbers.
class GroupNumbers {
 public:
  explicit GroupNumbers(const iceberg::PartitionSpec& spec) {
    for (auto& field : spec.fields) fields_.emplace_back(field);
    key_.resize(fields_.size());
  }
  size_t NumberOf(const HotChunkReader& chunk, uint32_t row) {
    bool same = last_ != kNone;
    for (size_t f = 0; f < fields_.size(); f++) {
      const uint32_t number = fields_[f].NumberOf(chunk, row);
      same = same && number == key_[f];
      key_[f] = number;
    }
    if (!same) last_ = groups_.try_emplace(key_, groups_.size()).first->second;
    return last_;
  }
  size_t count() const { return groups_.size(); }
  iceberg::PartitionValue ValueOf(const std::vector<uint32_t>& key) const {
    iceberg::PartitionValue out;
    for (size_t f = 0; f < fields_.size(); f++) out.push_back(fields_[f].value(key[f]));
    return out;
  }
  const std::map<std::vector<uint32_t>, size_t>& groups() const { return groups_; }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  std::vector<FieldNumbers> fields_;
  std::vector<uint32_t> key_;
  std::map<std::vector<uint32_t>, size_t> groups_;
  size_t last_ = kNone;
};

}  // namespace

PartitionGroups GroupByPartition(const iceberg::PartitionSpec& spec, std::span<const table::HotChunkView> chunks) {
  CHECK(chunks.size() < RowPlace::kChunksMax, "more chunks than a row's place can name");
  GroupNumbers numbers(spec);
  size_t rows = 0;
  for (auto& view : chunks) rows += view.rows;
  std::vector<uint32_t> group_of(rows);
  std::vector<size_t> ends;  // of each group: how many rows, then where the next one of its rows goes
  size_t at = 0;
  for (auto& view : chunks) {
    const auto reader = view.chunk->reader();
    for (uint32_t row = 0; row < view.rows; row++) {
      const size_t group = numbers.NumberOf(reader, row);
      if (group >= ends.size()) ends.resize(group + 1);
      ends[group]++;
      group_of[at++] = static_cast<uint32_t>(group);
    }
  }
  PartitionGroups out;
  out.places.resize(rows);
  out.groups.resize(ends.size());
  size_t begin = 0;
  for (size_t g = 0; g < ends.size(); g++) {
    out.groups[g].rows = {out.places.data() + begin, ends[g]};
    begin += std::exchange(ends[g], begin);
  }
  at = 0;
  for (size_t c = 0; c < chunks.size(); c++)
    for (uint32_t row = 0; row < chunks[c].rows; row++) out.places[ends[group_of[at++]]++] = RowPlace(c, row);
  for (auto& [key, group] : numbers.groups()) out.groups[group].partition = numbers.ValueOf(key);
  return out;
}

}  // namespace sluice::tier
