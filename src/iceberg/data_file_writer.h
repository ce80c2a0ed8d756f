// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// DataFileWriter: rows of Columns become one Parquet file of an Iceberg table, with everything its manifest entry says.
//
//   Open ─▶ Write* ─▶ Finish      every Write makes at least one row group; the object appears at Finish or never
//
// Whoever has Columns gives them; whoever would have to make them gives a ColumnSource, and has one column in memory at a time.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/columns.h"
#include "base/result.h"
#include "iceberg/data_file.h"
#include "iceberg/data_file_options.h"
#include "iceberg/schema.h"
#include "iceberg/writer_memory.h"
#include "io/object_store.h"

namespace sluice::iceberg {

struct WrittenDataFile {
  DataFile file;             // all but partition, sort order and what belongs to deletes
  int64_t footer_bytes = 0;  // Parquet metadata at the end, without the 8 bytes of length and magic
};

// Rows that are laid out one column at a time, when the writer gets to it.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  virtual int64_t rows() const = 0;
  // All rows of one top-level column, as the child with that field id; empty Columns: there is no such column.
  virtual Columns Column(FieldId id) = 0;
  // All columns of a few hundred of the rows, taken from all over them: by these the writer chooses encodings.
  virtual Columns Sample() = 0;
};

// Not thread-safe. Needs a few megabytes of its own however large the file is: a page per column at a time, plus one Bloom
// filter per row group and listed column. Destroyed without Finish, it leaves no object.
//
// After any error but those of Open the writer is closed for good, nothing remains of the object, and every call returns that error.
// Errors of the object store pass through unchanged (kExhausted, kIo, kUnavailable, ...).
class DataFileWriter {
 public:
  // `objects` and `memory` (null: the Parquet library's own) must outlive the writer. kExists: the name was used. kInvalid: the
  // options are out of range.
  static Result<std::unique_ptr<DataFileWriter>> Open(io::ObjectStore& objects, std::string uri, TableSchema schema, DataFileOptions options = {},
                                                      WriterMemory* memory = nullptr);
  ~DataFileWriter();

  // Appends all rows, or the rows listed, in that order (a row may be listed twice). Columns are found by field id
  // (data_file_columns.h): a missing optional one is written as null, one that the schema does not have is skipped. Takes the
  // layouts of internal/arrow_column.h: offset and view strings, fixed-width values, structs, lists, maps and the null type,
  // not dictionary or run-end encoding. Validity of UTF-8 is the caller's.
  // Row groups are never merged across calls and never hold more than the options allow: give slices of about
  // row_group_rows_max rows, small ones make small row groups.
  // kInvalid: a required column is missing or null, a type does not fit, no rows' worth of Columns.
  // REQUIRES: every row listed is < columns.rows().
  Result<void> Write(const Columns& columns);
  Result<void> Write(const Columns& columns, std::span<const uint32_t> rows);

  // Appends all rows of `source` as one row group, however many bytes they have. Errors as above.
  // REQUIRES: at least one row, at most row_group_rows_max.
  Result<void> Write(ColumnSource& source);

  // Ends the file and makes it visible and durable; the writer takes no more calls. kInvalid: no row was written (there are no empty data files).
  // kCommitUnknown: the object may exist; nobody refers to it, so another name is the way on.
  Result<WrittenDataFile> Finish();

  int64_t rows() const;
  // Bytes of the file so far, for callers that roll files by size. The footer comes on top.
  int64_t bytes() const;

 private:
  class State;
  explicit DataFileWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::iceberg
