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

// Values looked at to choose; a dictionary is used when fewer than this share of them are different. With 512 values that is
// about where a column has 5,000 distinct ones: encoding still costs less than compressing what repeats.
inline constexpr int64_t kDictionarySample = 512;
inline constexpr double kDictionaryDistinctShareMax = 0.95;

// `paths` are the leaves of `root` in order, bound to the Columns of the first `rows`. kInvalid comes from LeafPath::Fill.
Result<std::shared_ptr<::parquet::WriterProperties>> MakeWriterProperties(const DataFileOptions& options, const ::parquet::SchemaDescriptor& root,
                                                                          std::span<LeafPath> paths, LeafPath::Rows rows);

}  // namespace sluice::iceberg::internal
