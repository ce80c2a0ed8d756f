// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads manifests of format versions 1 and 2, tolerant of what writers leave out (fields are found by id; spec and content come
// from the manifest list).

#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/object_store.h"
#include "iceberg/manifest_format.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// The entries of one manifest with inherited snapshot and sequence numbers filled in, in the order of the file.
// `partition`: PartitionTypeOf the manifest's spec.
// kCorruption: damaged bytes or a value of a wrong type. kInvalid: a codec that is not supported.
Result<std::vector<ManifestEntry>> ParseManifest(std::string_view bytes, const ManifestFile& manifest, const Type& partition);

// Reads and parses it; errors name its path. kNotFound: the file is gone. kCorruption also when the table lacks its
// spec, and when it is not as long as its list says or its header names another snapshot than that.
Result<std::vector<ManifestEntry>> ReadManifest(io::ObjectStore& objects, const ManifestFile& manifest, const TableMetadata& metadata);

}  // namespace sluice::iceberg
