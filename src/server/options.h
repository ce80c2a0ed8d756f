// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Everything that can be set, as one value. Where a setting comes from: flag, else environment, else file, else default.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/path.h"
#include "base/result.h"
#include "iceberg/manifest_cache.h"
#include "ingest/router.h"
#include "log/log.h"
#include "tier/tier_options.h"

namespace sluice::server {

// How a topic is made when its first event comes. Existing topics keep what cannot change.
struct TopicOptions {
  int32_t partitions = 0;            // 0: log.partitions_default
  std::vector<std::string> key;      // JSON pointers into the event
  std::string partitioning;          // of the table; empty: the default
  std::string table;                 // "namespace.name"; empty: from the topic's name
};

struct HttpOptions {
  uint32_t connections_max = 10'000;
  uint64_t body_bytes_max = uint64_t{5} << 20;      // as received
  uint64_t inflated_bytes_max = uint64_t{32} << 20;  // decoded
};

struct SqlOptions {
  uint32_t workers = 2;
  int64_t timeout_ms = 30'000;
  uint64_t worker_bytes_max = uint64_t{1} << 30;   // private memory of a worker process
  uint64_t duckdb_bytes_max = uint64_t{512} << 20;  // what DuckDB may use of it
  uint64_t spill_bytes_max = uint64_t{1} << 30;
  uint64_t manifests_bytes_max = iceberg::ManifestCache::kBytesMax;  // of the server's memory
};

struct ServerOptions {
  Path data = "./sluice-data";
  std::string listen = "127.0.0.1:8080";
  bool insecure = false;  // allow an address that is not loopback before there is authentication
  std::string log_level = "info";
  log::LogOptions log;
  ingest::RouterOptions routing;
  std::map<std::string, TopicOptions> topics;
  std::string partitioning = "identity(type), hour(time)";
  uint64_t hot_bytes_max = uint64_t{1} << 30;
  uint64_t hot_disk_bytes_max = uint64_t{4} << 30;
  size_t hot_chunk_bytes = size_t{8} << 20;  // no setting: only tests make it smaller (table/hot_chunk_format.h)
  tier::TierOptions tier;
  HttpOptions http;
  SqlOptions sql;

  // `log` with the commit that fits into a segment: small segments shrink what one request may bring.
  log::LogOptions LogOptionsInUse() const;
  // kInvalid names the setting and the bound.
  Result<void> Validate() const;
};

}  // namespace sluice::server
