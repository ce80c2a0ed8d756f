// SPDX-License-Identifier: Apache-2.0
#include "sim/event_spec.h"

#include "base/json.h"
#include "base/time.h"
#include "query/value_text.h"
#include "table/event_schema.h"

namespace sluice::sim {
namespace {

using table::EventColumn;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

// Which column an optional attribute has; nothing: it is an extension.
std::optional<EventColumn> ColumnOf(std::string_view attribute) {
  if (attribute == "schemaversion") return EventColumn::kSchemaVersion;
  for (auto& column : table::EventColumns())
    if (column.attribute && column.name == attribute) return column.column;
  return std::nullopt;
}

std::string Base64(std::string_view bytes) {
  std::string out;
  query::AppendBase64(bytes, out);
  return out;
}

// As the HTTP binding wants header values: what is not plain is percent-encoded.
std::string HeaderValue(std::string_view text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (c > 0x20 && c < 0x7f && c != '"' && c != '%') out += static_cast<char>(c);
    else out.append({'%', kDigits[c >> 4], kDigits[c & 15]});
  }
  return out;
}

}  // namespace

bool IsDecidedByServer(EventColumn column) {
  switch (column) {
    case EventColumn::kSchemaId:
    case EventColumn::kTenant:
    case EventColumn::kIngestedAt:
    case EventColumn::kIsLateArrival:
    case EventColumn::kLogPartition:
    case EventColumn::kLogOffset:
    case EventColumn::kProducer: return true;
    default: return false;
  }
}

std::string EventSpec::ToJson() const {
  std::string out = "{\"specversion\":\"1.0\",\"id\":" + Quoted(id) + ",\"source\":" + Quoted(source) + ",\"type\":" + Quoted(type);
  if (time_us) out += ",\"time\":" + Quoted(base::FormatRfc3339(Timestamp{*time_us}));
  for (auto& [name, value] : attributes) out += "," + Quoted(name) + ":" + Quoted(value);
  if (!binary.empty()) out += ",\"data_base64\":" + Quoted(Base64(binary));
  else if (!data.empty()) out += ",\"data\":" + data;
  return out + "}";
}

std::vector<std::pair<std::string, std::string>> EventSpec::ToHeaders() const {
  std::vector<std::pair<std::string, std::string>> out = {
      {"ce-specversion", "1.0"}, {"ce-id", HeaderValue(id)}, {"ce-source", HeaderValue(source)}, {"ce-type", HeaderValue(type)}};
  if (time_us) out.emplace_back("ce-time", base::FormatRfc3339(Timestamp{*time_us}));
  for (auto& [name, value] : attributes)
    if (name != "datacontenttype") out.emplace_back("ce-" + name, HeaderValue(value));
  return out;
}

Row EventSpec::ToRow() const {
  Row row;
  Cell(row, EventColumn::kId) = id;
  Cell(row, EventColumn::kSource) = source;
  Cell(row, EventColumn::kType) = type;
  Cell(row, EventColumn::kSpecVersion) = table::kSpecVersionValue;
  if (time_us) query::AppendTimestamp(*time_us, kMicrosPerSecond, true, Cell(row, EventColumn::kTime).emplace());
  std::string extensions;
  for (auto& [name, value] : attributes) {
    if (auto column = ColumnOf(name)) Cell(row, *column) = value;
    else extensions += (extensions.empty() ? "{" : ",") + Quoted(name) + ":" + Quoted(value);
  }
  if (!extensions.empty()) Cell(row, EventColumn::kExtensions) = extensions + "}";
  if (!binary.empty()) Cell(row, EventColumn::kDataBinary) = Base64(binary);
  else if (!data.empty()) Cell(row, EventColumn::kData) = data;
  return row;
}

}  // namespace sluice::sim
