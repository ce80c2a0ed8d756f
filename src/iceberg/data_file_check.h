// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Whether a Parquet data file is as it was written: its footer can be read, every page is there, and each page's CRC-32 fits
// (Sluice writes one for every page; of pages without one only the decompression can tell).

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "io/object_store.h"

namespace sluice::iceberg {

// Reads the whole file, and returns its rows. kCorruption: the message says row group, column and byte of the damaged column chunk,
// not the file. Errors of the object pass through. What Parquet itself has no checksum for (footer, Bloom filters) is only parsed.
Result<int64_t> CheckDataFile(std::unique_ptr<io::ObjectReader> object);

}  // namespace sluice::iceberg
