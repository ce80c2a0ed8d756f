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
    std::vector<StringView> key_views, value_views;
    for (size_t part = 0; part < parts_.size(); part++) {
      auto& p = parts_[part];
      const bool has = p.chunk->has(column.column);
      for (uint32_t row : p.rows) {
        for (int32_t e = has ? p.chunk->map_offsets()[row] : 0, end = has ? p.chunk->map_offsets()[row + 1] : 0; e < end; e++) {
          key_views.push_back(Rebase(p.chunk->map_keys()[e], part));
          value_views.push_back(Rebase(p.chunk->map_values()[e], part));
        }
        *offsets++ = static_cast<int32_t>(key_views.size());
      }
    }
    const auto entries = static_cast<int64_t>(key_views.size());
    std::copy(key_views.begin(), key_views.end(), Values<StringView>(*keys, key_views.size()));
    std::copy(value_views.begin(), value_views.end(), Values<StringView>(*values, value_views.size()));
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

ArrowSchema MakeSchema(const Gatherer& gatherer) {
  auto root = std::make_unique<SchemaNode>();
  root->format = "+s";
  for (auto& column : EventColumns()) {
    ArrowSchema child = !gatherer.HasValues(column.column)      ? Leaf(column.name, "n", column.field_id(), true)
                        : column.type == ColumnType::kStringMap ? MapSchema(column)
                                                                : Leaf(column.name, FormatOf(column.type), column.field_id(), !column.required);
    root->AddChild(child);
  }
  return SealSchema(std::move(root), false);
}

}  // namespace

Columns GatherHotColumns(std::span<const HotRows> parts, std::shared_ptr<const void> keep_alive) {
  Gatherer gatherer(parts);
  CHECK(gatherer.rows() > 0 && gatherer.rows() <= INT32_MAX, "columns without rows, or with too many");
  auto root = std::make_unique<ArrayNode>();
  root->buffers = {nullptr};
  root->keep_alive = std::move(keep_alive);
  for (auto& column : EventColumns()) root->AddChild(gatherer.Column(column));
  return Columns(MakeSchema(gatherer), SealArray(std::move(root), gatherer.rows(), 0));
}

}  // namespace sluice::table
