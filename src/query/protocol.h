// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the server and a SQL worker say to each other over one Unix stream socket.
//
//   server -> worker   kQuery  kTables  kBound  kScanned  kOpened  kCredit  kCancel  kTrim
//   worker -> server   kReady  kList    kBind   kScan     kOpen    kResult  kDone
//
//   kQuery ──▶ (kList ▷ kTables | kBind ▷ kBound)...      names become tables of the statement's read view
//              (kScan ▷ kScanned...)...                   filters go, pruned files and chunks come
//              (kOpen ▷ kOpened + descriptor)...          when a file is first read
//              kResult ◁▷ kCredit ...                     an Arrow IPC stream in pieces, kResultWindowBytes of it on the way
//          ◀── kDone
//
// A frame = [FrameHeader 16 bytes][payload]; a descriptor rides on the first byte of its frame (SCM_RIGHTS). One statement at a time; a
// request is answered before the next is sent. The server does not trust the worker: everything decoded here is checked.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/read_view.h"
#include "query/sql.h"

namespace sluice::query {

enum class MessageType : uint16_t {
  kReady = 1,
  kQuery,
  kList,
  kTables,
  kBind,
  kBound,
  kScan,
  kScanned,
  kOpen,
  kOpened,
  kResult,
  kCredit,
  kCancel,
  kDone,
  kTrim,
};

inline constexpr size_t kFrameBytesMax = size_t{64} << 20;       // a longer frame is a broken peer
inline constexpr int64_t kResultWindowBytes = int64_t{4} << 20;  // sent and not yet credited
inline constexpr int64_t kResultBatchRowsMax = 65'536;           // more rows than a worker puts into an Arrow batch
inline constexpr size_t kResultFrameBytes = size_t{256} << 10;
inline constexpr size_t kFilterValuesMax = 10'000;  // longer IN lists are not sent
inline constexpr size_t kScanFiltersMax = 256;
// One kScanned frame; more files come in further ones.
inline constexpr size_t kScannedFrameFiles = 2'000;
inline constexpr size_t kScannedFrameDeletes = 1'000'000;
inline constexpr size_t kDeletedRowsMax = 4'000'000;  // of one file

struct FrameHeader {
  uint32_t bytes;  // of the payload
  MessageType type;
  uint16_t descriptors;  // 0 or 1
  uint64_t statement;
};
static_assert(sizeof(FrameHeader) == 16);

// ---- payloads. Encode is total; Decode answers kCorruption for what is not of that shape. ----

struct QueryMessage {
  std::string sql;
  std::vector<SqlParameter> parameters;
};
std::string Encode(const QueryMessage& message);
Result<QueryMessage> DecodeQuery(std::string_view bytes);

std::string Encode(const std::vector<TableName>& tables);
Result<std::vector<TableName>> DecodeTables(std::string_view bytes);

struct BindMessage {
  std::string schema, name;  // as written, with suffix
  std::optional<VersionRequest> version;
};
std::string Encode(const BindMessage& message);
Result<BindMessage> DecodeBind(std::string_view bytes);

// The answer to kBind, and what a worker knows of a table.
struct BoundTable {
  uint32_t handle = 0;  // names the table in kScan; small, from 0
  TablePart part = TablePart::kAll;
  std::vector<iceberg::NestedField> columns;
  std::vector<ColumnAlias> aliases;
  std::optional<int64_t> rows;  // exact
  std::string metadata_stream;  // kSnapshots, kFiles: an Arrow IPC stream; columns and aliases are empty
};
enum class BoundStatus : uint8_t { kFound, kMissing, kFailed };
struct BoundMessage {
  BoundStatus status = BoundStatus::kMissing;
  BoundTable table;  // kFound
  QueryError error;  // kFailed
};
std::string Encode(const BoundMessage& message);
Result<BoundMessage> DecodeBound(std::string_view bytes);

struct ScanMessage {
  uint32_t handle = 0;
  std::vector<iceberg::ColumnFilter> filters;
};
std::string Encode(const ScanMessage& message);
Result<ScanMessage> DecodeScan(std::string_view bytes);

// A file or chunk that the worker may open by its number.
struct ScannedFile {
  uint64_t id = 0;  // unique in the worker's life for chunks and files alike: a chunk keeps its id, files get theirs from the server
  bool hot = false;
  uint64_t bytes = 0;
  int64_t rows = 0;
  uint32_t footer_bytes = 0;          // cold
  uint32_t begin = 0, end = 0;        // hot: rows
  std::vector<int64_t> deleted_rows;  // cold
};
struct ScannedMessage {
  bool more = false;  // another kScanned follows
  std::optional<QueryError> error;
  std::vector<ScannedFile> files;
};
std::string Encode(const ScannedMessage& message);
Result<ScannedMessage> DecodeScanned(std::string_view bytes);

// kOpened: nothing and a descriptor, or the reason why there is none.
std::string Encode(const std::optional<QueryError>& error);
Result<std::optional<QueryError>> DecodeOpened(std::string_view bytes);

// kOpen: the file's id. kCredit: bytes.
std::string EncodeNumber(uint64_t n);
Result<uint64_t> DecodeNumber(std::string_view bytes);

struct DoneMessage {
  std::optional<QueryError> error;
  bool discard = false;  // the worker asks to be replaced
  int64_t rows = 0;
  uint64_t mapped_bytes = 0;  // of hot chunks that stay mapped between statements
  std::optional<uint64_t> damaged_file;  // the error is that its bytes are not those that were written
};
std::string Encode(const DoneMessage& message);
Result<DoneMessage> DecodeDone(std::string_view bytes);

}  // namespace sluice::query
