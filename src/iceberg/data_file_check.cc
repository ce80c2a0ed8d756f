// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_check.h"

#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <string>

#include "base/check.h"
#include "iceberg/data_file_seal.h"
#include "iceberg/internal/arrow_streams.h"

namespace sluice::iceberg {
namespace {

namespace pq = ::parquet;

constexpr size_t kReadBytes = 1 << 20;

// Throws what the library throws.
void ReadPages(pq::ParquetFileReader& reader, int group, int column) {
  auto pages = reader.RowGroup(group)->GetColumnPageReader(column);
  while (pages->NextPage() != nullptr) continue;
}

int64_t BeginOf(const pq::ColumnChunkMetaData& chunk) {
  return chunk.has_dictionary_page() ? std::min(chunk.dictionary_page_offset(), chunk.data_page_offset()) : chunk.data_page_offset();
}

Error Damaged(const std::string& what) { return {ErrorCode::kCorruption, what, {}}; }

// Every byte, through the reader that compares them.
Result<void> ReadBytes(io::ObjectReader& object) {
  std::string space(kReadBytes, '\0');
  for (uint64_t at = 0; at < object.size();) {
    ASSIGN_OR_RETURN(const size_t read, object.Read(at, space));
    if (read == 0) return Damaged("shorter than it was");
    at += read;
  }
  return {};
}

// `where` is kept up to date for whoever catches what is thrown.
int64_t ReadPages(const std::shared_ptr<internal::ObjectInputFile>& stream, bool sealed, std::string& where) {
  pq::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  where = "the footer";
  auto reader = pq::ParquetFileReader::Open(stream, properties);
  auto metadata = reader->metadata();
  if (sealed) return metadata->num_rows();
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
  bool sealed = false;
  auto verified = VerifySeal(std::move(object), &sealed);
  if (verified.ok() && sealed) {
    if (auto read = ReadBytes(**verified); !read.ok()) verified = read.error();
  }
  if (!verified.ok()) return verified.error().code == ErrorCode::kCorruption ? Damaged("damaged: " + verified.error().message) : verified.error();
  auto stream = std::make_shared<internal::ObjectInputFile>(**verified);
  std::string where;
  try {
    return ReadPages(stream, sealed, where);
  } catch (const std::bad_alloc&) { CHECK(false, "out of memory while checking a data file"); } catch (const std::exception& error) {
    if (stream->error().has_value()) return *stream->error();
    return Damaged("damaged in " + where + ": " + error.what());
  }
}

}  // namespace sluice::iceberg
