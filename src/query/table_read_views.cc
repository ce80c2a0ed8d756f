// SPDX-License-Identifier: Apache-2.0
#include "query/table_read_views.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <mutex>

#include "iceberg/scan_plan.h"
#include "iceberg/snapshot_history.h"
#include "query/metadata_tables.h"
#include "table/event_schema.h"

namespace sluice::query {
namespace {

constexpr iceberg::FieldId kTimeField = static_cast<iceberg::FieldId>(table::EventColumn::kTime) + 1;
constexpr const char* kLoadingHint = "ask again; GET /readyz says how far it is";
constexpr iceberg::FieldId kTypeField = static_cast<iceberg::FieldId>(table::EventColumn::kType) + 1;

bool ChunkMayMatch(const table::HotChunkView& chunk, const iceberg::ColumnFilter& filter) {
  iceberg::ValueRange range;
  range.may_be_null = range.may_be_nan = false;
  if (filter.field_id == kTimeField) {
    range.lower = iceberg::Value(chunk.time_us_min);
    range.upper = iceberg::Value(chunk.time_us_max);
    return iceberg::RangeMayMatch(filter, range);
  }
  if (filter.field_id != kTypeField || chunk.types.empty()) return true;
  return std::any_of(chunk.types.begin(), chunk.types.end(), [&](auto& type) {
    range.lower = range.upper = iceberg::Value(type);
    return iceberg::RangeMayMatch(filter, range);
  });
}

class RegistryTable : public ViewTable {
 public:
  // `snapshot`: of the version's metadata, or null; with it given explicitly (AT), the view has no hot rows.
  RegistryTable(io::Env env, iceberg::ManifestCache& manifests, table::TableView view, const iceberg::Snapshot* snapshot)
      : env_(env), manifests_(manifests), view_(std::move(view)), snapshot_(snapshot) {
    info_.schema = view_.table->name().table_namespace;
    info_.name = view_.table->name().name;
    const auto& schema = view_.version->metadata.schema();
    info_.columns = schema.fields;
    for (auto& alias : table::kEventColumnAliases) {
      for (size_t i = 0; i < schema.fields.size(); i++)
        if (schema.fields[i].id == static_cast<iceberg::FieldId>(alias.column) + 1) info_.aliases.push_back({std::string(alias.alias), i});
    }
    info_.lake_rows = LakeRows();
    for (auto& chunk : view_.chunks) info_.hot_rows += chunk.rows;
  }

  const TableInfo& info() const override { return info_; }

  TableFreshness freshness() const override {
    TableFreshness out;
    if (snapshot_ != nullptr) out.snapshot_id = snapshot_->snapshot_id;
    for (auto& [partition, offset] : view_.end) out.next_offsets.emplace_back(partition, offset);
    out.watermark = view_.watermark;
    return out;
  }

  Result<TableScan> Scan(TablePart part, std::span<const iceberg::ColumnFilter> filters) const override {
    TableScan out;
    if (part != TablePart::kLake) ScanHot(filters, out);
    if (part != TablePart::kHot && snapshot_ != nullptr) RETURN_IF_ERROR(ScanLake(filters, out));
    return out;
  }

  Result<std::shared_ptr<const ViewTable>> At(const VersionRequest& version) const override {
    const auto& metadata = view_.version->metadata;
    auto* id = std::get_if<int64_t>(&version);
    auto snapshot = id != nullptr ? iceberg::SnapshotById(metadata, *id)
                                  : iceberg::SnapshotAt(metadata, std::get<Timestamp>(version).us / kMicrosPerMilli);
    const auto name = view_.table->name().ToString();
    if (!snapshot.ok()) return Error{snapshot.error().code, name + ": " + snapshot.error().message, "SELECT * FROM " + name + "__snapshots lists those that are kept"};
    auto older = view_;
    older.chunks.clear();
    older.end.clear();
    return std::make_shared<const RegistryTable>(env_, manifests_, std::move(older), *snapshot);
  }

  Result<Columns> MetadataRows(TablePart part) const override {
    const auto& metadata = view_.version->metadata;
    if (part == TablePart::kSnapshots) return SnapshotRows(metadata);
    if (snapshot_ == nullptr) return FileRows(metadata, {});
    ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env_.objects, metadata, *snapshot_, {}, &manifests_));
    return FileRows(metadata, plan.files);
  }

 private:
  // Exact as long as no delete files exist.
  std::optional<int64_t> LakeRows() const {
    if (snapshot_ == nullptr) return 0;
    auto number = [&](const char* key) -> std::optional<int64_t> {
      auto at = snapshot_->summary.find(key);
      if (at == snapshot_->summary.end()) return std::nullopt;
      return std::atoll(at->second.c_str());
    };
    auto deletes = number("total-delete-files");
    if (!deletes || *deletes != 0) return std::nullopt;
    return number("total-records");
  }

  void ScanHot(std::span<const iceberg::ColumnFilter> filters, TableScan& out) const {
    for (auto& chunk : view_.chunks) {
      if (!std::all_of(filters.begin(), filters.end(), [&](auto& f) { return ChunkMayMatch(chunk, f); })) {
        out.chunks_pruned++;
        continue;
      }
      auto& shown = out.chunks.emplace_back();
      shown = {chunk.chunk->id(), chunk.chunk->descriptor(), chunk.chunk->bytes(), 0, chunk.rows, chunk.chunk, nullptr};
      if (chunk.chunk->in_file()) shown.check = [hot = chunk.chunk] { return hot->Check(); };
    }
  }

  Result<void> ScanLake(std::span<const iceberg::ColumnFilter> filters, TableScan& out) const {
    const auto& metadata = view_.version->metadata;
    ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env_.objects, metadata, *snapshot_, filters, &manifests_));
    for (auto& file : plan.files) {
      if (!file.deletes.empty())
        return Error{ErrorCode::kInvalid,
                     "a file of " + view_.table->name().ToString() + " has delete files, which are not applied here yet",
                     "read the table with another engine, or rewrite its data files there"};
      ViewFile view;
      view.uri = file.file->path;
      view.bytes = static_cast<uint64_t>(file.file->file_size_bytes);
      view.rows = file.file->record_count;
      out.files.push_back(std::move(view));
    }
    out.files_pruned = plan.counts.files_pruned();
    out.bytes_pruned = plan.counts.bytes_pruned;
    return {};
  }

  io::Env env_;
  iceberg::ManifestCache& manifests_;
  const table::TableView view_;
  const iceberg::Snapshot* snapshot_;
  TableInfo info_;
};

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

class RegistryView : public ReadView {
 public:
  RegistryView(io::Env env, iceberg::ManifestCache& manifests, table::TablesView tables)
      : env_(env), manifests_(manifests), tables_(std::move(tables)), resolved_(tables_.tables.size()) {}

  Result<const ViewTable*> FindTable(std::string_view schema, std::string_view name) const override {
    for (size_t i = 0; i < tables_.tables.size(); i++) {
      auto& view = tables_.tables[i];
      if (!SameName(view.table->name().table_namespace, schema) || !SameName(view.table->name().name, name)) continue;
      if (view.is_loading)
        return Error{ErrorCode::kUnavailable, "the rows of " + view.table->name().ToString() + " are still being loaded from the log", kLoadingHint};
      // Without a version nobody knows where the hot rows begin: an answer would miss rows or have them twice.
      if (view.version == nullptr)
        return Error{ErrorCode::kUnavailable, "the table " + view.table->name().ToString() + " is not available",
                     "`sluice table describe " + view.table->name().ToString() + "` says why"};
      std::lock_guard lock(mutex_);
      if (resolved_[i] == nullptr)
        resolved_[i] = std::make_unique<RegistryTable>(env_, manifests_, view, view.version->metadata.current_snapshot());
      return static_cast<const ViewTable*>(resolved_[i].get());
    }
    return Error{ErrorCode::kNotFound, "there is no table " + std::string(schema) + "." + std::string(name), {}};
  }
  bool IsLoading(std::string_view schema, std::string_view name) const override {
    return std::any_of(tables_.tables.begin(), tables_.tables.end(), [&](auto& view) {
      return view.is_loading && SameName(view.table->name().table_namespace, schema) && SameName(view.table->name().name, name);
    });
  }
  std::vector<TableName> ListTables() const override {
    std::vector<TableName> out;
    for (auto& view : tables_.tables) out.push_back({view.table->name().table_namespace, view.table->name().name});
    return out;
  }

 private:
  io::Env env_;
  iceberg::ManifestCache& manifests_;
  const table::TablesView tables_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<RegistryTable>> resolved_;
};

}  // namespace

bool TableReadViews::IsLoading(std::string_view schema, std::string_view name) {
  for (auto* table : registry_.Tables())
    if (SameName(table->name().table_namespace, schema) && SameName(table->name().name, name)) return registry_.IsLoading(*table);
  return false;
}

Result<std::shared_ptr<const ReadView>> TableReadViews::NewView() {
  return std::shared_ptr<const ReadView>(std::make_shared<RegistryView>(env_, manifests_, registry_.View()));
}

}  // namespace sluice::query
