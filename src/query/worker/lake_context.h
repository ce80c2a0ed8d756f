// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the parts of the worker that derive from DuckDB's classes share. One per process, owned by WorkerMain, outlives the database.

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "duckdb.hpp"
#include "query/protocol.h"
#include "query/worker/chunk_mappings.h"
#include "query/worker/server_channel.h"

namespace sluice::query {

inline constexpr std::string_view kFileScheme = "lakefd://";
inline constexpr std::string_view kSpillScheme = "lakespill://";

// The files and chunks that the scans of the running statement were told of. Thread-safe.
class ScannedFiles {
 public:
  // The place of `file`, valid until Clear.
  size_t Add(ScannedFile file) {
    std::lock_guard lock(mutex_);
    files_.push_back(std::make_shared<const ScannedFile>(std::move(file)));
    return files_.size() - 1;
  }
  std::shared_ptr<const ScannedFile> At(size_t place) const {
    std::lock_guard lock(mutex_);
    return files_.at(place);
  }
  void Clear() {
    std::lock_guard lock(mutex_);
    files_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const ScannedFile>> files_;
};

struct LakeContext {
  LakeContext(ServerChannel& channel, std::string secret) : server(channel), nonce(std::move(secret)), chunks(channel) {}

  ServerChannel& server;
  const std::string nonce;  // part of every path, so that no statement can name one
  ChunkMappings chunks;
  ScannedFiles scanned;
  // DuckDB's own functions as they were before they were dropped from its catalog.
  duckdb::TableFunction parquet_scan;
  duckdb::TableFunction arrow_scan;

  std::string FileDirectory() const { return std::string(kFileScheme) + nonce + "/"; }
  std::string SpillDirectory() const { return std::string(kSpillScheme) + nonce; }
};

}  // namespace sluice::query
