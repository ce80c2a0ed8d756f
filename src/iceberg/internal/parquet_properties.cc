// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/parquet_properties.h"

#include <parquet/schema.h>

#include <algorithm>
#include <unordered_set>

namespace sluice::iceberg::internal {

namespace {

namespace pq = ::parquet;

pq::Compression::type CodecOf(Compression compression) {
  switch (compression) {
    case Compression::kNone: return pq::Compression::UNCOMPRESSED;
    case Compression::kSnappy: return pq::Compression::SNAPPY;
    case Compression::kGzip: return pq::Compression::GZIP;
    case Compression::kZstd: return pq::Compression::ZSTD;
  }
  return pq::Compression::UNCOMPRESSED;
}

// Whether values repeat in a sample spread over `rows`.
Result<bool> Repeats(LeafPath& path, LeafPath::Rows rows) {
  std::unordered_set<std::string_view> distinct;
  distinct.reserve(static_cast<size_t>(kDictionarySample));
  int64_t step = std::max<int64_t>(1, rows.count / kDictionarySample), sampled = 0, long_values = 0;
  for (int64_t row = 0; row < rows.count; row += step) {
    ASSIGN_OR_RETURN(LevelRun run, path.Fill(rows.Part(row, 1)));
    if (run.values.empty()) continue;
    std::string_view value = path.leaf().AnyBytes(run.values[0]);
    if (static_cast<int64_t>(value.size()) > kDictionaryValueBytesMax) {
      long_values++;
    } else {
      distinct.insert(value);
    }
    sampled++;
  }
  return static_cast<double>(distinct.size()) + static_cast<double>(long_values) < static_cast<double>(sampled) * kDictionaryDistinctShareMax;
}

bool CanBeDelta(pq::Type::type type) { return type == pq::Type::INT32 || type == pq::Type::INT64; }

Result<bool> UsesDictionary(DictionaryUse use, LeafPath& path, LeafPath::Rows rows) {
  if (path.leaf().layout() == Layout::kBits || path.leaf().layout() == Layout::kNull) return false;
  if (use != DictionaryUse::kAuto) return use == DictionaryUse::kOn;
  return Repeats(path, rows);
}

Result<void> SetColumn(pq::WriterProperties::Builder& builder, const ColumnOptions& options, const pq::ColumnDescriptor& descriptor,
                       LeafPath& path, LeafPath::Rows rows) {
  const std::string name = descriptor.path()->ToDotString();
  bool delta = options.delta && CanBeDelta(descriptor.physical_type());
  bool dictionary = false;
  if (!delta) {
    ASSIGN_OR_RETURN(dictionary, UsesDictionary(options.dictionary, path, rows));
  }
  if (delta) builder.encoding(name, pq::Encoding::DELTA_BINARY_PACKED);
  if (!dictionary) builder.disable_dictionary(name);
  if (!options.statistics) builder.disable_statistics(name);
  if (options.bloom_filter && descriptor.physical_type() != pq::Type::BOOLEAN) {
    pq::BloomFilterOptions bloom;
    bloom.fpp = options.bloom_filter_fpp;
    builder.enable_bloom_filter(name, bloom);
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<pq::WriterProperties>> MakeWriterProperties(const DataFileOptions& options, const pq::SchemaDescriptor& root,
                                                                   std::span<LeafPath> paths, LeafPath::Rows rows, ::arrow::MemoryPool* pool) {
  pq::WriterProperties::Builder builder;
  if (pool != nullptr) builder.memory_pool(pool);
  builder.compression(CodecOf(options.compression));
  if (options.compression == Compression::kZstd || options.compression == Compression::kGzip) builder.compression_level(options.compression_level);
  builder.max_row_group_length(options.row_group_rows_max)
      ->data_pagesize(options.page_bytes)
      ->max_rows_per_page(options.page_rows_max)
      ->dictionary_pagesize_limit(options.dictionary_bytes_max)
      ->write_batch_size(static_cast<int64_t>(kRunLevels))
      ->enable_store_decimal_as_integer()
      ->enable_page_checksum();
  for (int i = 0; i < root.num_columns(); i++) {
    auto& path = paths[static_cast<size_t>(i)];
    RETURN_IF_ERROR(SetColumn(builder, options.column(path.field().id), *root.Column(i), path, rows));
  }
  return builder.build();
}

}  // namespace sluice::iceberg::internal
