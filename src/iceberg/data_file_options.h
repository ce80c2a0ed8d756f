// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How data files are written: defaults, and the table properties that change them (names as in Iceberg's TableProperties).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/schema.h"

namespace sluice::iceberg {

enum class Compression : uint8_t { kNone, kSnappy, kGzip, kZstd };

// Dictionaries pay where values repeat. kAuto looks at a sample of the first rows.
enum class DictionaryUse : uint8_t { kAuto, kOn, kOff };

// What the manifest says about a column: nothing, counts, counts and bounds cut to `length` code points or bytes, or whole.
struct MetricsMode {
  enum class Kind : uint8_t { kNone, kCounts, kTruncate, kFull };
  Kind kind = Kind::kTruncate;
  int32_t length = 16;

  // "none", "counts", "truncate(16)", "full". kInvalid: anything else.
  static Result<MetricsMode> Parse(std::string_view text);
  bool operator==(const MetricsMode&) const = default;
};

// By leaf column; a column that is not listed has these defaults.
struct ColumnOptions {
  DictionaryUse dictionary = DictionaryUse::kAuto;
  // DELTA_BINARY_PACKED for int, long and times: small for what rises steadily. Off by default: Iceberg's vectorized Spark
  // reader knows it only since 2025 (apache/iceberg pull request 13391). Leaves no room for a dictionary.
  bool delta = false;
  bool statistics = true;  // min and max per page and row group, inside the file
  bool bloom_filter = false;
  double bloom_filter_fpp = 0.01;
  MetricsMode metrics;

  bool operator==(const ColumnOptions&) const = default;
};

struct DataFileOptions {
  Compression compression = Compression::kZstd;
  int32_t compression_level = 1;  // of zstd and gzip
  int64_t row_group_rows_max = 122'880;
  int64_t row_group_bytes_max = 128 << 20;  // of values before encoding
  int64_t page_bytes = 1 << 20;
  int64_t page_rows_max = 20'000;
  int64_t dictionary_bytes_max = 1 << 20;  // then the column goes on without one
  std::map<FieldId, ColumnOptions> columns;
  bool seal = true;                        // checksums of all bytes, see data_file_seal.h
  std::map<std::string, std::string> file_metadata;  // into the Parquet footer, "iceberg.schema" for one

  const ColumnOptions& column(FieldId id) const;

  // kInvalid names what is out of range.
  Result<void> Validate() const;

  // `base` changed by table properties; those of other matters are skipped. Columns are named by full name, and a name
  // that `schema` does not have is skipped, too (properties outlive columns). kInvalid: a value that cannot be read.
  static Result<DataFileOptions> FromProperties(const TableSchema& schema, const std::map<std::string, std::string>& properties,
                                                DataFileOptions base);
  static Result<DataFileOptions> FromProperties(const TableSchema& schema, const std::map<std::string, std::string>& properties);
};

}  // namespace sluice::iceberg
