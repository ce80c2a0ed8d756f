// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_check.h"

#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <string>

#include "base/check.h"
#include "iceberg/internal/arrow_streams.h"

namespace sluice::iceberg {
namespace {

namespace pq = ::parquet;

// Throws what the library throws.
void ReadPages(pq::ParquetFileReader& reader, int group, int column) {
  auto pages = reader.RowGroup(group)->GetColumnPageReader(column);
  while (pages->NextPage() != nullptr) continue;
}

int64_t BeginOf(const pq::ColumnChunkMetaData& chunk) {
  return chunk.has_dictionary_page() ? std::min(chunk.dictionary_page_offset(), chunk.data_page_offset()) : chunk.data_page_offset();
}

Error Damaged(const std::string& what) { return {ErrorCode::kCorruption, what, {}}; }

// `where` is kept up to date for whoever catches what is thrown.
int64_t ReadAll(const std::shared_ptr<internal::ObjectInputFile>& stream, std::string& where) {
  pq::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  where = "the footer";
  auto reader = pq::ParquetFileReader::Open(stream, properties);
  auto metadata = reader->metadata();
  for (int group = 0; group < metadata->num_row_groups(); group++) {
    for (int column = 0; column < metadata->num_columns(); column++) {
      where = "row group " + std::to_string(group) + ", column " + metadata->schema()->Column(column)->path()->ToDotString();
      where += ", at byte " + std::to_string(BeginOf(*metadata->RowGroup(group)->ColumnChunk(column)));
      ReadPages(*reader, group, column);
    }
  }
  return metadata->num_rows();
}

}  // namespace

Result<int64_t> CheckDataFile(std::unique_ptr<io::ObjectReader> object) {
  auto stream = std::make_shared<internal::ObjectInputFile>(*object);
  std::string where;
  try {
    return ReadAll(stream, where);
  } catch (const std::bad_alloc&) { CHECK(false, "out of memory while checking a data file"); } catch (const std::exception& error) {
    if (stream->error().has_value()) return *stream->error();
    return Damaged("damaged in " + where + ": " + error.what());
  }
}

}  // namespace sluice::iceberg
