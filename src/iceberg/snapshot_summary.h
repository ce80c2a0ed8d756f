// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The summary of a snapshot: what it did, and running totals. Source: Iceberg table spec, appendix F.

#include <string>
#include <vector>

#include "iceberg/table_change.h"

namespace sluice::iceberg {

// "append" when only data files come, "delete" when data files only go or only delete files come, else "overwrite".
std::string ChooseOperation(const SnapshotChange& change);

// `removed`: the entries of change.removed_paths. `parent`: the summary before; null for the first snapshot, whose totals start
// at zero. A total that the parent lacks, or that would become negative, is left out. change.summary cannot overwrite an entry.
Properties MakeSummary(const SnapshotChange& change, const std::vector<AddedFile>& removed, const Properties* parent);

}  // namespace sluice::iceberg
