// SPDX-License-Identifier: Apache-2.0
#include "iceberg/manifest_cache.h"

#include <algorithm>

#include "iceberg/manifest_reader.h"

namespace sluice::iceberg {
namespace {

// As the C library gives them out: 16 bytes at a time, 8 of which are its own.
constexpr uint64_t PieceBytes(uint64_t bytes) { return bytes == 0 ? 0 : std::max<uint64_t>(32, (bytes + 8 + 15) / 16 * 16); }

uint64_t BeyondItself(int64_t) { return 0; }
uint64_t BeyondItself(const std::string& text) { return text.capacity() < sizeof text / 2 ? 0 : PieceBytes(text.capacity() + 1); }
uint64_t BeyondItself(const std::optional<std::string>& text) { return text ? BeyondItself(*text) : 0; }

uint64_t BeyondItself(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr ? BeyondItself(*text) : 0;
}

uint64_t BeyondItself(const ManifestEntry&) { return 0; }  // BytesOf

template <class T>
uint64_t BeyondItself(const std::vector<T>& items) {
  uint64_t out = PieceBytes(items.capacity() * sizeof(T));
  for (auto& item : items) out += BeyondItself(item);
  return out;
}

template <class T>
uint64_t BeyondItself(const std::map<FieldId, T>& map) {
  constexpr uint64_t kLinks = 4 * sizeof(void*);
  uint64_t out = map.size() * PieceBytes(kLinks + sizeof(typename std::map<FieldId, T>::value_type));
  for (auto& [field, value] : map) out += BeyondItself(value);
  return out;
}

uint64_t BytesOf(const ManifestEntries& entries) {
  uint64_t out = BeyondItself(entries);
  for (auto& [status, snapshot_id, sequence_number, file_sequence_number, file] : entries) {
    auto& m = file.metrics;
    out += BeyondItself(file.path) + BeyondItself(file.partition) + BeyondItself(file.split_offsets) + BeyondItself(file.equality_ids) +
           BeyondItself(m.column_sizes) + BeyondItself(m.value_counts) + BeyondItself(m.null_value_counts) +
           BeyondItself(m.nan_value_counts) + BeyondItself(m.lower_bounds) + BeyondItself(m.upper_bounds) +
           BeyondItself(file.key_metadata) + BeyondItself(file.referenced_data_file);
  }
  return out;
}

}  // namespace

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
  return it->second->entries;
}

void ManifestCache::Keep(const std::string& path, std::shared_ptr<const ManifestEntries> entries) {
  const uint64_t bytes = BytesOf(*entries);
  std::lock_guard lock(mutex_);
  if (bytes > bytes_max_ || by_path_.contains(path)) return;
  bytes_ += bytes;
  recent_.push_front({path, std::move(entries), bytes});
  by_path_[path] = recent_.begin();
  while (bytes_ > bytes_max_) {
    bytes_ -= recent_.back().bytes;
    by_path_.erase(recent_.back().path);
    recent_.pop_back();
  }
}

uint64_t ManifestCache::bytes() const { std::lock_guard lock(mutex_); return bytes_; }
uint64_t ManifestCache::hits() const { std::lock_guard lock(mutex_); return hits_; }
uint64_t ManifestCache::misses() const { std::lock_guard lock(mutex_); return misses_; }

}  // namespace sluice::iceberg
