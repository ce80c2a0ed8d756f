// SPDX-License-Identifier: Apache-2.0
#include "table/hot_columns.h"

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::table {
namespace {

// ---- ownership: one node per schema and per array, each frees itself and its children ----------------------------------

struct SchemaNode {
  std::string format, name, metadata;
  std::vector<std::unique_ptr<ArrowSchema>> owned;
  std::vector<ArrowSchema*> children;
};
struct ArrayNode {
  std::vector<const void*> buffers;
  std::vector<std::unique_ptr<ArrowArray>> owned;
  std::vector<ArrowArray*> children;
  std::array<int64_t, 1> variadic_sizes{};  // byte size of the one data buffer of views
  std::vector<char> bytes;                  // what could not be pointed at
  std::shared_ptr<const void> keep_alive;
};

template <class Struct, class Node>
void Release(Struct* s) {
  for (int64_t i = 0; i < s->n_children; i++)
    if (s->children[i]->release != nullptr) s->children[i]->release(s->children[i]);
  delete static_cast<Node*>(s->private_data);
  s->release = nullptr;
}

ArrowSchema Seal(std::unique_ptr<SchemaNode> node, bool nullable) {
  for (auto& c : node->owned) node->children.push_back(c.get());
  ArrowSchema out{};
  out.format = node->format.c_str();
  out.name = node->name.c_str();
  out.metadata = node->metadata.empty() ? nullptr : node->metadata.data();
  out.flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  out.n_children = static_cast<int64_t>(node->children.size());
  out.children = node->children.data();
  out.release = Release<ArrowSchema, SchemaNode>;
  out.private_data = node.release();
  return out;
}
ArrowArray Seal(std::unique_ptr<ArrayNode> node, int64_t length, int64_t null_count) {
  for (auto& c : node->owned) node->children.push_back(c.get());
  ArrowArray out{};
  out.length = length;
  out.null_count = null_count;
  out.n_buffers = static_cast<int64_t>(node->buffers.size());
  out.buffers = node->buffers.data();
  out.n_children = static_cast<int64_t>(node->children.size());
  out.children = node->children.data();
  out.release = Release<ArrowArray, ArrayNode>;
  out.private_data = node.release();
  return out;
}

// ---- schema ---------------------------------------------------------------------------------------------------------------

// Arrow's C metadata: count, then length-prefixed key and value, native integers.
std::string FieldIdMetadata(int32_t field_id) {
  static constexpr std::string_view kKey = "PARQUET:field_id";
  std::string value = std::to_string(field_id), out;
  base::AppendLittle<int32_t>(out, 1);
  base::AppendLittle<int32_t>(out, static_cast<int32_t>(kKey.size()));
  out += kKey;
  base::AppendLittle<int32_t>(out, static_cast<int32_t>(value.size()));
  return out + value;
}

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
  node->metadata = FieldIdMetadata(field_id);
  return Seal(std::move(node), nullable);
}

ArrowSchema MapSchema(const EventColumnSpec& column) {
  auto entries = std::make_unique<SchemaNode>();
  entries->name = "key_value";
  entries->format = "+s";
  entries->owned.push_back(std::make_unique<ArrowSchema>(Leaf("key", "vu", kExtensionsKeyFieldId, false)));
  entries->owned.push_back(std::make_unique<ArrowSchema>(Leaf("value", "vu", kExtensionsValueFieldId, false)));
  auto map = std::make_unique<SchemaNode>();
  map->name = column.name;
  map->format = "+m";
  map->metadata = FieldIdMetadata(column.field_id());
  map->owned.push_back(std::make_unique<ArrowSchema>(Seal(std::move(entries), false)));
  return Seal(std::move(map), true);
}

bool IsStored(const HotChunkReader& chunk, EventColumn c) { return chunk.has(c) || c == EventColumn::kSpecVersion; }

ArrowSchema MakeSchema(const HotChunkReader& chunk) {
  auto root = std::make_unique<SchemaNode>();
  root->format = "+s";
  for (auto& column : EventColumns()) {
    ArrowSchema child = !IsStored(chunk, column.column)         ? Leaf(column.name, "n", column.field_id(), true)
                        : column.type == ColumnType::kStringMap ? MapSchema(column)
                                                                : Leaf(column.name, FormatOf(column.type), column.field_id(), !column.required);
    root->owned.push_back(std::make_unique<ArrowSchema>(child));
  }
  return Seal(std::move(root), false);
}

// ---- arrays ---------------------------------------------------------------------------------------------------------------

constexpr int64_t kUnknownNulls = -1;

ArrowArray ViewArray(const HotChunkReader& chunk, const uint8_t* validity, const StringView* views, int64_t length) {
  auto node = std::make_unique<ArrayNode>();
  node->variadic_sizes[0] = static_cast<int64_t>(chunk.bytes());
  node->buffers = {validity, views, chunk.base(), node->variadic_sizes.data()};
  return Seal(std::move(node), length, validity == nullptr ? 0 : kUnknownNulls);
}

ArrowArray NumberArray(const uint8_t* validity, const void* values, int64_t length) {
  auto node = std::make_unique<ArrayNode>();
  node->buffers = {validity, values};
  return Seal(std::move(node), length, validity == nullptr ? 0 : kUnknownNulls);
}

ArrowArray NullArray(int64_t length) { return Seal(std::make_unique<ArrayNode>(), length, length); }

ArrowArray BooleanArray(const uint8_t* values, int64_t length) {
  auto node = std::make_unique<ArrayNode>();
  node->bytes.assign(static_cast<size_t>(length) / 8 + 1, 0);
  for (int64_t i = 0; i < length; i++)
    node->bytes[static_cast<size_t>(i) >> 3] = static_cast<char>(node->bytes[static_cast<size_t>(i) >> 3] | (values[i] != 0) << (i & 7));
  node->buffers = {nullptr, node->bytes.data()};
  return Seal(std::move(node), length, 0);
}

ArrowArray ConstantArray(std::string_view text, int64_t length) {
  CHECK(text.size() <= static_cast<size_t>(kInlinedMax), "a constant that does not fit into a view");
  auto node = std::make_unique<ArrayNode>();
  StringView view{};
  view.length = static_cast<int32_t>(text.size());
  text.copy(view.inlined, text.size());
  node->bytes.resize(static_cast<size_t>(length) * sizeof view);
  for (int64_t i = 0; i < length; i++) std::memcpy(node->bytes.data() + static_cast<size_t>(i) * sizeof view, &view, sizeof view);
  node->buffers = {nullptr, node->bytes.data(), nullptr};  // no data buffer: every value is inlined
  return Seal(std::move(node), length, 0);
}

ArrowArray MapArray(const HotChunkReader& chunk, int64_t length) {
  const int32_t* offsets = chunk.map_offsets();
  const int64_t entries = offsets[length];
  auto pairs = std::make_unique<ArrayNode>();
  pairs->buffers = {nullptr};
  pairs->owned.push_back(std::make_unique<ArrowArray>(ViewArray(chunk, nullptr, chunk.map_keys(), entries)));
  pairs->owned.push_back(std::make_unique<ArrowArray>(ViewArray(chunk, nullptr, chunk.map_values(), entries)));
  auto map = std::make_unique<ArrayNode>();
  map->buffers = {chunk.validity(EventColumn::kExtensions), offsets};
  map->owned.push_back(std::make_unique<ArrowArray>(Seal(std::move(pairs), entries, 0)));
  return Seal(std::move(map), length, kUnknownNulls);
}

ArrowArray MakeArray(const HotChunkReader& chunk, const EventColumnSpec& column, int64_t rows) {
  const auto c = column.column;
  if (c == EventColumn::kSpecVersion) return ConstantArray(kSpecVersionValue, rows);
  if (!chunk.has(c)) return NullArray(rows);
  switch (column.type) {
    case ColumnType::kString:
    case ColumnType::kBinary: return ViewArray(chunk, chunk.validity(c), chunk.views(c), rows);
    case ColumnType::kTimestamp:
    case ColumnType::kLong: return NumberArray(chunk.validity(c), chunk.longs(c), rows);
    case ColumnType::kInt: return NumberArray(chunk.validity(c), chunk.ints(c), rows);
    case ColumnType::kBoolean: return BooleanArray(chunk.booleans(c), rows);
    case ColumnType::kStringMap: return MapArray(chunk, rows);
  }
  base::CheckFailed(__FILE__, __LINE__, "type", "a column type without an array");
}

}  // namespace

Columns MakeHotColumns(const HotChunkReader& chunk, uint32_t rows, std::shared_ptr<const void> keep_alive) {
  CHECK(rows > 0 && rows <= kHotChunkRowsMax, "columns of a chunk without rows");
  auto root = std::make_unique<ArrayNode>();
  root->buffers = {nullptr};
  root->keep_alive = std::move(keep_alive);
  for (auto& column : EventColumns()) root->owned.push_back(std::make_unique<ArrowArray>(MakeArray(chunk, column, rows)));
  return Columns(MakeSchema(chunk), Seal(std::move(root), rows, 0));
}

}  // namespace sluice::table
