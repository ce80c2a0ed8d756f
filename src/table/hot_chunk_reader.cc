// SPDX-License-Identifier: Apache-2.0
#include "table/hot_chunk_reader.h"

namespace sluice::table {

Result<HotChunkReader> HotChunkReader::Open(std::span<const char> chunk) {
  auto damaged = [](const char* what) { return Error{ErrorCode::kCorruption, std::string("not a hot chunk: ") + what, {}}; };
  if (chunk.size() < kHotChunkHeaderBytes) return damaged("shorter than its header");
  HotChunkReader reader(chunk.data());
  const auto& h = reader.header();
  if (h.magic != kHotChunkMagic) return damaged("wrong magic");
  if (h.bytes > chunk.size()) return damaged("shorter than its header says");
  if (h.rows_max > kHotChunkRowsMax || h.map_entries_max > kHotChunkMapEntriesMax) return damaged("capacity beyond the bound");
  for (auto& column : EventColumns()) {
    size_t at = h.regions[static_cast<size_t>(column.column)];
    if (at != 0 && at + LayoutOf(column, h.rows_max, h.map_entries_max).bytes > h.bytes) return damaged("a region beyond the end");
  }
  return reader;
}

const uint8_t* HotChunkReader::validity(EventColumn c) const {
  return EventColumns()[static_cast<size_t>(c)].required ? nullptr : At<uint8_t>(c, layout(c).validity);
}

}  // namespace sluice::table
