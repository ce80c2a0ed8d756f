// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One commit from first try to outcome. See catalog.h for the protocol.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "io/catalog_store.h"
#include "io/env.h"
#include "iceberg/catalog.h"
#include "iceberg/snapshot_producer.h"

namespace sluice::iceberg {

// Reads a metadata file. kNotFound: it is gone.
Result<std::shared_ptr<const TableMetadata>> LoadMetadataFile(io::ObjectStore& objects, const std::string& location);

class TableCommit {
 public:
  TableCommit(io::CatalogStore& store, io::Env env, const TableChange& change, const Precondition& precondition);
  Result<Table> Run(Table base);

 private:
  // What one attempt wrote and wants the table to become.
  struct Attempt {
    Table next;
    std::vector<std::string> cut_metadata;  // metadata files that fell off the log
  };

  Result<Attempt> Prepare(const Table& base);
  Result<void> WriteMetadata(const std::string& location, const TableMetadata& metadata);
  Result<void> Swap(const Table& base, const Table& next);
  Result<void> Settle(const Table& base, const Table& next);
  Result<Table> Refresh(const Table& base);
  bool WaitForRetry(int attempt);
  void Finished(const Attempt& attempt);
  void Abandon();
  void Remove(const std::string& uri);

  io::CatalogStore& store_;
  io::Env env_;
  const TableChange& change_;
  const Precondition& precondition_;
  std::unique_ptr<SnapshotProducer> producer_;
  std::set<std::string> metadata_written_;  // by attempts that are known to have failed, or by the current one
  int retries_max_ = 0;
  int64_t deadline_ns_ = 0;
  base::Backoff backoff_;
};

}  // namespace sluice::iceberg
