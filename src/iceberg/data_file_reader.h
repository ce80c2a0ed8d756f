// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// DataFileReader: the rows of one Parquet data file as Columns, seen through a table schema: columns are found by field id,
// narrower numbers are widened, columns that came later have their initial default or null. Files without field ids (written
// by other programs, for name mapping) look as if they had none of the columns.

#include <cstdint>
#include <memory>

#include "base/columns.h"
#include "base/result.h"
#include "iceberg/schema.h"
#include "io/object_store.h"

namespace sluice::iceberg {

// Not thread-safe; open one per thread.
class DataFileReader {
 public:
  // Reads the footer. `wanted` is the projection: its fields, in its order, are what Read returns.
  // kCorruption: not a Parquet file, or one whose seal does not fit (data_file_seal.h). Errors of the object pass through.
  static Result<std::unique_ptr<DataFileReader>> Open(std::unique_ptr<io::ObjectReader> object, TableSchema wanted);
  ~DataFileReader();

  int64_t rows() const;
  int row_groups() const;
  // The position (_pos) of the first row of a row group; rows() for row_groups().
  // REQUIRES: 0 <= row_group <= row_groups().
  int64_t first_position(int row_group) const;

  static constexpr int64_t kRowsMax = int64_t{1} << 24;  // of a row group that is read: columns that the file does not have cost memory, too

  // One row group: the bound of memory is what the file's writer made it. The Columns live on their own.
  // kInvalid: a required column is missing, or it has more than kRowsMax rows. kCorruption: damaged bytes, or a type that cannot become the wanted one.
  // REQUIRES: 0 <= row_group < row_groups().
  Result<Columns> ReadRowGroup(int row_group);

 private:
  class State;
  explicit DataFileReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::iceberg
