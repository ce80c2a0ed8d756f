// SPDX-License-Identifier: Apache-2.0
#include "query/worker/lake_file_list.h"

#include <utility>

#include "duckdb/storage/statistics/node_statistics.hpp"
#include "query/worker/expression_to_wire.h"
#include "query/worker/filter_to_wire.h"

namespace sluice::query {

LakeFileList::LakeFileList(LakeContext& context, std::shared_ptr<const BoundTable> table, std::vector<iceberg::ColumnFilter> filters,
                           duckdb::optional_ptr<duckdb::TableCatalogEntry> entry)
    : context_(context), table_(std::move(table)), filters_(std::move(filters)), entry_(entry) {}

duckdb::unique_ptr<duckdb::MultiFileList> LakeFileList::ComplexFilterPushdown(
    duckdb::ClientContext& client, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& conditions) const {
  auto wire = filters_;
  for (auto& condition : conditions) AppendExpressionFilters(client, *condition, info, *table_, wire);
  if (wire.size() == filters_.size()) return nullptr;  // as it was
  return duckdb::make_uniq<LakeFileList>(context_, table_, std::move(wire), entry_);
}

duckdb::unique_ptr<duckdb::MultiFileList> LakeFileList::DynamicFilterPushdown(duckdb::ClientContext&, const duckdb::MultiFileOptions&,
                                                                              const duckdb::vector<std::string>&,
                                                                              const duckdb::vector<duckdb::LogicalType>&,
                                                                              const duckdb::vector<duckdb::column_t>& column_ids,
                                                                              duckdb::TableFilterSet& filters) const {
  auto wire = filters_;
  for (auto& [index, filter] : filters.filters) {  // the key is a place in column_ids, not a column
    auto column = column_ids[index];
    if (column < table_->columns.size()) AppendScanFilters(*filter, table_->columns[column], wire);
  }
  return duckdb::make_uniq<LakeFileList>(context_, table_, std::move(wire), entry_);
}

duckdb::OpenFileInfo LakeFileList::Describe(ScannedFile file) const {
  duckdb::OpenFileInfo info(context_.FileDirectory() + std::to_string(file.id));
  info.extended_info = duckdb::make_shared_ptr<duckdb::ExtendedOpenFileInfo>();
  auto& options = info.extended_info->options;
  options["file_size"] = duckdb::Value::UBIGINT(file.bytes);
  if (file.footer_bytes != 0) options["footer_size"] = duckdb::Value::UBIGINT(file.footer_bytes);
  // Constants: files are immutable, DuckDB's metadata cache stays valid.
  options["last_modified"] = duckdb::Value::TIMESTAMP(duckdb::timestamp_t(0));
  options["etag"] = duckdb::Value("1");
  options["validate_external_file_cache"] = duckdb::Value::BOOLEAN(false);
  options[kEntryOption] = duckdb::Value::UBIGINT(context_.scanned.Add(std::move(file)));
  return info;
}

void LakeFileList::Fetch() const {
  std::call_once(once_, [&] {
    auto files = context_.server.Scan({table_->handle, filters_});
    if (!files.ok()) throw duckdb::IOException(files.error().message);
    for (auto& file : *files) files_.push_back(Describe(std::move(file)));
  });
}

duckdb::vector<duckdb::OpenFileInfo> LakeFileList::GetAllFiles() const {
  Fetch();
  return files_;
}

duckdb::idx_t LakeFileList::GetTotalFileCount() const {
  Fetch();
  return files_.size();
}

duckdb::OpenFileInfo LakeFileList::GetFile(duckdb::idx_t i) const {
  Fetch();
  return i < files_.size() ? files_[i] : duckdb::OpenFileInfo();
}

duckdb::unique_ptr<duckdb::NodeStatistics> LakeFileList::GetCardinality(duckdb::ClientContext&) const {
  if (!table_->rows) return duckdb::make_uniq<duckdb::NodeStatistics>();
  auto rows = static_cast<duckdb::idx_t>(*table_->rows);
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

duckdb::unique_ptr<duckdb::MultiFileList> LakeFileList::Copy() const {
  return duckdb::make_uniq<LakeFileList>(context_, table_, filters_, entry_);
}

}  // namespace sluice::query
