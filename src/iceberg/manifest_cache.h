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
  static constexpr size_t kEntriesMax = 200'000;  // over all manifests; about 1 KiB each with metrics of 25 columns

  explicit ManifestCache(size_t entries_max = kEntriesMax) : entries_max_(entries_max) {}

  // Errors as ReadManifest.
  Result<std::shared_ptr<const ManifestEntries>> Get(io::ObjectStore& objects, const ManifestFile& manifest, const TableMetadata& metadata);

  size_t entries() const;
  uint64_t hits() const;
  uint64_t misses() const;

 private:
  using Kept = std::pair<std::string, std::shared_ptr<const ManifestEntries>>;
  std::shared_ptr<const ManifestEntries> Find(const std::string& path);
  void Keep(const std::string& path, std::shared_ptr<const ManifestEntries> entries);

  const size_t entries_max_;
  mutable std::mutex mutex_;
  std::list<Kept> recent_;  // most recently used first
  std::map<std::string, std::list<Kept>::iterator> by_path_;
  size_t entries_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace sluice::iceberg
