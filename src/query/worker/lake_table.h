// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Catalog entries of the statement's tables. They live in the transaction, which is the worker's side of the read view.

#include <memory>
#include <string>

#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/storage/table_storage_info.hpp"
#include "query/worker/lake_context.h"

namespace sluice::query {

// A table of files and hot chunks, or (kSnapshots, kFiles) of rows that came with the answer to the bind.
class LakeTable : public duckdb::TableCatalogEntry {
 public:
  // Throws duckdb::IOException when metadata rows are no Arrow stream. `context` must outlive it.
  static duckdb::unique_ptr<LakeTable> Make(LakeContext& context, duckdb::ClientContext& client, duckdb::SchemaCatalogEntry& of,
                                            const std::string& table_name, BoundTable table);

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext&, duckdb::column_t) override { return nullptr; }
  duckdb::TableFunction GetScanFunction(duckdb::ClientContext& client, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext&) override;
  duckdb::virtual_column_map_t GetVirtualColumns() const override;
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override { return {}; }

 private:
  class MetadataRows;
  LakeTable(LakeContext& context, duckdb::SchemaCatalogEntry& of, duckdb::CreateTableInfo& info, std::shared_ptr<const BoundTable> table,
            std::shared_ptr<MetadataRows> rows);

  LakeContext& context_;
  std::shared_ptr<const BoundTable> table_;
  std::shared_ptr<MetadataRows> rows_;  // kSnapshots, kFiles
};

}  // namespace sluice::query
