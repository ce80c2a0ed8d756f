// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads rows of a hot chunk where they lie. Used by the server (tiering) and by the worker processes (SQL).

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "table/hot_chunk_format.h"

namespace sluice::table {

// A view of chunk memory that somebody else keeps alive and mapped. Copy freely. Thread-safe for rows that were published.
class HotChunkReader {
 public:
  // kCorruption: the bytes are no hot chunk (wrong magic, a region beyond the end).
  static Result<HotChunkReader> Open(std::span<const char> chunk);

  // Whether any row may have a value. Required columns always do; kSpecVersion never has a region.
  bool has(EventColumn c) const { return header().regions[static_cast<size_t>(c)] != 0; }

  // REQUIRES of all below: has(c), and the type fits. Arrays start at row 0.
  const uint8_t* validity(EventColumn c) const;  // nullptr: no nulls
  const StringView* views(EventColumn c) const { return At<StringView>(c, layout(c).values); }
  const int64_t* longs(EventColumn c) const { return At<int64_t>(c, layout(c).values); }
  const int32_t* ints(EventColumn c) const { return At<int32_t>(c, layout(c).values); }
  const uint8_t* booleans(EventColumn c) const { return At<uint8_t>(c, layout(c).values); }
  // Extensions: entries [offsets[row], offsets[row + 1]) of keys and values.
  const int32_t* map_offsets() const { return At<int32_t>(EventColumn::kExtensions, layout(EventColumn::kExtensions).offsets); }
  const StringView* map_keys() const { return views(EventColumn::kExtensions); }
  const StringView* map_values() const { return At<StringView>(EventColumn::kExtensions, layout(EventColumn::kExtensions).map_values); }

  bool IsValid(EventColumn c, uint32_t row) const {
    if (!has(c)) return false;
    auto* bits = validity(c);
    return bits == nullptr || (bits[row >> 3] >> (row & 7) & 1) != 0;
  }
  // The bytes a view stands for. REQUIRES: `view` is one of this chunk's.
  std::string_view Text(const StringView& view) const { return TextOf(base_, view); }
  const char* base() const { return base_; }
  size_t bytes() const { return header().bytes; }

 private:
  explicit HotChunkReader(const char* base) : base_(base) {}
  const HotChunkHeader& header() const { return *reinterpret_cast<const HotChunkHeader*>(base_); }
  HotRegionLayout layout(EventColumn c) const { return LayoutOf(EventColumns()[static_cast<size_t>(c)], header().rows_max, header().map_entries_max); }
  template <class T>
  const T* At(EventColumn c, size_t inside) const {
    return reinterpret_cast<const T*>(base_ + header().regions[static_cast<size_t>(c)] + inside);
  }
  const char* base_;
};

}  // namespace sluice::table
