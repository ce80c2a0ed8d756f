// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What a table's snapshots refer to, and what nobody refers to any more after some of them left.

#include <set>
#include <string>

#include "base/result.h"
#include "io/object_store.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// URIs as they are written in the metadata. Delete in the order of the members, so that what is left can still be found.
struct ReachableFiles {
  std::set<std::string> data_files;  // and delete files
  std::set<std::string> manifests;
  std::set<std::string> manifest_lists;
  std::set<std::string> statistics_files;
};

// Everything that `table`'s snapshots refer to, entries of deleted files included.
Result<ReachableFiles> ListReachable(io::ObjectStore& objects, const TableMetadata& table);

// What `before` refers to and `after` does not. REQUIRES: the commit that led from one to the other is known to be in; `after` is
// the current metadata (a file that a later commit brought back would otherwise be listed).
// Errors of reading: then nothing is known to be unreachable.
Result<ReachableFiles> ListUnreachable(io::ObjectStore& objects, const TableMetadata& before, const TableMetadata& after);

}  // namespace sluice::iceberg
