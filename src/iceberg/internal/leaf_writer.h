// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Writes one leaf column, row group after row group, and gathers its metrics on the way. Values go from Columns to the
// Parquet encoder in runs of about a thousand, strings as views; nothing is kept between runs but the bounds.

#include <parquet/column_writer.h>

#include <memory>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/data_file_options.h"
#include "iceberg/internal/leaf_path.h"

namespace sluice::iceberg::internal {

// A run with more bytes than this is halved before it goes to the encoder, which looks at page sizes only between runs.
inline constexpr size_t kRunBytesMax = 512 * 1024;

// Not thread-safe.
class LeafWriter {
 public:
  virtual ~LeafWriter() = default;

  // Bounds are kept unless the leaf is `repeated` (in a list or map) or `mode` says no. `field` must outlive the writer.
  static std::unique_ptr<LeafWriter> Make(const NestedField& field, bool repeated, MetricsMode mode);

  // Writes the rows as the whole of one column chunk; the caller closes it. kInvalid: null in a required column. Throws what
  // the Parquet library throws.
  virtual Result<void> Write(LeafPath& path, LeafPath::Rows rows, ::parquet::ColumnWriter& to) = 0;

  // What was written so far; adds nothing but sizes for MetricsMode none.
  virtual void AddMetrics(ColumnMetrics& to) const = 0;
};

}  // namespace sluice::iceberg::internal
