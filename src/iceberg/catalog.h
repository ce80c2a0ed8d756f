// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Catalog: tables by name, and the one protocol that changes them.
//
//   refresh ── precondition ── apply ── write manifests, list, metadata ── compare-and-set ──┬── committed
//      ▲                                                                                     ├── conflict: somebody was first
//      └──────────────────────────── back off, same data files ◀─────────────────────────────┘
//                                                                          unknown: settle, see below
//
// Settling: the compare-and-set may have landed, may land later, or may have been lost. While the table still stands at our
// base, the same set is tried again with the same file; once it moved, the successor of our base in the metadata log
// tells who moved it. Until that is known no file is removed.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/catalog_store.h"
#include "io/env.h"
#include "iceberg/table_change.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

struct TableName {
  std::string table_namespace;  // levels joined by '.'
  std::string name;

  std::string ToString() const { return table_namespace + "." + name; }
  auto operator<=>(const TableName&) const = default;
};

// A table as of one metadata file. Immutable; copy freely.
struct Table {
  TableName name;
  std::string metadata_location;
  std::shared_ptr<const TableMetadata> metadata;
};

struct CatalogOptions {
  std::string warehouse;  // URI under which new tables are put: <warehouse>/<namespace levels by '/'>/<table>
};

// Whether the change may still be made; evaluated on every base that an attempt starts from. Its error ends the commit.
using Precondition = std::function<Result<void>(const TableMetadata& base)>;

// Thread-safe: it holds no state but what it was given. Nothing here locks; two commits to one table race, and one retries.
// Every call reads or writes objects and may block. `store` and what is behind `env` must outlive it.
class Catalog {
 public:
  Catalog(io::CatalogStore& store, io::Env env, CatalogOptions options);

  Result<std::vector<std::string>> ListNamespaces();
  // Success when it exists. kInvalid: an empty level.
  Result<void> CreateNamespace(const std::string& name, const Properties& properties = {});
  Result<std::vector<std::string>> ListTables(const std::string& table_namespace);

  // kNotFound: no such table, or its metadata file is gone. Otherwise as ParseTableMetadata.
  Result<Table> LoadTable(const TableName& name);

  // `table.table_uuid` and, if empty, `table.location` are filled in here; unless set otherwise, old metadata files are
  // deleted after commits (100 are kept). kExists: there is one. kCommitUnknown: it may have been created; LoadTable tells.
  Result<Table> CreateTable(const TableName& name, NewTable table);

  // Makes `change` the next version of the table, starting from `base` (as last seen; it may be old).
  // kConflict: lost every race (commit.retry.*), or CanApply or the producer says so: read the table again and plan again.
  // kCommitUnknown: whether it is in could not be learned; repeat with the same files, the precondition settles it.
  // kNotFound: the table is gone or another table (uuid) has its name. Errors of the precondition pass through.
  Result<Table> Commit(const Table& base, const TableChange& change, const Precondition& precondition = {});

  // Another table than `besides` whose metadata lies below `location`; nothing: there is none.
  Result<std::optional<TableName>> FindTableAt(const std::string& location, const TableName& besides);

  // Takes the name away; the files stay.
  Result<void> DropTable(const TableName& name);

 private:
  io::CatalogStore& store_;
  io::Env env_;
  CatalogOptions options_;
};

}  // namespace sluice::iceberg
