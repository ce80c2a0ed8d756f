// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/catalog_store.h"

namespace sluice::sim {

// Another catalog, owned by somebody else. Planted bugs override a method.
class ForwardingCatalog : public io::CatalogStore {
 public:
  explicit ForwardingCatalog(io::CatalogStore& store) : store_(store) {}
  ForwardingCatalog(const ForwardingCatalog&) = delete;  // of one over another: a copy would leave the other out
  Result<std::vector<std::string>> ListNamespaces() override { return store_.ListNamespaces(); }
  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) override {
    return store_.CreateNamespace(name, properties);
  }
  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override { return store_.ListTables(table_namespace); }
  Result<std::optional<io::CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    return store_.LoadTable(table_namespace, table);
  }
  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& metadata_location) override {
    return store_.CreateTable(table_namespace, table, metadata_location);
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    return store_.SwapTable(table_namespace, table, expected, next);
  }
  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override {
    return store_.DropTable(table_namespace, table);
  }

 protected:
  io::CatalogStore& store_;
};

}  // namespace sluice::sim
