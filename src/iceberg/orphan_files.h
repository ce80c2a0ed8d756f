// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Objects of a table that nobody refers to: of commits that never were, of writers that were killed, of an expiry that was not ended.
//
// Only data/ and metadata/ below the table's location are looked at, and only names as writers of tables give them. What counts is the
// last part of a name, which no two objects share: other engines spell the same place in other ways ("file:/a", "file:///a").

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "iceberg/catalog.h"
#include "io/object_store.h"

namespace sluice::iceberg {

struct OrphanFiles {
  std::vector<io::ObjectInfo> files;  // nobody refers to them, and they are old enough
  uint64_t young = 0;                 // how many more nobody refers to yet: a commit may be on its way
  // Why none of `files` may be removed; empty: they may.
  std::string kept_because;

  uint64_t bytes() const;
};

// Of the table `name`, as the catalog has it now. Files that changed at or after `modified_before_us` are not in `files`. They are kept when
//   - a metadata file came after the table's newest commit, by its time or its number: a commit of unknown outcome may still land
//   - the table has not all snapshots of `read`, those that somebody may be reading: what he reads is known to nobody else; or the catalog
//     names an earlier state of it
//   - the location belongs to another table, too, or did, and that one has or had rows
//   - the table says gc.enabled = false
// REQUIRES: nobody commits to the table for longer than the age that `modified_before_us` asks for, this process not at all meanwhile.
// Errors of reading: then nothing is known.
Result<OrphanFiles> FindOrphans(Catalog& catalog, io::ObjectStore& objects, const TableName& name, int64_t modified_before_us,
                                const std::set<SnapshotId>& read = {});

}  // namespace sluice::iceberg
