// SPDX-License-Identifier: Apache-2.0
#include "query/worker/lake_catalog.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/main/config.hpp"
#include "duckdb/optimizer/optimizer_extension.hpp"
#include "duckdb/parser/parsed_data/attach_info.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/planner/tableref/bound_at_clause.hpp"
#include "duckdb/storage/database_size.hpp"
#include "duckdb/storage/storage_extension.hpp"
#include "duckdb/transaction/transaction.hpp"
#include "duckdb/transaction/transaction_manager.hpp"
#include "query/worker/alias_rewrite.h"
#include "query/worker/lake_table.h"

namespace sluice::query {
namespace {

using duckdb::CatalogEntry;
using duckdb::CatalogTransaction;
using duckdb::CatalogType;
using duckdb::ClientContext;
using duckdb::EntryLookupInfo;
using duckdb::optional_ptr;

[[noreturn]] void ReadOnly() { throw duckdb::PermissionException("tables can only be read here"); }

// Lives from the first name that a statement binds to the end of its result: the worker's side of the read view.
class LakeTransaction : public duckdb::Transaction {
 public:
  using Transaction::Transaction;

  const std::vector<TableName>& Names(LakeContext& lake) {
    std::lock_guard lock(mutex_);
    if (!names_) {
      auto names = lake.server.ListTables();
      if (!names.ok()) throw duckdb::IOException(names.error().message);
      names_ = std::move(*names);
    }
    return *names_;
  }
  std::map<std::string, duckdb::unique_ptr<LakeTable>> tables;  // by schema, name and version

 private:
  std::mutex mutex_;
  std::optional<std::vector<TableName>> names_;
};

std::optional<VersionRequest> VersionOf(ClientContext& client, const EntryLookupInfo& lookup) {
  auto at = lookup.GetAtClause();
  if (!at) return std::nullopt;
  auto unit = duckdb::StringUtil::Lower(at->Unit());
  if (at->GetValue().IsNull()) throw duckdb::BinderException("AT needs a value");
  if (unit == "version") return at->GetValue().DefaultCastAs(duckdb::LogicalType::BIGINT).GetValue<int64_t>();
  if (unit != "timestamp") throw duckdb::BinderException("AT (%s => ...) is unknown, use VERSION or TIMESTAMP", at->Unit());
  auto time = at->GetValue().CastAs(client, duckdb::LogicalType::TIMESTAMP_TZ);
  return Timestamp{time.GetValueUnsafe<int64_t>()};
}

// Names are compared without case.
std::string KeyOf(const BindMessage& question) {
  auto key = duckdb::StringUtil::Lower(question.schema + "." + question.name);
  if (!question.version) return key;
  if (auto* id = std::get_if<int64_t>(&*question.version)) return key + " version " + std::to_string(*id);
  return key + " timestamp " + std::to_string(std::get<Timestamp>(*question.version).us);
}

class LakeSchema : public duckdb::SchemaCatalogEntry {
 public:
  LakeSchema(LakeContext& lake, duckdb::Catalog& catalog_of, duckdb::CreateSchemaInfo& info) : SchemaCatalogEntry(catalog_of, info), lake_(lake) {}

  optional_ptr<CatalogEntry> LookupEntry(CatalogTransaction transaction, const EntryLookupInfo& lookup) override {
    if (lookup.GetCatalogType() != CatalogType::TABLE_ENTRY || !transaction.context) return nullptr;
    auto& client = *transaction.context;
    BindMessage question{name, lookup.GetEntryName(), VersionOf(client, lookup)};
    auto key = KeyOf(question);
    auto& tables = transaction.transaction->Cast<LakeTransaction>().tables;
    auto found = tables.find(key);
    if (found == tables.end()) {
      auto bound = lake_.server.Bind(question);
      if (!bound.ok()) throw duckdb::BinderException(bound.error().message);
      if (!*bound) return nullptr;
      found = tables.emplace(key, LakeTable::Make(lake_, client, *this, question.name, std::move(**bound))).first;
    }
    return found->second.get();
  }
  // SHOW TABLES, information_schema, similar names.
  void Scan(ClientContext& client, CatalogType entry_type, const std::function<void(CatalogEntry&)>& callback) override {
    if (entry_type != CatalogType::TABLE_ENTRY) return;
    auto transaction = catalog.GetCatalogTransaction(client);
    for (auto& table : transaction.transaction->Cast<LakeTransaction>().Names(lake_)) {
      if (table.schema != name) continue;
      if (auto entry = LookupEntry(transaction, EntryLookupInfo(CatalogType::TABLE_ENTRY, table.name))) callback(*entry);
    }
  }
  void Scan(CatalogType, const std::function<void(CatalogEntry&)>&) override {}
  optional_ptr<CatalogEntry> CreateIndex(CatalogTransaction, duckdb::CreateIndexInfo&, duckdb::TableCatalogEntry&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateFunction(CatalogTransaction, duckdb::CreateFunctionInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateTable(CatalogTransaction, duckdb::BoundCreateTableInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateView(CatalogTransaction, duckdb::CreateViewInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateSequence(CatalogTransaction, duckdb::CreateSequenceInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateTableFunction(CatalogTransaction, duckdb::CreateTableFunctionInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateCopyFunction(CatalogTransaction, duckdb::CreateCopyFunctionInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreatePragmaFunction(CatalogTransaction, duckdb::CreatePragmaFunctionInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateCollation(CatalogTransaction, duckdb::CreateCollationInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateCoordinateSystem(CatalogTransaction, duckdb::CreateCoordinateSystemInfo&) override { ReadOnly(); }
  optional_ptr<CatalogEntry> CreateType(CatalogTransaction, duckdb::CreateTypeInfo&) override { ReadOnly(); }
  void DropEntry(ClientContext&, duckdb::DropInfo&) override { ReadOnly(); }
  void Alter(CatalogTransaction, duckdb::AlterInfo&) override { ReadOnly(); }

 private:
  LakeContext& lake_;
};

// Where functions and system views are looked for, in every database of the search path: not worth a question to the server.
bool IsDuckSchema(const std::string& name) { return name == DEFAULT_SCHEMA || name == "information_schema" || name == "pg_catalog"; }

class LakeCatalog : public duckdb::Catalog {
 public:
  LakeCatalog(LakeContext& lake, duckdb::AttachedDatabase& database) : Catalog(database), lake_(lake) {}

  void Initialize(bool) override { SchemaNamed(kDefaultSchema); }
  std::string GetCatalogType() override { return "lake"; }
  bool SupportsTimeTravel() const override { return true; }
  std::string GetDefaultSchema() const override { return kDefaultSchema; }
  optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(CatalogTransaction transaction, const EntryLookupInfo& lookup,
                                                        duckdb::OnEntryNotFound not_found) override {
    auto name = duckdb::StringUtil::Lower(lookup.GetEntryName());
    if (name == kDefaultSchema || (!IsDuckSchema(name) && transaction.transaction && Exists(transaction.transaction->Cast<LakeTransaction>(), name))) return SchemaNamed(name);
    if (not_found == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
    throw duckdb::CatalogException("Schema with name %s does not exist!", lookup.GetEntryName());
  }
  void ScanSchemas(ClientContext& client, std::function<void(duckdb::SchemaCatalogEntry&)> callback) override {
    std::map<std::string, bool> names{{kDefaultSchema, true}};
    for (auto& table : GetCatalogTransaction(client).transaction->Cast<LakeTransaction>().Names(lake_)) names.emplace(table.schema, true);
    for (auto& [name, unused] : names) callback(*SchemaNamed(name));
  }
  optional_ptr<CatalogEntry> CreateSchema(CatalogTransaction, duckdb::CreateSchemaInfo&) override { ReadOnly(); }
  duckdb::PhysicalOperator& PlanCreateTableAs(ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalCreateTable&, duckdb::PhysicalOperator&) override { ReadOnly(); }
  duckdb::PhysicalOperator& PlanInsert(ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalInsert&, optional_ptr<duckdb::PhysicalOperator>) override { ReadOnly(); }
  duckdb::PhysicalOperator& PlanDelete(ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalDelete&, duckdb::PhysicalOperator&) override { ReadOnly(); }
  duckdb::PhysicalOperator& PlanUpdate(ClientContext&, duckdb::PhysicalPlanGenerator&, duckdb::LogicalUpdate&, duckdb::PhysicalOperator&) override { ReadOnly(); }
  duckdb::DatabaseSize GetDatabaseSize(ClientContext&) override { return {}; }
  bool InMemory() override { return true; }
  std::string GetDBPath() override { return ""; }
  void DropSchema(ClientContext&, duckdb::DropInfo&) override { ReadOnly(); }

 private:
  bool Exists(LakeTransaction& transaction, const std::string& name) {
    auto& tables = transaction.Names(lake_);
    return std::any_of(tables.begin(), tables.end(), [&](const TableName& t) { return t.schema == name; });
  }
  // Kept for the life of the worker: DuckDB remembers schemas longer than a statement.
  optional_ptr<duckdb::SchemaCatalogEntry> SchemaNamed(const std::string& name) {
    std::lock_guard lock(mutex_);
    auto& schema = schemas_[name];
    if (!schema) {
      duckdb::CreateSchemaInfo info;
      info.schema = name;
      schema = duckdb::make_uniq<LakeSchema>(lake_, *this, info);
    }
    return schema.get();
  }
  LakeContext& lake_;
  std::mutex mutex_;
  std::map<std::string, duckdb::unique_ptr<LakeSchema>> schemas_;
};

class LakeTransactions : public duckdb::TransactionManager {
 public:
  explicit LakeTransactions(duckdb::AttachedDatabase& database) : TransactionManager(database) {}
  duckdb::Transaction& StartTransaction(ClientContext& client) override {
    auto transaction = duckdb::make_uniq<LakeTransaction>(*this, client);
    auto& out = *transaction;
    std::lock_guard lock(mutex_);
    live_[&out] = std::move(transaction);
    return out;
  }
  duckdb::ErrorData CommitTransaction(ClientContext&, duckdb::Transaction& transaction) override {
    RollbackTransaction(transaction);
    return {};
  }
  void RollbackTransaction(duckdb::Transaction& transaction) override {
    std::lock_guard lock(mutex_);
    live_.erase(&transaction);
  }
  void Checkpoint(ClientContext&, bool) override {}

 private:
  std::mutex mutex_;
  std::map<duckdb::Transaction*, duckdb::unique_ptr<LakeTransaction>> live_;
};

struct LakeStorageInfo : public duckdb::StorageExtensionInfo {
  explicit LakeStorageInfo(LakeContext& context) : lake(context) {}
  LakeContext& lake;
};

struct LakeStorage : public duckdb::StorageExtension {
  explicit LakeStorage(LakeContext& lake) {
    storage_info = duckdb::make_shared_ptr<LakeStorageInfo>(lake);
    attach = [](optional_ptr<duckdb::StorageExtensionInfo> info, ClientContext&, duckdb::AttachedDatabase& database, const std::string&, duckdb::AttachInfo&,
                duckdb::AttachOptions&) -> duckdb::unique_ptr<duckdb::Catalog> {
      return duckdb::make_uniq<LakeCatalog>(static_cast<LakeStorageInfo&>(*info).lake, database);
    };
    create_transaction_manager = [](optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& database,
                                    duckdb::Catalog&) -> duckdb::unique_ptr<duckdb::TransactionManager> { return duckdb::make_uniq<LakeTransactions>(database); };
  }
};

duckdb::TableFunction KeepFunction(ClientContext& client, const std::string& name, const duckdb::vector<duckdb::LogicalType>& arguments) {
  auto& entry = duckdb::Catalog::GetSystemCatalog(client).GetEntry<duckdb::TableFunctionCatalogEntry>(client, DEFAULT_SCHEMA, name);
  return entry.functions.GetFunctionByArguments(client, arguments);
}

}  // namespace

void RegisterLake(duckdb::DBConfig& config, LakeContext& context) {
  duckdb::StorageExtension::Register(config, "lake", duckdb::make_shared_ptr<LakeStorage>(context));
  duckdb::OptimizerExtension rewrite;
  rewrite.pre_optimize_function = [](duckdb::OptimizerExtensionInput&, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) { RewriteAliases(*plan); };
  duckdb::OptimizerExtension::Register(config, rewrite);
}

void AttachLake(duckdb::Connection& connection, LakeContext& context) {
  connection.context->RunFunctionInTransaction([&] {
    using duckdb::LogicalType;
    context.parquet_scan = KeepFunction(*connection.context, "parquet_scan", {LogicalType::VARCHAR});
    context.arrow_scan = KeepFunction(*connection.context, "arrow_scan_dumb", {LogicalType::POINTER, LogicalType::POINTER, LogicalType::POINTER});
  });
  for (auto* sql : {"ATTACH '' AS lake (TYPE lake)", "USE lake.bronze"}) {
    auto result = connection.Query(sql);
    if (result->HasError()) result->ThrowError();
  }
}

}  // namespace sluice::query
