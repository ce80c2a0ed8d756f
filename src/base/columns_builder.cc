// SPDX-License-Identifier: Apache-2.0
#include "base/columns_builder.h"

#include <cstring>

#include "base/check.h"
#include "base/column_nodes.h"

namespace sluice::base {
namespace {

ArrowSchema Leaf(std::string name, const char* format) {
  auto node = std::make_unique<SchemaNode>();
  node->name = std::move(name);
  node->format = format;
  return SealSchema(std::move(node), true);
}

template <class T>
int64_t FillValidity(ArrayNode& node, const std::vector<std::optional<T>>& values) {
  int64_t nulls = 0;
  node.validity.assign(values.size() / 8 + 1, 0);
  for (size_t i = 0; i < values.size(); i++) {
    if (values[i]) node.validity[i >> 3] = static_cast<char>(node.validity[i >> 3] | 1 << (i & 7));
    else nulls++;
  }
  return nulls;
}

}  // namespace

void ColumnsBuilder::AddStrings(std::string name, const std::vector<std::optional<std::string>>& values) {
  auto node = std::make_unique<ArrayNode>();
  const int64_t nulls = FillValidity(*node, values);
  node->values.resize((values.size() + 1) * sizeof(int32_t));
  auto* offsets = reinterpret_cast<int32_t*>(node->values.data());
  offsets[0] = 0;
  for (size_t i = 0; i < values.size(); i++) {
    if (values[i]) node->bytes.insert(node->bytes.end(), values[i]->begin(), values[i]->end());
    CHECK(node->bytes.size() <= INT32_MAX, "a small table of more than 2 GiB");
    offsets[i + 1] = static_cast<int32_t>(node->bytes.size());
  }
  node->buffers = {node->validity.data(), node->values.data(), node->bytes.data()};
  columns_.push_back({Leaf(std::move(name), "u"), SealArray(std::move(node), static_cast<int64_t>(values.size()), nulls)});
}

void ColumnsBuilder::AddFixed(std::string name, const char* format, const std::vector<std::optional<int64_t>>& values) {
  auto node = std::make_unique<ArrayNode>();
  const int64_t nulls = FillValidity(*node, values);
  node->values.resize(values.size() * sizeof(int64_t));
  for (size_t i = 0; i < values.size(); i++) {
    const int64_t value = values[i].value_or(0);
    std::memcpy(node->values.data() + i * sizeof value, &value, sizeof value);
  }
  node->buffers = {node->validity.data(), node->values.data()};
  columns_.push_back({Leaf(std::move(name), format), SealArray(std::move(node), static_cast<int64_t>(values.size()), nulls)});
}

void ColumnsBuilder::AddLongs(std::string name, const std::vector<std::optional<int64_t>>& values) { AddFixed(std::move(name), "l", values); }

void ColumnsBuilder::AddTimestamps(std::string name, const std::vector<std::optional<Timestamp>>& values) {
  std::vector<std::optional<int64_t>> micros;
  micros.reserve(values.size());
  for (auto& v : values) micros.push_back(v ? std::optional<int64_t>(v->us) : std::nullopt);
  AddFixed(std::move(name), "tsu:UTC", micros);
}

Columns ColumnsBuilder::Finish(int64_t rows) {
  auto schema = std::make_unique<SchemaNode>();
  schema->format = "+s";
  auto array = std::make_unique<ArrayNode>();
  array->buffers = {nullptr};
  for (auto& column : columns_) {
    CHECK(column.array.length == rows, "columns of different lengths");
    schema->AddChild(column.schema);
    array->AddChild(column.array);
  }
  columns_.clear();
  return Columns(SealSchema(std::move(schema), false), SealArray(std::move(array), rows, 0));
}

}  // namespace sluice::base
