// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Writes one manifest in memory: entries of one partition spec and one content.

#include <memory>
#include <string>
#include <vector>

#include "iceberg/manifest_format.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

// The bytes of a finished manifest and its line for the manifest list, still without path and sequence numbers.
struct WrittenManifest {
  std::string bytes;
  ManifestFile file;
};

// Not thread-safe.
class ManifestWriter {
 public:
  // `metadata` must have `spec_id`; it is only used in the constructor. `snapshot_id`: the commit that writes it.
  // `sync`: 16 random bytes.
  ManifestWriter(const TableMetadata& metadata, SpecId spec_id, ManifestContent content, SnapshotId snapshot_id, std::string sync);
  ~ManifestWriter();
  ManifestWriter(ManifestWriter&&) noexcept;

  // REQUIRES: the file's partition fits the spec, its content the manifest's; kExisting and kDeleted entries have all numbers.
  void Add(const ManifestEntry& entry);
  // Bytes so far, roughly: before compression of the last block.
  size_t bytes() const;
  WrittenManifest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::iceberg
