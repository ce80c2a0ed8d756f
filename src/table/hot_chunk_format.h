// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A hot chunk: the newest rows of one table, by column, in memory that worker processes map read-only.
//
//   chunk = [header 4 KiB] [fixed columns] [string heap -->   free   <-- optional columns]
//   header = magic, format version, capacities, for each column the position of its region (0: no row has a value)
//
//   region of a string column  = [validity: 1 bit a row][views: 16 bytes a row]
//   region of extensions       = [validity][offsets: int32 x rows + 1][key views][value views]
//   region of a number column  = [validity, optional columns only][values]
//
// Views, validity and offsets are those of Arrow's columnar format (utf8_view): a view is {int32 length, 12 inline bytes}, or for
// more than 12 bytes {int32 length, 4-byte prefix, int32 buffer = 0, int32 position in the chunk}. All positions count from
// the chunk's first byte, so the chunk itself is the one data buffer. Numbers are little-endian; regions start at 64-byte steps.
// `specversion` has no region: its value is the same in every row.
//
// Only rows that a reader was told of are complete: the writer fills further ones while the chunk is mapped elsewhere.
// The format lives as long as the process: no version needs to be read by a later one.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "table/event_columns.h"

namespace sluice::table {

inline constexpr uint64_t kHotChunkMagic = 0x314b4e4843544f48;  // "HOTCHNK1"
inline constexpr size_t kHotChunkHeaderBytes = 4096;
inline constexpr size_t kHotChunkBytesDefault = size_t{8} << 20;
inline constexpr uint32_t kHotChunkRowsMax = 16384;
// Extension entries of all rows together. A chunk whose entries are used up is closed like a full one.
inline constexpr uint32_t kHotChunkMapEntriesMax = 2 * kHotChunkRowsMax;
// What a chunk of that size is laid out for: an eighth is left for texts when every optional column is there. Below the default size
// the largest events find no place: for tests.
constexpr uint32_t HotChunkRows(size_t chunk_bytes) {
  const size_t rows = chunk_bytes / (kHotChunkBytesDefault / kHotChunkRowsMax);
  return rows < kHotChunkRowsMax ? static_cast<uint32_t>(rows) : kHotChunkRowsMax;
}
constexpr uint32_t HotChunkMapEntries(size_t chunk_bytes) { return 2 * HotChunkRows(chunk_bytes); }

struct HotChunkHeader {
  uint64_t magic;
  uint32_t rows_max;
  uint32_t map_entries_max;
  uint64_t bytes;
  uint32_t regions[kEventColumnCount];  // byte position of each column's region
};
static_assert(sizeof(HotChunkHeader) <= kHotChunkHeaderBytes);

struct StringView {
  int32_t length;
  union {
    char inlined[12];
    struct {
      char prefix[4];
      int32_t buffer;
      int32_t position;
    } far;
  };
};
static_assert(sizeof(StringView) == 16);
inline constexpr int32_t kInlinedMax = 12;
// The bytes that a view of the chunk at `chunk` stands for.
inline std::string_view TextOf(const char* chunk, const StringView& view) {
  return {view.length <= kInlinedMax ? view.inlined : chunk + view.far.position, static_cast<size_t>(view.length)};
}

// Byte positions inside a region, counted from its start.
struct HotRegionLayout {
  size_t validity = 0;  // meaningful for optional columns
  size_t offsets = 0;   // extensions only
  size_t values = 0;    // views or numbers; the keys' views for extensions
  size_t map_values = 0;
  size_t bytes = 0;  // of the whole region
};
HotRegionLayout LayoutOf(const EventColumnSpec& column, uint32_t rows_max, uint32_t map_entries_max);

}  // namespace sluice::table
