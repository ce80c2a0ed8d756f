// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_options.h"

#include <charconv>
#include <optional>

namespace sluice::iceberg {

namespace {

using Properties = std::map<std::string, std::string>;

constexpr std::string_view kPrefix = "write.parquet.";
constexpr std::string_view kMetricsDefault = "write.metadata.metrics.default";
constexpr std::string_view kMetricsColumn = "write.metadata.metrics.column.";
constexpr std::string_view kMetricsColumnsMax = "write.metadata.metrics.max-inferred-column-defaults";
constexpr int64_t kMetricsColumnsMaxDefault = 100;

Error BadProperty(std::string_view key, std::string_view value, std::string_view wanted) {
  return Error{ErrorCode::kInvalid, "table property \"" + std::string(key) + "\" is \"" + std::string(value) + "\"",
               "write " + std::string(wanted)};
}

template <class T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Sets `to` when the property is there.
template <class T>
Result<void> ReadNumber(const Properties& properties, std::string_view key, T& to) {
  auto found = properties.find(std::string(key));
  if (found == properties.end()) return {};
  auto value = ParseNumber<T>(found->second);
  if (!value) return BadProperty(key, found->second, "a number");
  to = *value;
  return {};
}

Result<void> ReadBool(const std::string& key, const std::string& text, bool& to) {
  if (text != "true" && text != "false") return BadProperty(key, text, "true or false");
  to = text == "true";
  return {};
}

Result<void> ReadCompression(const Properties& properties, DataFileOptions& options) {
  std::string key = std::string(kPrefix) + "compression-codec";
  if (auto found = properties.find(key); found != properties.end()) {
    static const std::map<std::string, Compression> kCodecs = {
        {"zstd", Compression::kZstd}, {"gzip", Compression::kGzip}, {"snappy", Compression::kSnappy}, {"uncompressed", Compression::kNone}};
    auto codec = kCodecs.find(found->second);
    if (codec == kCodecs.end()) return BadProperty(key, found->second, "zstd, gzip, snappy or uncompressed");
    options.compression = codec->second;
  }
  return ReadNumber(properties, std::string(kPrefix) + "compression-level", options.compression_level);
}

// Calls `set(column, key, value)` for every property "<prefix><column>" whose column is a leaf of `schema`.
template <class Set>
Result<void> ForColumns(const TableSchema& schema, const Properties& properties, const std::string& prefix, DataFileOptions& options,
                        Set set) {
  for (auto at = properties.lower_bound(prefix); at != properties.end() && at->first.starts_with(prefix); ++at) {
    const NestedField* field = schema.FindByName(std::string_view(at->first).substr(prefix.size()));
    if (field == nullptr || field->type.is_nested()) continue;
    RETURN_IF_ERROR(set(options.columns[field->id], at->first, at->second));
  }
  return {};
}

void ListLeaves(const std::vector<NestedField>& fields, std::vector<FieldId>& top_level, std::vector<FieldId>& below, bool top) {
  for (const NestedField& field : fields) {
    if (field.type.is_primitive()) {
      (top ? top_level : below).push_back(field.id);
    } else {
      ListLeaves(field.type.fields, top_level, below, false);
    }
  }
}

// Only the first columns get the default mode; a wide table would drown its manifests in bounds.
Result<void> ReadMetrics(const TableSchema& schema, const Properties& properties, DataFileOptions& options) {
  MetricsMode mode;
  if (auto found = properties.find(std::string(kMetricsDefault)); found != properties.end()) {
    ASSIGN_OR_RETURN(mode, MetricsMode::Parse(found->second));
  }
  int64_t columns_max = kMetricsColumnsMaxDefault;
  RETURN_IF_ERROR(ReadNumber(properties, kMetricsColumnsMax, columns_max));
  std::vector<FieldId> leaves, below;
  ListLeaves(schema.fields, leaves, below, true);
  leaves.insert(leaves.end(), below.begin(), below.end());
  for (size_t i = 0; i < leaves.size(); i++) {
    options.columns[leaves[i]].metrics = static_cast<int64_t>(i) < columns_max ? mode : MetricsMode{MetricsMode::Kind::kNone, 0};
  }
  return ForColumns(schema, properties, std::string(kMetricsColumn), options,
                    [](ColumnOptions& column, const std::string&, const std::string& value) -> Result<void> {
                      ASSIGN_OR_RETURN(column.metrics, MetricsMode::Parse(value));
                      return {};
                    });
}

Result<void> ReadColumns(const TableSchema& schema, const Properties& properties, DataFileOptions& options) {
  const std::string prefix(kPrefix);
  RETURN_IF_ERROR(ForColumns(schema, properties, prefix + "bloom-filter-enabled.column.", options,
                             [](ColumnOptions& column, auto& key, auto& value) { return ReadBool(key, value, column.bloom_filter); }));
  RETURN_IF_ERROR(ForColumns(schema, properties, prefix + "bloom-filter-fpp.column.", options,
                             [](ColumnOptions& column, const std::string& key, const std::string& value) -> Result<void> {
                               auto fpp = ParseNumber<double>(value);
                               if (!fpp) return BadProperty(key, value, "a number");
                               column.bloom_filter_fpp = *fpp;
                               return {};
                             }));
  return ForColumns(schema, properties, prefix + "stats-enabled.column.", options,
                    [](ColumnOptions& column, auto& key, auto& value) { return ReadBool(key, value, column.statistics); });
}

}  // namespace

Result<MetricsMode> MetricsMode::Parse(std::string_view text) {
  if (text == "none") return MetricsMode{Kind::kNone, 0};
  if (text == "counts") return MetricsMode{Kind::kCounts, 0};
  if (text == "full") return MetricsMode{Kind::kFull, 0};
  constexpr std::string_view kTruncateOpen = "truncate(";
  if (text.starts_with(kTruncateOpen) && text.ends_with(')')) {
    auto length = ParseNumber<int32_t>(text.substr(kTruncateOpen.size(), text.size() - kTruncateOpen.size() - 1));
    if (length && *length > 0) return MetricsMode{Kind::kTruncate, *length};
  }
  return Error{ErrorCode::kInvalid, "metrics mode \"" + std::string(text) + "\" is unknown", "write none, counts, truncate(16) or full"};
}

const ColumnOptions& DataFileOptions::column(FieldId id) const {
  static const ColumnOptions kDefault;
  auto found = columns.find(id);
  return found == columns.end() ? kDefault : found->second;
}

Result<void> DataFileOptions::Validate() const {
  auto bad = [](std::string what) { return Error{ErrorCode::kInvalid, "data file option out of range: " + std::move(what)}; };
  constexpr int32_t kZstdLevelMax = 22;
  constexpr int32_t kGzipLevelMax = 9;
  int32_t level_max = compression == Compression::kGzip ? kGzipLevelMax : kZstdLevelMax;
  if (compression_level < 1 || compression_level > level_max) return bad("compression level 1.." + std::to_string(level_max));
  if (row_group_rows_max < 1) return bad("rows in a row group, at least 1");
  if (row_group_bytes_max < 1) return bad("bytes in a row group, at least 1");
  if (page_bytes < 1 || page_bytes > INT32_MAX / 2) return bad("bytes in a page");
  if (page_rows_max < 1) return bad("rows in a page, at least 1");
  if (dictionary_bytes_max < 1 || dictionary_bytes_max > INT32_MAX / 2) return bad("bytes in a dictionary");
  for (const auto& [id, column] : columns) {
    if (!(column.bloom_filter_fpp > 0 && column.bloom_filter_fpp < 1)) return bad("bloom filter false positives, between 0 and 1");
    if (column.metrics.kind == MetricsMode::Kind::kTruncate && column.metrics.length < 1) return bad("length of bounds, at least 1");
  }
  return {};
}

Result<DataFileOptions> DataFileOptions::FromProperties(const TableSchema& schema, const Properties& properties) {
  return FromProperties(schema, properties, DataFileOptions());
}

Result<DataFileOptions> DataFileOptions::FromProperties(const TableSchema& schema, const Properties& properties, DataFileOptions options) {
  const std::string prefix(kPrefix);
  RETURN_IF_ERROR(ReadNumber(properties, prefix + "row-group-size-bytes", options.row_group_bytes_max));
  RETURN_IF_ERROR(ReadNumber(properties, prefix + "page-size-bytes", options.page_bytes));
  RETURN_IF_ERROR(ReadNumber(properties, prefix + "page-row-limit", options.page_rows_max));
  RETURN_IF_ERROR(ReadNumber(properties, prefix + "dict-size-bytes", options.dictionary_bytes_max));
  RETURN_IF_ERROR(ReadCompression(properties, options));
  RETURN_IF_ERROR(ReadMetrics(schema, properties, options));
  RETURN_IF_ERROR(ReadColumns(schema, properties, options));
  RETURN_IF_ERROR(options.Validate());
  return options;
}

}  // namespace sluice::iceberg
