// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Read view: what one statement sees of every table, from its first name to its last row.
//
//   table = [data files of one snapshot] + [hot rows behind it]      no gap, no row twice
//
// Made by the owner of the tables, asked by query/. Immutable: two scans of one table in one statement get the same rows,
// whatever is tiered, compacted or expired meanwhile, and whatever is pruned only leaves out rows that no filter wants.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/columns.h"
#include "base/result.h"
#include "base/time.h"
#include "iceberg/column_filter.h"
#include "iceberg/schema.h"
#include "log/types.h"

namespace sluice::query {

// What of a table a name stands for: bronze.events, events__hot, events__lake, events__snapshots, events__files.
enum class TablePart : uint8_t { kAll, kHot, kLake, kSnapshots, kFiles };
inline constexpr uint8_t kTablePartCount = 5;

// AT (VERSION => n) and AT (TIMESTAMP => t).
using VersionRequest = std::variant<int64_t, Timestamp>;  // snapshot id; a point in time

// A second name of a column; `SELECT *` does not show it.
struct ColumnAlias {
  std::string name;
  size_t column;  // index into TableInfo::columns
};

struct TableInfo {
  std::string schema;  // "bronze"
  std::string name;    // "events"
  std::vector<iceberg::NestedField> columns;
  std::vector<ColumnAlias> aliases;
  // Exact row counts after all deletes, from which count(*) is answered; nothing: not known without reading.
  std::optional<int64_t> lake_rows;
  int64_t hot_rows = 0;
};

struct TableFreshness {
  std::optional<int64_t> snapshot_id;  // nothing: no snapshot yet
  // The first offset behind the view (hot rows included), for each partition that has rows.
  std::vector<std::pair<log::LogPartition, log::Offset>> next_offsets;
  std::optional<Timestamp> watermark;
};

// A Parquet file. It is opened (io::ObjectStore) only when a worker starts to read it.
struct ViewFile {
  std::string uri;
  uint64_t bytes = 0;
  int64_t rows = 0;           // before deletes
  uint32_t footer_bytes = 0;  // length of the metadata before the last 8 bytes; 0: not known
  // Positions of deleted rows, ascending; null: none.
  std::shared_ptr<const std::vector<int64_t>> deleted_rows;
};

// Rows [begin, end) of a hot chunk (table/hot_chunk_format.h).
struct ViewChunk {
  uint64_t id = 0;      // never used again for other bytes
  int descriptor = -1;  // read-only; valid while `owner` lives
  uint64_t bytes = 0;   // of the whole chunk
  uint32_t begin = 0;
  uint32_t end = 0;
  std::shared_ptr<const void> owner;    // keeps the chunk from being recycled
  std::function<Result<void>()> check;  // before its bytes are read: whether they are what was written; null: nothing to look at
};

struct TableScan {
  std::vector<ViewFile> files;
  std::vector<ViewChunk> chunks;
  // What the filters excluded.
  int64_t files_pruned = 0;
  uint64_t bytes_pruned = 0;
  int64_t chunks_pruned = 0;
};

// One table of a view. Immutable, thread-safe; lives as long as its view.
class ViewTable {
 public:
  virtual ~ViewTable() = default;
  virtual const TableInfo& info() const = 0;
  virtual TableFreshness freshness() const = 0;

  // Files and chunks of `part` (kAll, kHot, kLake) that may hold rows for which all filters are true. May read manifests.
  // kUnavailable, kIo, kCorruption: of the store. kInvalid: something in the snapshot cannot be read here (equality deletes).
  virtual Result<TableScan> Scan(TablePart part, std::span<const iceberg::ColumnFilter> filters) const = 0;

  // The table as an older snapshot left it, without hot rows. kNotFound: there is no such snapshot (any more).
  virtual Result<std::shared_ptr<const ViewTable>> At(const VersionRequest& version) const = 0;

  // The rows of kSnapshots or kFiles: one batch with its column names. At most kMetadataBytesMax.
  virtual Result<Columns> MetadataRows(TablePart part) const = 0;
};
// Bytes of the rows of a metadata table; beyond them the statement fails with kExhausted.
inline constexpr size_t kMetadataBytesMax = size_t{48} << 20;

struct TableName {
  std::string schema;
  std::string name;
};

// Immutable, thread-safe. Tables may be resolved lazily, but as of the moment when the view was made.
class ReadView {
 public:
  virtual ~ReadView() = default;
  // Names as they stand in the catalog; compared without case. kNotFound: no such table. The pointer lives as long as this.
  virtual Result<const ViewTable*> FindTable(std::string_view schema, std::string_view name) const = 0;
  // FindTable is kUnavailable only because the table's rows are still on their way from the log: a later view has them.
  virtual bool IsLoading(std::string_view /*schema*/, std::string_view /*name*/) const { return false; }
  // For SHOW TABLES and "did you mean".
  virtual std::vector<TableName> ListTables() const = 0;
};

// Thread-safe.
class ReadViewSource {
 public:
  virtual ~ReadViewSource() = default;
  // A view of now. Cheap: called once a statement. kUnavailable: not now (starting, stopping).
  virtual Result<std::shared_ptr<const ReadView>> NewView() = 0;
  // ReadView::IsLoading, of now. Cheap.
  virtual bool IsLoading(std::string_view /*schema*/, std::string_view /*name*/) { return false; }
};

// "events__hot" and "events$hot" -> ("events", kHot); a name without suffix is kAll.
std::pair<std::string, TablePart> SplitTableName(std::string_view name);

}  // namespace sluice::query
