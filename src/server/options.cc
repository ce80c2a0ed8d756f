// SPDX-License-Identifier: Apache-2.0
#include "server/options.h"

#include <algorithm>

#include "io/sockets.h"
#include "table/event_schema.h"

namespace sluice::server {
namespace {

constexpr uint64_t kSegmentHeaderBytes = 4096;
constexpr uint64_t kHotChunksMin = 8;

}  // namespace

log::LogOptions ServerOptions::LogOptionsInUse() const {
  log::LogOptions out = log;
  if (out.segment_bytes > kSegmentHeaderBytes)
    out.commit_bytes_max = std::min(out.commit_bytes_max, out.segment_bytes - kSegmentHeaderBytes);
  return out;
}

Result<void> ServerOptions::Validate() const {
  auto refused = [](std::string what, std::string hint) { return Error{ErrorCode::kInvalid, std::move(what), std::move(hint)}; };
  if (data.empty()) return refused("data is empty", "name a directory");
  if (log_level != "debug" && log_level != "info" && log_level != "warn" && log_level != "error")
    return refused("log_level \"" + log_level + "\" is no level", "use debug, info, warn or error");
  if (hot_bytes_max < kHotChunksMin * hot_chunk_bytes) return refused("hot.bytes_max is below 64 MiB", "1 GiB is the default");
  if (http.connections_max == 0) return refused("http.connections_max is 0", "10000 is the default");
  if (http.body_bytes_max == 0 || http.inflated_bytes_max < http.body_bytes_max)
    return refused("http.inflated_bytes_max is smaller than http.body_bytes_max", "33554432 and 5242880 are the defaults");
  if (http.inflated_bytes_max > (uint64_t{1} << 30)) return refused("http.inflated_bytes_max is above 1 GiB", "33554432 is the default");
  if (sql.workers < 1 || sql.workers > 64) return refused("sql.workers is not between 1 and 64", "2 is the default");
  if (sql.timeout_ms < 1) return refused("sql.timeout_ms is 0", "30000 is the default");
  if (sql.worker_bytes_max < (uint64_t{256} << 20) || sql.duckdb_bytes_max > sql.worker_bytes_max)
    return refused("sql.worker_bytes_max is below 256 MiB or below sql.duckdb_bytes_max", "1 GiB and 512 MiB are the defaults");
  ASSIGN_OR_RETURN(auto address, io::ParseSocketAddress(listen));
  if (!address.is_loopback() && !insecure)
    return refused("\"" + listen + "\" can be reached from other machines, and nobody is authenticated yet",
                   "listen on 127.0.0.1, or say --insecure if the network is trusted");
  if (auto spec = table::ParsePartitioning(partitioning); !spec.ok()) return spec.error().While("reading table.partitioning");
  if (auto router = ingest::Router::Make(routing); !router.ok()) return router.error();
  RETURN_IF_ERROR(LogOptionsInUse().Validate());
  return tier.Validate();
}

}  // namespace sluice::server
