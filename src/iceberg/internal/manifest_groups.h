// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which manifests of a snapshot are written as one. Many small commits would otherwise make lists that nobody can plan with.

#include <vector>

#include "iceberg/manifest_format.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// Groups in the order of `manifests` (the newest first); a group of one stays as it is. Properties: commit.manifest-merge.enabled,
// commit.manifest.target-size-bytes, commit.manifest.min-count-to-merge (the group with the newest manifest waits for so many).
std::vector<std::vector<ManifestFile>> GroupManifests(const TableMetadata& table, std::vector<ManifestFile> manifests);

}  // namespace sluice::iceberg
