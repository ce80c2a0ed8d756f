// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Manifest lists: one per snapshot, naming its manifests with what is needed to skip them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/object_store.h"
#include "iceberg/manifest_format.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// The bytes of the list of `snapshot`. Manifests without a sequence number get the snapshot's.
// `sync`: 16 random bytes.
std::string SerializeManifestList(const Snapshot& snapshot, std::vector<ManifestFile> manifests, std::string sync);

// Lists of format versions 1 and 2. kCorruption: damaged bytes.
Result<std::vector<ManifestFile>> ParseManifestList(std::string_view bytes);

// The manifests of a snapshot. Also of version 1 snapshots that name their manifests themselves; their counts are not known.
// Errors name the list. kNotFound: it is gone. kCorruption also when its header names another snapshot.
Result<std::vector<ManifestFile>> ReadManifestList(io::ObjectStore& objects, const Snapshot& snapshot);

}  // namespace sluice::iceberg
