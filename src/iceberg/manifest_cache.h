// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Parsed manifests, kept because they never change. The least recently used leave first.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/object_store.h"
#include "iceberg/manifest_format.h"
#include "iceberg/table_metadata.h"

namespace sluice::iceberg {

using ManifestEntries = std::vector<ManifestEntry>;

// Thread-safe; two threads that miss the same manifest both read it.
class ManifestCache {
 public:
  static constexpr uint64_t kBytesMax = uint64_t{32} << 20;  // about 5,000 files with metrics of 13 columns

  explicit ManifestCache(uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // Errors as ReadManifest.
  Result<std::shared_ptr<const ManifestEntries>> Get(io::ObjectStore& objects, const ManifestFile& manifest, const TableMetadata& metadata);

  uint64_t bytes() const;  // of memory, as they can be told from what is in it
  uint64_t hits() const;
  uint64_t misses() const;

 private:
  struct Kept {
    std::string path;
    std::shared_ptr<const ManifestEntries> entries;
    uint64_t bytes;
  };
  std::shared_ptr<const ManifestEntries> Find(const std::string& path);
  void Keep(const std::string& path, std::shared_ptr<const ManifestEntries> entries);

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Kept> recent_;  // most recently used first
  std::map<std::string, std::list<Kept>::iterator> by_path_;
  uint64_t bytes_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace sluice::iceberg
