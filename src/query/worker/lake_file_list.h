// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The files and hot chunks of one scan: one request to the server, as late as possible, with all filters known by then.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "duckdb/common/multi_file/multi_file_list.hpp"
#include "query/worker/lake_context.h"

namespace sluice::query {

// Which entry of ScannedFiles a file of the list is.
inline constexpr const char* kEntryOption = "sluice_entry";

// Thread-safe, as DuckDB asks of its lists. `context` and `entry` must outlive it; the entry lives in the transaction.
class LakeFileList : public duckdb::MultiFileList {
 public:
  LakeFileList(LakeContext& context, std::shared_ptr<const BoundTable> table, std::vector<iceberg::ColumnFilter> filters,
               duckdb::optional_ptr<duckdb::TableCatalogEntry> entry);

  const BoundTable& table() const { return *table_; }
  duckdb::optional_ptr<duckdb::TableCatalogEntry> entry() const { return entry_; }
  void set_entry(duckdb::TableCatalogEntry& entry) { entry_ = entry; }
  // Asks the server, once. Throws duckdb::IOException.
  void Fetch() const;

  // Called by the optimizer, perhaps more than once: sees the conditions of WHERE as expressions.
  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      duckdb::ClientContext& client, const duckdb::MultiFileOptions&, duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& conditions) const override;
  // Called when the scan starts: sees the table filters of WHERE and of joins.
  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(duckdb::ClientContext&, const duckdb::MultiFileOptions&,
                                                                  const duckdb::vector<std::string>&,
                                                                  const duckdb::vector<duckdb::LogicalType>&,
                                                                  const duckdb::vector<duckdb::column_t>& column_ids,
                                                                  duckdb::TableFilterSet& filters) const override;
  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override;
  duckdb::FileExpandResult GetExpandResult() const override {
    return duckdb::FileExpandResult::MULTIPLE_FILES;
  }  // one file would mean one thread
  duckdb::idx_t GetTotalFileCount() const override;
  duckdb::MultiFileCount GetFileCount(duckdb::idx_t) const override { return duckdb::MultiFileCount(GetTotalFileCount()); }
  // Called at bind and by EXPLAIN: must not fetch.
  duckdb::vector<duckdb::OpenFileInfo> GetDisplayFileList(duckdb::optional_idx) const override { return {}; }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) const override;
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override;

 protected:
  bool FileIsAvailable(duckdb::idx_t) const override { return true; }
  duckdb::OpenFileInfo GetFile(duckdb::idx_t i) const override;

 private:
  duckdb::OpenFileInfo Describe(ScannedFile file) const;

  LakeContext& context_;
  std::shared_ptr<const BoundTable> table_;
  std::vector<iceberg::ColumnFilter> filters_;
  duckdb::optional_ptr<duckdb::TableCatalogEntry> entry_;
  mutable std::once_flag once_;
  mutable duckdb::vector<duckdb::OpenFileInfo> files_;
};

}  // namespace sluice::query
