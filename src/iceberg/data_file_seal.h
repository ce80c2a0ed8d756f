// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The seal of a Parquet data file: checksums of every byte of it, in the gap that Parquet allows in front of its footer.
//
//   [pages, Bloom filters] [CRC-32C of each 16 KiB of them] [seal, 32 bytes] [footer] [its length] [PAR1]
//
// Parquet has checksums of pages only, which DuckDB does not look at, and none of page headers, Bloom filters and footer. Readers of Parquet go
// by the positions in the footer and never see a seal; a file without one, of another writer, is read as it is. The footer says that there
// is one, so that a seal that rots is no file of another writer. Format: docs/formats/data-file.md.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/object_store.h"

namespace sluice::iceberg {

inline constexpr size_t kSealBlockBytes = 16 * 1024;
// In the key-value metadata of the footer, with this value.
inline constexpr std::string_view kSealKey = "sluice.seal", kSealVersion = "1";

// Sees a file's bytes pass, front to back, up to the footer. Not thread-safe.
class SealBuilder {
 public:
  void Add(std::string_view bytes);
  // What stands between the bytes that were added and `footer`, which is all behind it: Thrift, length, magic.
  std::string Finish(std::string_view footer) const;

 private:
  std::string blocks_;  // checksums of whole blocks, as they are written
  uint32_t crc_ = 0;    // of the block that is not whole yet
  uint64_t bytes_ = 0;
};

// `object` as a reader that gives no byte of a sealed file that is not as it was written; `object` itself when there is no seal. A block is
// looked at once, when it is first read. Reads footer and seal. kCorruption, here and from reads: the sentence says which bytes are
// damaged, not of which file. Errors of the object pass through. Thread-safe as readers are.
Result<std::unique_ptr<io::ObjectReader>> VerifySeal(std::unique_ptr<io::ObjectReader> object, bool* sealed = nullptr);

}  // namespace sluice::iceberg
