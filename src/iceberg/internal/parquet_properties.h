// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// DataFileOptions as properties of the Parquet library, with the choice of dictionaries where the options leave it open.

#include <parquet/properties.h>

#include <memory>
#include <span>

#include "iceberg/data_file_options.h"
#include "iceberg/internal/leaf_path.h"

namespace sluice::iceberg::internal {

// Values looked at to choose. A dictionary is used when fewer than this share of them are different: with 256 values that is
// about where a column has 2,500 distinct ones, and encoding still costs less than compressing what repeats. Long values fill
// a dictionary before they repeat: they count as different.
inline constexpr int64_t kDictionarySample = 256;
inline constexpr double kDictionaryDistinctShareMax = 0.95;
inline constexpr int64_t kDictionaryValueBytesMax = 128;

// `pool`: null for the library's own. `paths` are the leaves of `root` in order, bound to the Columns of the first `rows`. kInvalid comes from LeafPath::Fill.
Result<std::shared_ptr<::parquet::WriterProperties>> MakeWriterProperties(const DataFileOptions& options, const ::parquet::SchemaDescriptor& root,
                                                                          std::span<LeafPath> paths, LeafPath::Rows rows,
                                                                          ::arrow::MemoryPool* pool);

}  // namespace sluice::iceberg::internal
