// SPDX-License-Identifier: Apache-2.0
#include "iceberg/catalog.h"

#include <algorithm>

#include "iceberg/internal/metadata_file.h"
#include "iceberg/internal/table_commit.h"

namespace sluice::iceberg {
namespace {

Result<void> CheckName(const std::string& name, const char* what) {
  bool empty_level = name.empty() || name.front() == '.' || name.back() == '.' || name.find("..") != std::string::npos;
  if (empty_level || name.find('/') != std::string::npos)
    return Error{ErrorCode::kInvalid, "\"" + name + "\" is no " + what + " name", "levels are joined by '.', none is empty or holds '/'"};
  return {};
}

std::string DefaultLocation(const std::string& warehouse, const TableName& name) {
  std::string levels = name.table_namespace;
  std::replace(levels.begin(), levels.end(), '.', '/');
  std::string root = warehouse;
  while (root.ends_with('/')) root.pop_back();
  return root + "/" + levels + "/" + name.name;
}

}  // namespace

Catalog::Catalog(io::CatalogStore& store, io::Env env, CatalogOptions options)
    : store_(store), env_(env), options_(std::move(options)) {}

Result<std::vector<std::string>> Catalog::ListNamespaces() { return store_.ListNamespaces(); }

Result<void> Catalog::CreateNamespace(const std::string& name, const Properties& properties) {
  RETURN_IF_ERROR(CheckName(name, "namespace"));
  return store_.CreateNamespace(name, properties);
}

Result<std::vector<std::string>> Catalog::ListTables(const std::string& table_namespace) { return store_.ListTables(table_namespace); }

Result<Table> Catalog::LoadTable(const TableName& name) {
  ASSIGN_OR_RETURN(auto row, store_.LoadTable(name.table_namespace, name.name));
  if (!row) return Error{ErrorCode::kNotFound, "there is no table \"" + name.ToString() + "\""};
  ASSIGN_OR_RETURN(auto metadata, LoadMetadataFile(env_.objects, row->metadata_location));
  return Table{name, row->metadata_location, std::move(metadata)};
}

Result<Table> Catalog::CreateTable(const TableName& name, NewTable table) {
  RETURN_IF_ERROR(CheckName(name.table_namespace, "namespace"));
  RETURN_IF_ERROR(CheckName(name.name, "table"));
  table.table_uuid = env_.random.NextUuid();
  if (table.location.empty()) table.location = DefaultLocation(options_.warehouse, name);
  while (table.location.ends_with('/')) table.location.pop_back();
  // A table that streams commits would otherwise fill its directory with old metadata.
  table.properties.try_emplace("write.metadata.delete-after-commit.enabled", "true");
  table.properties.try_emplace("write.metadata.previous-versions-max", "100");
  ASSIGN_OR_RETURN(TableMetadata metadata, MakeTableMetadata(table, env_.clock.Now().us / kMicrosPerMilli));
  std::string location = NextMetadataLocation(metadata, "", env_.random.NextUuid());
  RETURN_IF_ERROR(io::WriteObject(env_.objects, location, SerializeTableMetadata(metadata)));
  auto created = store_.CreateTable(name.table_namespace, name.name, location);
  if (created.ok()) return Table{name, location, std::make_shared<const TableMetadata>(std::move(metadata))};
  if (created.error().code != ErrorCode::kCommitUnknown && !env_.objects.Remove(location).ok())
    env_.log.Warn("metadata object left behind", {{"uri", location}});
  return std::move(created).error();
}

Result<Table> Catalog::Commit(const Table& base, const TableChange& change, const Precondition& precondition) {
  return TableCommit(store_, env_, change, precondition).Run(base);
}

Result<std::optional<TableName>> Catalog::FindTableAt(const std::string& location, const TableName& besides) {
  ASSIGN_OR_RETURN(auto namespaces, store_.ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, store_.ListTables(table_namespace));
    for (auto& table : names) {
      TableName name{table_namespace, table};
      if (name == besides) continue;
      ASSIGN_OR_RETURN(auto row, store_.LoadTable(table_namespace, table));
      if (row && row->metadata_location.starts_with(location + "/")) return std::optional(std::move(name));
    }
  }
  return std::optional<TableName>();
}

Result<void> Catalog::DropTable(const TableName& name) { return store_.DropTable(name.table_namespace, name.name); }

}  // namespace sluice::iceberg
