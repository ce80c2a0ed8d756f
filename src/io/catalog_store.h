// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one row per table that an Iceberg SQL catalog is: name -> location of the current metadata file, changed by compare-and-set.
// The real one keeps the tables of the JDBC catalog in SQLite (PyIceberg, Spark and Trino open the same file); the simulated
// one is a map that can answer "unknown". What the rows mean is iceberg/'s.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice::io {

struct CatalogRow {
  std::string metadata_location;
  std::string previous_metadata_location;  // empty: none
};

// A namespace is its levels joined by '.'. Thread-safe; every call is a scheduling point.
// Errors of all calls beside those named: kUnavailable (locked, network), kIo, kCorruption; of all that change something: kCommitUnknown.
class CatalogStore {
 public:
  virtual ~CatalogStore() = default;
  virtual Result<std::vector<std::string>> ListNamespaces() = 0;
  // Success when it exists already; its properties then stay as they are.
  virtual Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>& properties) = 0;
  virtual Result<std::vector<std::string>> ListTables(const std::string& table_namespace) = 0;
  // Nothing: no such table.
  virtual Result<std::optional<CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) = 0;
  // kExists: there is one. kCommitUnknown: it may have been created.
  virtual Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& metadata_location) = 0;
  // Moves the table from `expected` to `next`. kConflict: it is not at `expected`, nothing was changed. kCommitUnknown: it may have moved.
  virtual Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected, const std::string& next) = 0;
  // kNotFound: there is none.
  virtual Result<void> DropTable(const std::string& table_namespace, const std::string& table) = 0;
};

}  // namespace sluice::io
