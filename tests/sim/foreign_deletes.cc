// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_deletes.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/scan_plan.h"
#include "sim/foreign_files.h"
#include "table/event_columns.h"

namespace sluice::sim {
namespace {

constexpr std::string_view kDirectory = "/data/deletes-";
// The columns of a position delete file. Source: Iceberg table spec, "Reserved Field IDs".
constexpr iceberg::FieldId kPathId = 2147483546, kPositionId = 2147483545;

iceberg::NestedField Required(iceberg::FieldId id, const char* name, iceberg::TypeId type) {
  iceberg::NestedField out;
  out.id = id;
  out.name = name;
  out.type = type;
  out.required = true;
  return out;
}

std::string TextList(const std::vector<std::string>& texts) {
  Json out = Json::MakeArray();
  for (auto& text : texts) out.Append(text);
  return out.Dump();
}

// Of an event that nobody sends.
Result<iceberg::DataFile> EqualityDeletes(io::Env env, const std::string& uri, const iceberg::TableSchema& schema) {
  const auto id = static_cast<iceberg::FieldId>(table::EventColumn::kId) + 1;
  iceberg::TableSchema columns;
  columns.fields.push_back(*schema.FindById(id));
  ASSIGN_OR_RETURN(auto file, WriteForeignFile(env.objects, uri, columns, {TextList({"of nobody", "of nobody either"})}));
  file.content = iceberg::FileContent::kEqualityDeletes;
  file.equality_ids = {id};
  return file;
}

// Of files that were written anew since. Of one: its name is said once, by bounds or by itself.
Result<iceberg::DataFile> PositionDeletes(io::Env env, const std::string& uri, const iceberg::TableMetadata& metadata, Dice& dice) {
  iceberg::TableSchema columns;
  columns.fields = {Required(kPathId, "file_path", iceberg::TypeId::kString), Required(kPositionId, "pos", iceberg::TypeId::kLong)};
  const auto gone = metadata.location + "/data/gone-1.parquet";
  iceberg::DataFileOptions options;
  const bool of_one = dice.Coin(), by_bounds = dice.Coin();
  if (by_bounds) options.columns[kPathId].metrics = {iceberg::MetricsMode::Kind::kFull, 0};
  const auto other = of_one ? gone : metadata.location + "/data/gone-2.parquet";
  ASSIGN_OR_RETURN(auto file, WriteForeignFile(env.objects, uri, columns, {TextList({gone, other}), "[3,5]"}, options));
  file.content = iceberg::FileContent::kPositionDeletes;
  if (of_one && !by_bounds) file.referenced_data_file = gone;
  return file;
}

}  // namespace

Result<iceberg::SnapshotChange> AddDeletes(io::Env env, const iceberg::Table& table, Dice& dice) {
  const auto& metadata = *table.metadata;
  iceberg::SnapshotChange out;
  if (metadata.current_snapshot() == nullptr) return out;
  ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, metadata, *metadata.current_snapshot(), {}, nullptr));
  if (plan.files.empty()) return out;
  const auto& like = plan.files[dice.Below(plan.files.size())];
  const auto uri = metadata.location + std::string(kDirectory) + env.random.NextUuid() + ".parquet";
  ASSIGN_OR_RETURN(auto file, dice.Coin() ? EqualityDeletes(env, uri, metadata.schema()) : PositionDeletes(env, uri, metadata, dice));
  file.partition = like.file->partition;
  out.added.push_back({std::move(file), like.spec_id});
  return out;
}

Result<iceberg::SnapshotChange> RemoveDeletes(io::Env env, const iceberg::Table& table) {
  iceberg::SnapshotChange out;
  const auto* snapshot = table.metadata->current_snapshot();
  if (snapshot == nullptr) return out;
  ASSIGN_OR_RETURN(auto manifests, iceberg::ReadManifestList(env.objects, *snapshot));
  for (auto& manifest : manifests) {
    if (manifest.content != iceberg::ManifestContent::kDeletes) continue;
    ASSIGN_OR_RETURN(auto entries, iceberg::ReadManifest(env.objects, manifest, *table.metadata));
    for (auto& entry : entries)
      if (entry.is_live()) out.removed_paths.push_back(entry.file.path);
  }
  out.operation = "replace";
  out.based_on = snapshot->snapshot_id;
  return out;
}

bool IsDeleteFile(const std::string& uri) { return uri.find(kDirectory) != std::string::npos; }
bool SaysDeletes(const std::string& text) { return text.find("has delete files, which are not applied here yet") != std::string::npos; }

}  // namespace sluice::sim
