// SPDX-License-Identifier: Apache-2.0
#include "table/hot_columns.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/column_nodes.h"
#include "iceberg/data_file_columns.h"

namespace sluice::table {
namespace {

using base::ArrayNode;
using base::SchemaNode;
using base::SealArray;
using base::SealSchema;

// ---- schema ---------------------------------------------------------------------------------------------------------------

const char* FormatOf(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return "vu";
    case ColumnType::kBinary: return "vz";
    case ColumnType::kTimestamp: return "tsu:UTC";
    case ColumnType::kInt: return "i";
    case ColumnType::kLong: return "l";
    case ColumnType::kBoolean: return "b";
    case ColumnType::kStringMap: return "+m";
  }
  base::CheckFailed(__FILE__, __LINE__, "type", "a column type without a format");
}

ArrowSchema Leaf(std::string_view name, const char* format, int32_t field_id, bool nullable) {
  auto node = std::make_unique<SchemaNode>();
  node->name = name;
  node->format = format;
  node->metadata = iceberg::EncodeFieldIdMetadata(field_id);
  return SealSchema(std::move(node), nullable);
}

ArrowSchema MapSchema(const EventColumnSpec& column) {
  auto entries = std::make_unique<SchemaNode>();
  entries->name = "key_value";
  entries->format = "+s";
  entries->AddChild(Leaf("key", "vu", kExtensionsKeyFieldId, false));
  entries->AddChild(Leaf("value", "vu", kExtensionsValueFieldId, false));
  auto map = std::make_unique<SchemaNode>();
  map->name = column.name;
  map->format = "+m";
  map->metadata = iceberg::EncodeFieldIdMetadata(column.field_id());
  map->AddChild(SealSchema(std::move(entries), false));
  return SealSchema(std::move(map), true);
}

// ---- arrays ---------------------------------------------------------------------------------------------------------------

// Gathers one column after the other out of the same rows.
class Gatherer {
 public:
  explicit Gatherer(std::span<const HotRows> parts) : parts_(parts) {
    for (auto& p : parts) rows_ += p.rows.size();
  }
  int64_t rows() const { return static_cast<int64_t>(rows_); }
  bool HasValues(EventColumn c) const {
    return c == EventColumn::kSpecVersion || std::any_of(parts_.begin(), parts_.end(), [&](auto& p) { return p.chunk->has(c); });
  }
  ArrowArray Column(const EventColumnSpec& column) const {
    if (!HasValues(column.column)) return SealArray(std::make_unique<ArrayNode>(), rows(), rows());
    switch (column.type) {
      case ColumnType::kString:
      case ColumnType::kBinary: return column.column == EventColumn::kSpecVersion ? Constant(kSpecVersionValue) : Views(column);
      case ColumnType::kTimestamp:
      case ColumnType::kLong: return Numbers<int64_t>(column, &HotChunkReader::longs);
      case ColumnType::kInt: return Numbers<int32_t>(column, &HotChunkReader::ints);
      case ColumnType::kBoolean: return Booleans(column);
      case ColumnType::kStringMap: return Map(column);
    }
    base::CheckFailed(__FILE__, __LINE__, "type", "a column type without an array");
  }

 private:
  static constexpr int64_t kUnknownNulls = -1;
  static void SetBit(std::vector<char>& bits, size_t at) { bits[at >> 3] = static_cast<char>(bits[at >> 3] | 1 << (at & 7)); }
  template <class T>
  T* Values(ArrayNode& node, size_t count) const {
    node.values.resize(count * sizeof(T));
    return reinterpret_cast<T*>(node.values.data());
  }

  // Fills the validity of an optional column. Returns whether the column has one.
  bool GatherValidity(ArrayNode& node, const EventColumnSpec& column) const {
    if (column.required) return false;
    node.validity.assign(rows_ / 8 + 1, 0);
    size_t at = 0;
    for (auto& p : parts_) {
      const uint8_t* bits = p.chunk->has(column.column) ? p.chunk->validity(column.column) : nullptr;
      for (uint32_t row : p.rows) {
        if (bits != nullptr && (bits[row >> 3] >> (row & 7) & 1) != 0) SetBit(node.validity, at);
        at++;
      }
    }
    return true;
  }

  // A view of chunk number `part` as a view of the gathered array: long texts name their chunk as data buffer.
  static StringView Rebase(StringView view, size_t part) {
    if (view.length > kInlinedMax) view.far.buffer = static_cast<int32_t>(part);
    return view;
  }
  ArrowArray SealViews(std::unique_ptr<ArrayNode> node, int64_t length, bool has_validity) const {
    node->buffers = {has_validity ? node->validity.data() : nullptr, node->values.data()};
    for (auto& p : parts_) {
      node->buffers.push_back(p.chunk->base());
      node->view_buffer_sizes.push_back(static_cast<int64_t>(p.chunk->bytes()));
    }
    node->buffers.push_back(node->view_buffer_sizes.data());
    return SealArray(std::move(node), length, has_validity ? kUnknownNulls : 0);
  }

  ArrowArray Views(const EventColumnSpec& column) const {
    auto node = std::make_unique<ArrayNode>();
    const bool has_validity = GatherValidity(*node, column);
    auto* to = Values<StringView>(*node, rows_);
    for (size_t part = 0; part < parts_.size(); part++) {
      auto& p = parts_[part];
      if (!p.chunk->has(column.column)) {
        to = std::fill_n(to, p.rows.size(), StringView{});
        continue;
      }
      const StringView* from = p.chunk->views(column.column);
      for (uint32_t row : p.rows) *to++ = Rebase(from[row], part);
    }
    return SealViews(std::move(node), rows(), has_validity);
  }

  template <class T>
  ArrowArray Numbers(const EventColumnSpec& column, const T* (HotChunkReader::*values)(EventColumn) const) const {
    auto node = std::make_unique<ArrayNode>();
    const bool has_validity = GatherValidity(*node, column);
    auto* to = Values<T>(*node, rows_);
    for (auto& p : parts_) {
      if (!p.chunk->has(column.column)) {
        to = std::fill_n(to, p.rows.size(), T{});
        continue;
      }
      const T* from = (p.chunk->*values)(column.column);
      for (uint32_t row : p.rows) *to++ = from[row];
    }
    node->buffers = {has_validity ? node->validity.data() : nullptr, node->values.data()};
    return SealArray(std::move(node), rows(), has_validity ? kUnknownNulls : 0);
  }

  // A byte a row becomes a bit a row.
  ArrowArray Booleans(const EventColumnSpec& column) const {
    CHECK(column.required, "an optional boolean column");
    auto node = std::make_unique<ArrayNode>();
    node->values.assign(rows_ / 8 + 1, 0);
    size_t at = 0;
    for (auto& p : parts_) {
      const uint8_t* from = p.chunk->booleans(column.column);
      for (uint32_t row : p.rows) {
        if (from[row] != 0) SetBit(node->values, at);
        at++;
      }
    }
    node->buffers = {nullptr, node->values.data()};
    return SealArray(std::move(node), rows(), 0);
  }

  ArrowArray Constant(std::string_view text) const {
    CHECK(text.size() <= static_cast<size_t>(kInlinedMax), "a constant that does not fit into a view");
    auto node = std::make_unique<ArrayNode>();
    StringView view{};
    view.length = static_cast<int32_t>(text.size());
    text.copy(view.inlined, text.size());
    std::fill_n(Values<StringView>(*node, rows_), rows_, view);
    node->buffers = {nullptr, node->values.data(), nullptr};  // no data buffer: every value is inlined
    return SealArray(std::move(node), rows(), 0);
  }

  ArrowArray Map(const EventColumnSpec& column) const {
    auto node = std::make_unique<ArrayNode>();
    GatherValidity(*node, column);
    auto keys = std::make_unique<ArrayNode>(), values = std::make_unique<ArrayNode>();
    auto* offsets = Values<int32_t>(*node, rows_ + 1);
    *offsets++ = 0;
    int32_t entries = 0;
    for (auto& p : parts_) {
      const int32_t* from = p.chunk->has(column.column) ? p.chunk->map_offsets() : nullptr;
      for (uint32_t row : p.rows) *offsets++ = entries += from != nullptr ? from[row + 1] - from[row] : 0;
    }
    auto* to_key = Values<StringView>(*keys, static_cast<size_t>(entries));
    auto* to_value = Values<StringView>(*values, static_cast<size_t>(entries));
    for (size_t part = 0; part < parts_.size(); part++) {
      auto& p = parts_[part];
      if (!p.chunk->has(column.column)) continue;
      const int32_t* from = p.chunk->map_offsets();
      for (uint32_t row : p.rows)
        for (int32_t e = from[row]; e < from[row + 1]; e++) {
          *to_key++ = Rebase(p.chunk->map_keys()[e], part);
          *to_value++ = Rebase(p.chunk->map_values()[e], part);
        }
    }
    auto pairs = std::make_unique<ArrayNode>();
    pairs->buffers = {nullptr};
    pairs->AddChild(SealViews(std::move(keys), entries, false));
    pairs->AddChild(SealViews(std::move(values), entries, false));
    node->buffers = {node->validity.data(), node->values.data()};
    node->AddChild(SealArray(std::move(pairs), entries, 0));
    return SealArray(std::move(node), rows(), kUnknownNulls);
  }

  std::span<const HotRows> parts_;
  size_t rows_ = 0;
};

ArrowSchema ChildSchema(const Gatherer& gatherer, const EventColumnSpec& column) {
  if (!gatherer.HasValues(column.column)) return Leaf(column.name, "n", column.field_id(), true);
  if (column.type == ColumnType::kStringMap) return MapSchema(column);
  return Leaf(column.name, FormatOf(column.type), column.field_id(), !column.required);
}

Columns Gather(std::span<const EventColumnSpec> columns, std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive) {
  const Gatherer gatherer(parts);
  CHECK(gatherer.rows() > 0 && gatherer.rows() <= INT32_MAX, "columns without rows, or with too many");
  auto schema = std::make_unique<SchemaNode>();
  schema->format = "+s";
  auto root = std::make_unique<ArrayNode>();
  root->buffers = {nullptr};
  root->keep_alive = std::move(keep_alive);
  for (auto& column : columns) {
    schema->AddChild(ChildSchema(gatherer, column));
    root->AddChild(gatherer.Column(column));
  }
  return Columns(SealSchema(std::move(schema), false), SealArray(std::move(root), gatherer.rows(), 0));
}

// The view of a row without a value may be anything.
uint64_t TextBytes(const HotRows& part, EventColumn column) {
  uint64_t bytes = 0;
  const StringView* views = part.chunk->views(column);
  for (uint32_t row : part.rows)
    if (part.chunk->IsValid(column, row)) bytes += static_cast<uint64_t>(views[row].length);
  return bytes;
}

uint64_t ExtensionBytes(const HotRows& part) {
  uint64_t bytes = 0;
  const int32_t* offsets = part.chunk->map_offsets();
  for (uint32_t row : part.rows)
    for (int32_t e = offsets[row]; e < offsets[row + 1]; e++)
      bytes += static_cast<uint64_t>(part.chunk->map_keys()[e].length) + static_cast<uint64_t>(part.chunk->map_values()[e].length);
  return bytes;
}

}  // namespace

Columns GatherHotColumns(std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive) {
  return Gather(EventColumns(), parts, std::move(keep_alive));
}

Columns GatherHotColumn(EventColumn column, std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive) {
  return Gather({&EventColumns()[static_cast<size_t>(column)], 1}, parts, std::move(keep_alive));
}

uint64_t HotValueBytes(std::span<const HotRows> parts) {
  uint64_t bytes = 0;
  for (auto& part : parts)
    for (auto& column : EventColumns()) {
      if (!part.chunk->has(column.column)) continue;
      switch (column.type) {
        case ColumnType::kString:
        case ColumnType::kBinary: bytes += TextBytes(part, column.column); break;
        case ColumnType::kStringMap: bytes += ExtensionBytes(part); break;
        default: bytes += part.rows.size() * sizeof(int64_t);
      }
    }
  return bytes;
}

}  // namespace sluice::table
