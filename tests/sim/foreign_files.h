// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/data_file_options.h"
#include "io/object_store.h"

namespace sluice::sim {

// A Parquet file of another engine with columns of texts and longs. `columns`: of each the values, as Arrow reads them from JSON.
// Errors: of the store. The partition is left to the caller.
Result<iceberg::DataFile> WriteForeignFile(io::ObjectStore& objects, const std::string& uri, const iceberg::TableSchema& schema,
                                           const std::vector<std::string>& columns, const iceberg::DataFileOptions& options = {});

}  // namespace sluice::sim
