// SPDX-License-Identifier: Apache-2.0
#include "query/worker/error_from_duck.h"

#include <cctype>
#include <charconv>

#include "base/json.h"
#include "query/worker/lake_context.h"

namespace sluice::query {
namespace {

using duckdb::ExceptionType;

constexpr const char* kReadLess = "let it hold less: a filter, fewer columns, an aggregate; a server can give more (sql.worker_bytes_max)";

QueryErrorKind KindOf(ExceptionType type) {
  switch (type) {
    case ExceptionType::PARSER:
    case ExceptionType::SYNTAX: return QueryErrorKind::kSyntax;
    case ExceptionType::CATALOG: return QueryErrorKind::kUnknownName;
    case ExceptionType::PERMISSION: return QueryErrorKind::kForbidden;
    case ExceptionType::OUT_OF_MEMORY:
    case ExceptionType::OBJECT_SIZE: return QueryErrorKind::kOutOfMemory;
    case ExceptionType::INTERRUPT: return QueryErrorKind::kCancelled;
    case ExceptionType::IO:
    case ExceptionType::HTTP:
    case ExceptionType::NETWORK: return QueryErrorKind::kUnavailable;
    case ExceptionType::INTERNAL:
    case ExceptionType::FATAL:
    case ExceptionType::NULL_POINTER:
    case ExceptionType::UNKNOWN_TYPE: return QueryErrorKind::kInternal;
    default: return QueryErrorKind::kInvalid;
  }
}

// Everything from `marker` on goes; returned without the marker's leading line breaks.
std::string CutFrom(std::string& text, std::string_view marker) {
  auto at = text.find(marker);
  if (at == std::string::npos) return {};
  auto tail = text.substr(at);
  text.resize(at);
  tail.erase(0, tail.find_first_not_of('\n'));
  return tail;
}

void Trim(std::string& text) {
  while (!text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0 || text.back() == '.')) text.pop_back();
}

void HidePaths(std::string& text, std::string_view scheme) {
  for (size_t at = text.find(scheme); at != std::string::npos; at = text.find(scheme, at)) {
    size_t end = at;
    while (end < text.size() && std::isspace(static_cast<unsigned char>(text[end])) == 0 && text[end] != '"' && text[end] != '\'') end++;
    text.replace(at, end - at, "a file");
  }
}

// With errors_as_json (the one way to get a position instead of a picture) the message is a JSON object.
std::string TextOf(const duckdb::ErrorData& error) {
  auto& raw = error.RawMessage();
  if (!raw.starts_with('{')) return raw;
  auto json = Json::Parse(raw);
  return json.ok() && (*json)["exception_message"].is_string() ? (*json)["exception_message"].AsString() : raw;
}

// A column of a table that has an alias comes without the subtype.
bool NamesNothing(const duckdb::ErrorData& error) {
  if (error.Type() == ExceptionType::BINDER && TextOf(error).find("does not have a column named") != std::string::npos) return true;
  auto subtype = error.ExtraInfo().find("error_subtype");
  return subtype != error.ExtraInfo().end() && (subtype->second == "MISSING_ENTRY" || subtype->second == "COLUMN_NOT_FOUND");
}

// A function that was dropped from the catalog is not simply unknown: DuckDB still finds it as the nearest name.
std::string NameOfDropped(const QueryError& error) {
  constexpr std::string_view kBefore = "Function with name ", kBehind = " does not exist";
  auto at = error.message.find(kBefore), end = error.message.find(kBehind);
  if (at == std::string::npos || end == std::string::npos || end <= at + kBefore.size()) return {};
  at += kBefore.size();
  auto name = error.message.substr(at, end - at);
  return error.hint.find("\"main." + name + "\"") == std::string::npos ? std::string() : name;
}

// DuckDB counts bytes from 0; people and PostgreSQL clients count characters from 1.
std::optional<uint32_t> PositionOf(const duckdb::ErrorData& error, const std::string& sql) {
  auto found = error.ExtraInfo().find("position");
  uint32_t byte = 0;
  if (found == error.ExtraInfo().end() ||
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), byte).ec != std::errc())
    return std::nullopt;
  if (byte > sql.size()) return std::nullopt;
  uint32_t position = 1;
  for (uint32_t i = 0; i < byte; i++) position += (static_cast<unsigned char>(sql[i]) & 0xC0) != 0x80;
  return position;
}

}  // namespace

QueryError ToQueryError(const duckdb::ErrorData& error, const std::string& sql) {
  QueryError out;
  out.kind = NamesNothing(error) ? QueryErrorKind::kUnknownName : KindOf(error.Type());
  out.message = TextOf(error);
  CutFrom(out.message, "\nStack Trace");
  if (out.kind == QueryErrorKind::kOutOfMemory) {  // what DuckDB advises are settings, which a statement cannot reach
    CutFrom(out.message, "\nPossible solutions");
    CutFrom(out.message, "\nSee also");
    out.hint = kReadLess;
  }
  for (auto* marker : {"\nDid you mean", "\nCandidate bindings", "\nCandidate functions", "\n\tCandidate functions", " Did you mean"})
    if (out.hint.empty()) out.hint = CutFrom(out.message, marker);
  for (auto* text : {&out.message, &out.hint}) {
    for (auto scheme : {kFileScheme, kSpillScheme}) HidePaths(*text, scheme);
    Trim(*text);
  }
  if (auto twice = out.hint.find(": : "); twice != std::string::npos) out.hint.erase(twice, 2);
  auto first = out.hint.find_first_not_of(" \t");
  out.hint.erase(0, first == std::string::npos ? out.hint.size() : first);
  if (auto dropped = NameOfDropped(out); !dropped.empty()) {
    out.kind = QueryErrorKind::kForbidden;
    out.message = "the function \"" + dropped + "\" is not allowed";
    out.hint = "statements read tables; they reach no file, no setting and no other server";
  }
  if (out.message.find("is not in the catalog, but it exists in the") != std::string::npos) {  // FROM 'x.parquet'
    out.kind = QueryErrorKind::kForbidden;
    out.message = "files cannot be read by name";
    out.hint = "SHOW TABLES lists what can be read";
  }
  // The nearest name among tables that nobody made is no help.
  if (out.hint.starts_with("Did you mean \"pg_catalog.") || out.hint.starts_with("Did you mean \"information_schema.")) out.hint.clear();
  if (out.message.empty()) out.message = "the statement failed";
  out.position = PositionOf(error, sql);
  return out;
}

bool MustDiscard(const duckdb::ErrorData& error) {
  switch (KindOf(error.Type())) {
    case QueryErrorKind::kOutOfMemory:
    case QueryErrorKind::kUnavailable:
    case QueryErrorKind::kCancelled:
    case QueryErrorKind::kInternal: return true;
    default: return false;
  }
}

}  // namespace sluice::query
