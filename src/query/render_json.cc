// SPDX-License-Identifier: Apache-2.0
#include "query/render_json.h"

#include <map>
#include <set>

#include "base/time.h"

namespace sluice::query {
namespace {

// Names of a result may repeat; members of an object must not.
std::vector<std::string> UniqueNames(const ArrowSchema& schema) {
  std::set<std::string> taken;
  std::vector<std::string> out;
  for (int64_t i = 0; i < schema.n_children; i++) {
    std::string name = schema.children[i]->name;
    auto unique = name;
    for (int n = 1; !taken.insert(unique).second; n++) unique = name + "_" + std::to_string(n);
    out.push_back(std::move(unique));
  }
  return out;
}

}  // namespace

Json StatsToJson(const StatementStats& stats) {
  Json out = Json::MakeObject();
  out.Set("rows", stats.rows);
  out.Set("elapsed_ms", static_cast<double>(stats.elapsed_us) / 1'000);
  out.Set("files_read", stats.files_read);
  out.Set("files_pruned", stats.files_pruned);
  out.Set("bytes_read", stats.bytes_read);
  out.Set("bytes_pruned", stats.bytes_pruned);
  out.Set("hot_rows", stats.rows_hot);
  out.Set("cold_rows", stats.rows_lake);
  Json tables = Json::MakeArray();
  for (auto& table : stats.tables) {
    Json entry = Json::MakeObject();
    entry.Set("table", table.schema + "." + table.name);
    entry.Set("snapshot_id", table.freshness.snapshot_id ? Json(*table.freshness.snapshot_id) : Json());
    Json offsets = Json::MakeObject();
    for (auto& [partition, next] : table.freshness.next_offsets) offsets.Set(std::to_string(partition.get()), next.get());
    entry.Set("next_offsets", std::move(offsets));
    entry.Set("watermark", table.freshness.watermark ? Json(base::FormatRfc3339(*table.freshness.watermark)) : Json());
    tables.Append(std::move(entry));
  }
  out.Set("tables", std::move(tables));
  return out;
}

Json ErrorToJson(const QueryError& error) {
  Json out = Json::MakeObject();
  out.Set("kind", QueryErrorName(error.kind));
  out.Set("message", error.message);
  if (error.position) out.Set("position", static_cast<int64_t>(*error.position));
  if (!error.hint.empty()) out.Set("hint", error.hint);
  return out;
}

Result<void> JsonRenderer::Begin(const ArrowSchema& schema, std::string& out) {
  ASSIGN_OR_RETURN(columns_, MakeRenderers(schema));
  first_row_ = true;
  out += "{\"columns\":[";
  for (size_t i = 0; i < columns_.size(); i++) {
    out += i == 0 ? "{\"name\":" : ",{\"name\":";
    AppendJsonString(out, schema.children[i]->name);
    out += ",\"type\":";
    AppendJsonString(out, columns_[i]->type_name());
    out += '}';
  }
  out += "],\"rows\":[";
  return {};
}

void JsonRenderer::Append(const Columns& batch, std::string& out) {
  for (int64_t row = 0; row < batch.rows(); row++) {
    out += first_row_ ? "[" : ",[";
    first_row_ = false;
    for (size_t i = 0; i < columns_.size(); i++) {
      if (i != 0) out += ',';
      columns_[i]->AppendJson(*batch.array().children[i], batch.array().offset + row, out);
    }
    out += ']';
  }
}

void JsonRenderer::End(const StatementStats& stats, std::string& out) { out += "],\"stats\":" + StatsToJson(stats).Dump() + "}\n"; }

void JsonRenderer::Fail(const QueryError& error, const StatementStats& stats, std::string& out) {
  out += "],\"stats\":" + StatsToJson(stats).Dump() + ",\"error\":" + ErrorToJson(error).Dump() + "}\n";
}

Result<void> NdjsonRenderer::Begin(const ArrowSchema& schema, std::string&) {
  ASSIGN_OR_RETURN(columns_, MakeRenderers(schema));
  keys_.clear();
  for (auto& name : UniqueNames(schema)) {
    std::string key = keys_.empty() ? "{" : ",";
    AppendJsonString(key, name);
    keys_.push_back(key + ":");
  }
  return {};
}

void NdjsonRenderer::Append(const Columns& batch, std::string& out) {
  for (int64_t row = 0; row < batch.rows(); row++) {
    for (size_t i = 0; i < columns_.size(); i++) {
      out += keys_[i];
      columns_[i]->AppendJson(*batch.array().children[i], batch.array().offset + row, out);
    }
    out += "}\n";
  }
}

void NdjsonRenderer::Fail(const QueryError& error, std::string& out) { out += "{\"error\":" + ErrorToJson(error).Dump() + "}\n"; }

}  // namespace sluice::query
