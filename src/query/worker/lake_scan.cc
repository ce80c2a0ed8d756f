// SPDX-License-Identifier: Apache-2.0
#include "query/worker/lake_scan.h"

#include <algorithm>
#include <utility>

#include "duckdb/common/multi_file/multi_file_reader.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "query/worker/duck_types.h"
#include "query/worker/hot_reader.h"
#include "query/worker/lake_file_list.h"

namespace sluice::query {
namespace {

using duckdb::idx_t;

struct LakeScanInfo : public duckdb::TableFunctionInfo {
  LakeScanInfo(LakeContext& lake, std::shared_ptr<const BoundTable> bound) : context(lake), table(std::move(bound)) {}
  LakeContext& context;
  std::shared_ptr<const BoundTable> table;
};

// Leaves out the rows that a delete file names.
class DeletedRows : public duckdb::DeleteFilter {
 public:
  explicit DeletedRows(std::shared_ptr<const ScannedFile> file) : file_(std::move(file)) {}
  idx_t Filter(duckdb::row_t start, idx_t count, duckdb::SelectionVector& result) override {
    auto& positions = file_->deleted_rows;
    if (result.data() == nullptr) result.Initialize(STANDARD_VECTOR_SIZE);
    auto next = std::lower_bound(positions.begin(), positions.end(), start);
    idx_t kept = 0;
    for (idx_t i = 0; i < count; i++) {
      auto row = start + static_cast<duckdb::row_t>(i);
      while (next != positions.end() && *next < row) ++next;
      if (next == positions.end() || *next != row) result.set_index(kept++, i);
    }
    return kept;
  }

 private:
  std::shared_ptr<const ScannedFile> file_;
};

class LakeReader : public duckdb::MultiFileReader {
 public:
  LakeReader(LakeContext& context, std::shared_ptr<const BoundTable> table) : context_(context), table_(std::move(table)) {}

  static duckdb::unique_ptr<duckdb::MultiFileReader> Make(const duckdb::TableFunction& function) {
    auto& info = function.function_info->Cast<LakeScanInfo>();
    return duckdb::make_uniq<LakeReader>(info.context, info.table);
  }
  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&, const duckdb::vector<std::string>&,
                                                           const duckdb::FileGlobInput&) override {
    return duckdb::make_shared_ptr<LakeFileList>(context_, table_, std::vector<iceberg::ColumnFilter>(), nullptr);
  }
  // True: the schema is known, no file is opened to bind.
  bool Bind(duckdb::MultiFileOptions& options, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>& types,
            duckdb::vector<std::string>& names, duckdb::MultiFileReaderBindData& bind) override {
    for (auto& field : table_->columns) {
      auto column = ToDuckColumn(field);
      types.push_back(column.type);
      names.push_back(column.name);
      bind.schema.push_back(std::move(column));
    }
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    options.auto_detect_hive_partitioning = false;
    return true;
  }
  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>&, duckdb::vector<std::string>&,
                   duckdb::MultiFileReaderBindData&) override {}
  duckdb::unique_ptr<duckdb::MultiFileReaderGlobalState> InitializeGlobalState(duckdb::ClientContext&, const duckdb::MultiFileOptions&,
                                                                               const duckdb::MultiFileReaderBindData&,
                                                                               const duckdb::MultiFileList& list,
                                                                               const duckdb::vector<duckdb::MultiFileColumnDefinition>&,
                                                                               const duckdb::vector<duckdb::ColumnIndex>&) override {
    list.Cast<LakeFileList>().Fetch();  // here there is one thread; later all of them would wait behind the first
    return nullptr;
  }
  duckdb::shared_ptr<duckdb::BaseFileReader> CreateReader(duckdb::ClientContext& client, duckdb::GlobalTableFunctionState& state,
                                                          const duckdb::OpenFileInfo& file, idx_t index,
                                                          const duckdb::MultiFileBindData& bind) override {
    auto scanned = context_.scanned.At(file.extended_info->options.at(kEntryOption).GetValue<uint64_t>());
    if (scanned->hot) {
      auto chunk = context_.chunks.Get(scanned->id, scanned->bytes);
      if (!chunk.ok()) throw duckdb::IOException(chunk.error().message);
      return duckdb::make_shared_ptr<HotReader>(file, std::move(*chunk), scanned->begin, scanned->end);
    }
    auto reader = MultiFileReader::CreateReader(client, state, file, index, bind);
    if (!scanned->deleted_rows.empty()) reader->deletion_filter = duckdb::make_uniq<DeletedRows>(std::move(scanned));
    return reader;
  }
  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override { return duckdb::make_uniq<LakeReader>(context_, table_); }

 private:
  LakeContext& context_;
  std::shared_ptr<const BoundTable> table_;
};

LakeFileList& ListOf(const duckdb::FunctionData& bind) { return bind.Cast<duckdb::MultiFileBindData>().file_list->Cast<LakeFileList>(); }

// count(*) without a scan: the server knows the exact number of rows of the view.
duckdb::vector<duckdb::PartitionStatistics> PartitionStats(duckdb::ClientContext&, duckdb::GetPartitionStatsInput& input) {
  auto& table = TableOfScan(*input.bind_data);
  if (!table.rows) return {};
  duckdb::PartitionStatistics all;
  all.count = static_cast<idx_t>(*table.rows);
  all.count_type = duckdb::CountType::COUNT_EXACT;
  return {all};
}

duckdb::virtual_column_map_t VirtualColumns(duckdb::ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> bind) {
  return bind->Cast<duckdb::MultiFileBindData>().virtual_columns = VirtualColumnsOf(TableOfScan(*bind));
}

// Names are resolved by the catalog entry: without a table here, virtual columns are not found.
duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> bind) { return duckdb::BindInfo(*ListOf(*bind).entry()); }

}  // namespace

const BoundTable& TableOfScan(const duckdb::FunctionData& bind_data) { return ListOf(bind_data).table(); }

duckdb::virtual_column_map_t VirtualColumnsOf(const BoundTable& table) {
  duckdb::virtual_column_map_t out;
  for (size_t i = 0; i < table.aliases.size(); i++) {
    auto& alias = table.aliases[i];
    out.emplace(kFirstAlias + i, duckdb::TableColumn(alias.name, ToDuckType(table.columns[alias.column].type)));
  }
  out.emplace(duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN));
  return out;
}

duckdb::TableFunction MakeLakeScan(LakeContext& context, duckdb::ClientContext& client, const std::shared_ptr<const BoundTable>& table,
                                   duckdb::TableCatalogEntry& entry, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) {
  auto scan = context.parquet_scan;
  scan.name = kLakeScanName;
  scan.function_info = duckdb::make_shared_ptr<LakeScanInfo>(context, table);
  scan.get_multi_file_reader = LakeReader::Make;
  scan.get_partition_stats = PartitionStats;
  scan.get_virtual_columns = VirtualColumns;
  scan.get_bind_info = GetBindInfo;
  scan.statistics = nullptr;         // would be of one file
  scan.dynamic_to_string = nullptr;  // would show our paths in EXPLAIN ANALYZE
  scan.get_row_id_columns = nullptr;
  scan.late_materialization = false;  // needs row numbers from every reader
  scan.serialize = nullptr;
  scan.deserialize = nullptr;
  scan.verify_serialization = false;

  duckdb::vector<duckdb::Value> inputs{duckdb::Value("")};
  duckdb::named_parameter_map_t named;
  duckdb::vector<duckdb::LogicalType> input_types, types;
  duckdb::vector<std::string> input_names, names;
  duckdb::TableFunctionRef reference;
  duckdb::TableFunctionBindInput input(inputs, named, input_types, input_names, scan.function_info.get(), nullptr, scan, reference);
  bind_data = scan.bind(client, input, types, names);
  ListOf(*bind_data).set_entry(entry);
  return scan;
}

}  // namespace sluice::query
