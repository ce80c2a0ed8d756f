// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Whether a Parquet data file is as it was written. Of one with a seal every byte is compared (data_file_seal.h). Of another one the footer
// can be read, every page is there, and each page's CRC-32 fits, as far as its writer made any; else only the decompression can tell.

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "io/object_store.h"

namespace sluice::iceberg {

// Reads the whole file, and returns its rows. kCorruption: the message says which bytes are damaged, or in which row group and column, not in
// which file. Errors of the object pass through. Footer, page headers and Bloom filters of a file without a seal are only parsed.
Result<int64_t> CheckDataFile(std::unique_ptr<io::ObjectReader> object);

}  // namespace sluice::iceberg
