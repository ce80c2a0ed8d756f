// SPDX-License-Identifier: Apache-2.0
#include "query/protocol.h"

#include <type_traits>
#include <utility>

#include "base/bytes.h"

namespace sluice::query {
namespace {

using base::AppendLittle;
using base::ByteReader;

Error Damaged(std::string_view what) { return Error{ErrorCode::kCorruption, "a damaged " + std::string(what) + " message", ""}; }

void PutText(std::string& to, std::string_view text) {
  AppendLittle(to, static_cast<uint32_t>(text.size()));
  to += text;
}
std::string GetText(ByteReader& from) { return std::string(from.GetBytes(from.Get<uint32_t>())); }

void PutDouble(std::string& to, double value) { AppendLittle(to, std::bit_cast<uint64_t>(value)); }
double GetDouble(ByteReader& from) { return std::bit_cast<double>(from.Get<uint64_t>()); }

template <class T>
void PutOptional(std::string& to, const std::optional<T>& value) {
  AppendLittle<uint8_t>(to, value.has_value());
  AppendLittle(to, value.value_or(T{}));
}
template <class T>
std::optional<T> GetOptional(ByteReader& from) {
  bool has = from.Get<uint8_t>() != 0;
  T value = from.Get<T>();
  return has ? std::optional<T>(value) : std::nullopt;
}

// How many items follow, each at least `item_bytes` long: a count that cannot be true is damage, not an allocation.
bool GetCount(ByteReader& from, size_t item_bytes, uint32_t& count) {
  count = from.Get<uint32_t>();
  return from.ok() && count <= from.left() / item_bytes;
}

// Nothing is left over and nothing was missing.
bool Complete(const ByteReader& from) { return from.ok() && from.left() == 0; }

void PutParameter(std::string& to, const SqlParameter& value) {
  AppendLittle<uint8_t>(to, static_cast<uint8_t>(value.index()));
  if (auto* b = std::get_if<bool>(&value)) AppendLittle<uint8_t>(to, *b);
  if (auto* i = std::get_if<int64_t>(&value)) AppendLittle(to, *i);
  if (auto* d = std::get_if<double>(&value)) PutDouble(to, *d);
  if (auto* s = std::get_if<std::string>(&value)) PutText(to, *s);
}
bool GetParameter(ByteReader& from, SqlParameter& value) {
  switch (from.Get<uint8_t>()) {
    case 0: value = std::monostate{}; break;
    case 1: value = from.Get<uint8_t>() != 0; break;
    case 2: value = from.Get<int64_t>(); break;
    case 3: value = GetDouble(from); break;
    case 4: value = GetText(from); break;
    default: return false;
  }
  return from.ok();
}

void PutError(std::string& to, const QueryError& error) {
  AppendLittle(to, static_cast<uint8_t>(error.kind));
  PutText(to, error.message);
  PutOptional(to, error.position);
  PutText(to, error.hint);
}
bool GetError(ByteReader& from, QueryError& error) {
  auto kind = from.Get<uint8_t>();
  if (kind >= kQueryErrorKindCount) return false;
  error.kind = static_cast<QueryErrorKind>(kind);
  error.message = GetText(from);
  error.position = GetOptional<uint32_t>(from);
  error.hint = GetText(from);
  return from.ok();
}
void PutOptionalError(std::string& to, const std::optional<QueryError>& error) {
  AppendLittle<uint8_t>(to, error.has_value());
  if (error) PutError(to, *error);
}
bool GetOptionalError(ByteReader& from, std::optional<QueryError>& error) {
  if (from.Get<uint8_t>() == 0) return from.ok();
  return GetError(from, error.emplace());
}

void PutValue(std::string& to, const iceberg::Value& value) {
  AppendLittle<uint8_t>(to, static_cast<uint8_t>(value.index()));
  if (auto* b = std::get_if<bool>(&value)) AppendLittle<uint8_t>(to, *b);
  if (auto* i = std::get_if<int64_t>(&value)) AppendLittle(to, *i);
  if (auto* f = std::get_if<float>(&value)) AppendLittle(to, std::bit_cast<uint32_t>(*f));
  if (auto* d = std::get_if<double>(&value)) PutDouble(to, *d);
  if (auto* n = std::get_if<iceberg::Int128>(&value)) to.append(reinterpret_cast<const char*>(n), sizeof *n);
  if (auto* s = std::get_if<std::string>(&value)) PutText(to, *s);
}
bool GetValue(ByteReader& from, iceberg::Value& value) {
  switch (from.Get<uint8_t>()) {
    case 1: value = from.Get<uint8_t>() != 0; break;
    case 2: value = from.Get<int64_t>(); break;
    case 3: value = std::bit_cast<float>(from.Get<uint32_t>()); break;
    case 4: value = GetDouble(from); break;
    case 5: {
      iceberg::Int128 n = 0;
      auto bytes = from.GetBytes(sizeof n);
      if (!from.ok()) return false;
      std::memcpy(&n, bytes.data(), sizeof n);
      value = n;
      break;
    }
    case 6: value = GetText(from); break;
    default: return false;  // null is no operand
  }
  return from.ok();
}

}  // namespace

std::string Encode(const QueryMessage& message) {
  std::string out;
  PutText(out, message.sql);
  AppendLittle(out, static_cast<uint32_t>(message.parameters.size()));
  for (auto& p : message.parameters) PutParameter(out, p);
  return out;
}

Result<QueryMessage> DecodeQuery(std::string_view bytes) {
  ByteReader from(bytes);
  QueryMessage out;
  out.sql = GetText(from);
  uint32_t count = 0;
  if (!GetCount(from, 1, count)) return Damaged("query");
  out.parameters.resize(count);
  for (auto& p : out.parameters)
    if (!GetParameter(from, p)) return Damaged("query");
  if (!Complete(from)) return Damaged("query");
  return out;
}

std::string Encode(const std::vector<TableName>& tables) {
  std::string out;
  AppendLittle(out, static_cast<uint32_t>(tables.size()));
  for (auto& t : tables) {
    PutText(out, t.schema);
    PutText(out, t.name);
  }
  return out;
}

Result<std::vector<TableName>> DecodeTables(std::string_view bytes) {
  ByteReader from(bytes);
  uint32_t count = 0;
  if (!GetCount(from, 2 * sizeof(uint32_t), count)) return Damaged("tables");
  std::vector<TableName> out(count);
  for (auto& t : out) {
    t.schema = GetText(from);
    t.name = GetText(from);
  }
  if (!Complete(from)) return Damaged("tables");
  return out;
}

std::string Encode(const BindMessage& message) {
  std::string out;
  PutText(out, message.schema);
  PutText(out, message.name);
  uint8_t kind = !message.version ? 0 : message.version->index() == 0 ? 1 : 2;
  AppendLittle(out, kind);
  AppendLittle(out, kind == 0 ? int64_t{0} : kind == 1 ? std::get<int64_t>(*message.version) : std::get<Timestamp>(*message.version).us);
  return out;
}

Result<BindMessage> DecodeBind(std::string_view bytes) {
  ByteReader from(bytes);
  BindMessage out;
  out.schema = GetText(from);
  out.name = GetText(from);
  auto kind = from.Get<uint8_t>();
  auto number = from.Get<int64_t>();
  if (!Complete(from) || kind > 2) return Damaged("bind");
  if (kind == 1) out.version = number;
  if (kind == 2) out.version = Timestamp{number};
  return out;
}

std::string Encode(const BoundMessage& message) {
  std::string out;
  AppendLittle(out, static_cast<uint8_t>(message.status));
  if (message.status == BoundStatus::kFailed) PutError(out, message.error);
  if (message.status != BoundStatus::kFound) return out;
  auto& table = message.table;
  AppendLittle(out, table.handle);
  AppendLittle(out, static_cast<uint8_t>(table.part));
  PutOptional(out, table.rows);
  PutText(out, table.columns.empty() ? "" : iceberg::SchemaToJson(iceberg::TableSchema{0, table.columns, {}}).Dump());
  AppendLittle(out, static_cast<uint32_t>(table.aliases.size()));
  for (auto& a : table.aliases) {
    PutText(out, a.name);
    AppendLittle(out, static_cast<uint32_t>(a.column));
  }
  PutText(out, table.metadata_stream);
  return out;
}

Result<BoundMessage> DecodeBound(std::string_view bytes) {
  ByteReader from(bytes);
  BoundMessage out;
  auto status = from.Get<uint8_t>();
  if (status > static_cast<uint8_t>(BoundStatus::kFailed)) return Damaged("bound");
  out.status = static_cast<BoundStatus>(status);
  if (out.status == BoundStatus::kFailed && !GetError(from, out.error)) return Damaged("bound");
  if (out.status != BoundStatus::kFound) return Complete(from) ? Result<BoundMessage>(std::move(out)) : Damaged("bound");
  auto& table = out.table;
  table.handle = from.Get<uint32_t>();
  auto part = from.Get<uint8_t>();
  if (part >= kTablePartCount) return Damaged("bound");
  table.part = static_cast<TablePart>(part);
  table.rows = GetOptional<int64_t>(from);
  if (auto json = GetText(from); !json.empty()) {
    ASSIGN_OR_RETURN(auto parsed, Json::Parse(json));
    ASSIGN_OR_RETURN(auto schema, iceberg::SchemaFromJson(parsed));
    table.columns = std::move(schema.fields);
  }
  uint32_t count = 0;
  if (!GetCount(from, 2 * sizeof(uint32_t), count)) return Damaged("bound");
  table.aliases.resize(count);
  for (auto& a : table.aliases) {
    a.name = GetText(from);
    a.column = from.Get<uint32_t>();
    if (a.column >= table.columns.size()) return Damaged("bound");
  }
  table.metadata_stream = GetText(from);
  if (!Complete(from)) return Damaged("bound");
  return out;
}

std::string Encode(const ScanMessage& message) {
  std::string out;
  AppendLittle(out, message.handle);
  AppendLittle(out, static_cast<uint32_t>(message.filters.size()));
  for (auto& f : message.filters) {
    AppendLittle(out, f.field_id);
    AppendLittle(out, static_cast<uint8_t>(f.op));
    AppendLittle(out, static_cast<uint32_t>(f.values.size()));
    for (auto& v : f.values) PutValue(out, v);
  }
  return out;
}

Result<ScanMessage> DecodeScan(std::string_view bytes) {
  ByteReader from(bytes);
  ScanMessage out;
  out.handle = from.Get<uint32_t>();
  uint32_t count = 0;
  if (!GetCount(from, 9, count) || count > kScanFiltersMax) return Damaged("scan");
  out.filters.resize(count);
  for (auto& f : out.filters) {
    f.field_id = from.Get<int32_t>();
    auto op = from.Get<uint8_t>();
    uint32_t values = 0;
    if (op >= iceberg::kFilterOpCount || !GetCount(from, 2, values) || values > kFilterValuesMax) return Damaged("scan");
    f.op = static_cast<iceberg::FilterOp>(op);
    bool comparison = f.op < iceberg::FilterOp::kIn;
    if (comparison ? values != 1 : f.op != iceberg::FilterOp::kIn && values != 0) return Damaged("scan");
    f.values.resize(values);
    for (auto& v : f.values)
      if (!GetValue(from, v)) return Damaged("scan");
  }
  if (!Complete(from)) return Damaged("scan");
  return out;
}

std::string Encode(const ScannedMessage& message) {
  std::string out;
  AppendLittle<uint8_t>(out, message.more);
  PutOptionalError(out, message.error);
  AppendLittle(out, static_cast<uint32_t>(message.files.size()));
  for (auto& f : message.files) {
    AppendLittle(out, f.id);
    AppendLittle<uint8_t>(out, f.hot);
    AppendLittle(out, f.bytes);
    AppendLittle(out, f.rows);
    AppendLittle(out, f.footer_bytes);
    AppendLittle(out, f.begin);
    AppendLittle(out, f.end);
    AppendLittle(out, static_cast<uint32_t>(f.deleted_rows.size()));
    out.append(reinterpret_cast<const char*>(f.deleted_rows.data()), f.deleted_rows.size() * sizeof(int64_t));
  }
  return out;
}

Result<ScannedMessage> DecodeScanned(std::string_view bytes) {
  ByteReader from(bytes);
  ScannedMessage out;
  out.more = from.Get<uint8_t>() != 0;
  uint32_t count = 0;
  if (!GetOptionalError(from, out.error)) return Damaged("scanned");
  if (!GetCount(from, 41, count)) return Damaged("scanned");
  out.files.resize(count);
  for (auto& f : out.files) {
    f.id = from.Get<uint64_t>();
    f.hot = from.Get<uint8_t>() != 0;
    f.bytes = from.Get<uint64_t>();
    f.rows = from.Get<int64_t>();
    f.footer_bytes = from.Get<uint32_t>();
    f.begin = from.Get<uint32_t>();
    f.end = from.Get<uint32_t>();
    uint32_t deleted = 0;
    if (!GetCount(from, sizeof(int64_t), deleted)) return Damaged("scanned");
    auto positions = from.GetBytes(deleted * sizeof(int64_t));
    f.deleted_rows.resize(deleted);
    if (deleted != 0) std::memcpy(f.deleted_rows.data(), positions.data(), positions.size());
  }
  if (!Complete(from)) return Damaged("scanned");
  return out;
}

std::string Encode(const std::optional<QueryError>& error) {
  std::string out;
  PutOptionalError(out, error);
  return out;
}

Result<std::optional<QueryError>> DecodeOpened(std::string_view bytes) {
  ByteReader from(bytes);
  std::optional<QueryError> out;
  if (!GetOptionalError(from, out) || !Complete(from)) return Damaged("opened");
  return out;
}

std::string EncodeNumber(uint64_t n) {
  std::string out;
  AppendLittle(out, n);
  return out;
}

Result<uint64_t> DecodeNumber(std::string_view bytes) {
  ByteReader from(bytes);
  auto n = from.Get<uint64_t>();
  if (!Complete(from)) return Damaged("number");
  return n;
}

std::string Encode(const DoneMessage& message) {
  std::string out;
  PutOptionalError(out, message.error);
  AppendLittle<uint8_t>(out, message.discard);
  AppendLittle(out, message.rows);
  AppendLittle(out, message.mapped_bytes);
  AppendLittle<uint8_t>(out, message.damaged_file.has_value());
  AppendLittle(out, message.damaged_file.value_or(0));
  return out;
}

Result<DoneMessage> DecodeDone(std::string_view bytes) {
  ByteReader from(bytes);
  DoneMessage out;
  if (!GetOptionalError(from, out.error)) return Damaged("done");
  out.discard = from.Get<uint8_t>() != 0;
  out.rows = from.Get<int64_t>();
  out.mapped_bytes = from.Get<uint64_t>();
  const bool is_damaged = from.Get<uint8_t>() != 0;
  const auto file = from.Get<uint64_t>();
  if (is_damaged) out.damaged_file = file;
  if (!Complete(from)) return Damaged("done");
  return out;
}

}  // namespace sluice::query
