// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <utility>

#include "sim/forwarding_catalog.h"
#include "sim/reached.h"
#include "table/topic_name.h"

namespace sluice::sim {

// A catalog that does not answer for some tables: theirs do not get on, all others must.
class OutageCatalog final : public ForwardingCatalog {
 public:
  // `broken` may change; it and `reached` outlive this.
  OutageCatalog(io::CatalogStore& store, const std::set<table::TableName>& broken, Reached& reached)
      : ForwardingCatalog(store), broken_(broken), reached_(reached) {}
  Result<std::optional<io::CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    RETURN_IF_ERROR(Answer(table_namespace, table));
    return store_.LoadTable(table_namespace, table);
  }
  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& metadata_location) override {
    RETURN_IF_ERROR(Answer(table_namespace, table));
    return store_.CreateTable(table_namespace, table, metadata_location);
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    RETURN_IF_ERROR(Answer(table_namespace, table));
    return store_.SwapTable(table_namespace, table, expected, next);
  }

 private:
  Result<void> Answer(const std::string& table_namespace, const std::string& table) {
    if (!broken_.contains(table::TableName{table_namespace, table})) return {};
    reached_.Note(Reach::kTableOutage);
    return Error{ErrorCode::kUnavailable, "the catalog does not answer for " + table_namespace + "." + table, {}};
  }

  const std::set<table::TableName>& broken_;
  Reached& reached_;
};

}  // namespace sluice::sim
