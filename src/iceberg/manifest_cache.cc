// SPDX-License-Identifier: Apache-2.0
#include "iceberg/manifest_cache.h"

#include "iceberg/manifest_reader.h"

namespace sluice::iceberg {

Result<std::shared_ptr<const ManifestEntries>> ManifestCache::Get(io::ObjectStore& objects, const ManifestFile& manifest,
                                                                  const TableMetadata& metadata) {
  if (auto found = Find(manifest.path)) return found;
  ASSIGN_OR_RETURN(ManifestEntries entries, ReadManifest(objects, manifest, metadata));
  auto shared = std::make_shared<const ManifestEntries>(std::move(entries));
  Keep(manifest.path, shared);
  return shared;
}

std::shared_ptr<const ManifestEntries> ManifestCache::Find(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto it = by_path_.find(path);
  (it == by_path_.end() ? misses_ : hits_)++;
  if (it == by_path_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second);
  return it->second->second;
}

void ManifestCache::Keep(const std::string& path, std::shared_ptr<const ManifestEntries> entries) {
  std::lock_guard lock(mutex_);
  if (entries->size() > entries_max_ || by_path_.contains(path)) return;
  entries_ += entries->size();
  recent_.emplace_front(path, std::move(entries));
  by_path_[path] = recent_.begin();
  while (entries_ > entries_max_) {
    entries_ -= recent_.back().second->size();
    by_path_.erase(recent_.back().first);
    recent_.pop_back();
  }
}

size_t ManifestCache::entries() const { std::lock_guard lock(mutex_); return entries_; }
uint64_t ManifestCache::hits() const { std::lock_guard lock(mutex_); return hits_; }
uint64_t ManifestCache::misses() const { std::lock_guard lock(mutex_); return misses_; }

}  // namespace sluice::iceberg
