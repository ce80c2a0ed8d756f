// SPDX-License-Identifier: Apache-2.0
#include "query/worker/hot_columns_to_vectors.h"

#include <cstring>

namespace sluice::query {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::string_t;
using table::EventColumn;
using table::HotChunkReader;
using table::StringView;

// Keeps the mapping alive as long as a vector that points into it.
struct ChunkPin : public duckdb::VectorAuxiliaryData {
  explicit ChunkPin(std::shared_ptr<const MappedChunk> chunk) : VectorAuxiliaryData(duckdb::VectorAuxiliaryDataType::ARROW_AUXILIARY), pinned(std::move(chunk)) {}
  std::shared_ptr<const MappedChunk> pinned;
};

void Pin(const std::shared_ptr<const MappedChunk>& chunk, duckdb::Vector& to) { to.GetBuffer()->SetAuxiliaryData(duckdb::make_uniq<ChunkPin>(chunk)); }

string_t ToString(const HotChunkReader& reader, const StringView& view) {
  auto text = reader.Text(view);
  return string_t(text.data(), static_cast<uint32_t>(text.size()));
}

void FillValidity(const uint8_t* bits, uint32_t begin, idx_t count, duckdb::Vector& to) {
  if (bits == nullptr) return;
  auto& mask = FlatVector::Validity(to);
  for (idx_t i = 0; i < count; i++) {
    auto row = begin + i;
    if ((bits[row >> 3] >> (row & 7) & 1) == 0) mask.SetInvalid(i);
  }
}

template <class T>
void PointAt(const T* values, duckdb::Vector& to) {
  // DuckDB's vectors are not const-correct; a scan's output is only read.
  FlatVector::SetData(to, const_cast<duckdb::data_ptr_t>(reinterpret_cast<const duckdb::data_t*>(values)));
}

void FillStrings(const HotChunkReader& reader, const StringView* views, const uint8_t* validity, uint32_t begin, idx_t count,
                 const duckdb::SelectionVector* wanted, idx_t wanted_count, duckdb::Vector& to) {
  auto* out = FlatVector::GetData<string_t>(to);
  auto put = [&](idx_t i) {
    auto row = begin + i;
    bool valid = validity == nullptr || (validity[row >> 3] >> (row & 7) & 1) != 0;
    out[i] = valid ? ToString(reader, views[row]) : string_t();
  };
  if (wanted != nullptr) {
    for (idx_t k = 0; k < wanted_count; k++) put(wanted->get_index(k));
  } else {
    for (idx_t i = 0; i < count; i++) put(i);
  }
}

void FillMap(const std::shared_ptr<const MappedChunk>& chunk, uint32_t begin, idx_t count, duckdb::Vector& to) {
  auto& reader = chunk->reader();
  auto* offsets = reader.map_offsets() + begin;
  auto* bits = reader.validity(EventColumn::kExtensions);
  auto* entries = FlatVector::GetData<duckdb::list_entry_t>(to);
  idx_t total = 0;
  for (idx_t i = 0; i < count; i++) {
    auto row = begin + i;
    bool valid = (bits[row >> 3] >> (row & 7) & 1) != 0;
    auto length = valid ? static_cast<idx_t>(offsets[i + 1] - offsets[i]) : 0;
    entries[i] = duckdb::list_entry_t(total, length);
    total += length;
  }
  duckdb::ListVector::Reserve(to, total);
  auto& keys = duckdb::MapVector::GetKeys(to);
  auto& values = duckdb::MapVector::GetValues(to);
  auto* key_out = FlatVector::GetData<string_t>(keys);
  auto* value_out = FlatVector::GetData<string_t>(values);
  for (idx_t i = 0, at = 0; i < count; i++) {
    for (idx_t k = 0; k < entries[i].length; k++, at++) {
      auto from = static_cast<idx_t>(offsets[i]) + k;
      key_out[at] = ToString(reader, reader.map_keys()[from]);
      value_out[at] = ToString(reader, reader.map_values()[from]);
    }
  }
  duckdb::ListVector::SetListSize(to, total);
  Pin(chunk, keys);
  Pin(chunk, values);
}

}  // namespace

void FillFromChunk(const std::shared_ptr<const MappedChunk>& chunk, const table::EventColumnSpec& column, uint32_t begin, idx_t count,
                   const duckdb::SelectionVector* wanted, idx_t wanted_count, duckdb::Vector& to) {
  auto& reader = chunk->reader();
  auto c = column.column;
  if (c == EventColumn::kSpecVersion) {
    auto* out = FlatVector::GetData<string_t>(to);
    for (idx_t i = 0; i < count; i++) out[i] = string_t(table::kSpecVersionValue.data(), static_cast<uint32_t>(table::kSpecVersionValue.size()));
    return;
  }
  FillValidity(reader.validity(c), begin, count, to);
  switch (column.type) {
    case table::ColumnType::kTimestamp:
    case table::ColumnType::kLong: PointAt(reader.longs(c) + begin, to); break;
    case table::ColumnType::kInt: PointAt(reader.ints(c) + begin, to); break;
    case table::ColumnType::kBoolean: PointAt(reader.booleans(c) + begin, to); break;
    case table::ColumnType::kString:
    case table::ColumnType::kBinary: FillStrings(reader, reader.views(c), reader.validity(c), begin, count, wanted, wanted_count, to); break;
    case table::ColumnType::kStringMap: FillMap(chunk, begin, count, to); break;
  }
  Pin(chunk, to);
}

}  // namespace sluice::query
