// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Read views over the tables of a registry: a snapshot's files out of its manifests, and the hot rows behind it.

#include <memory>

#include "iceberg/manifest_cache.h"
#include "io/env.h"
#include "query/read_view.h"
#include "table/registry.h"

namespace sluice::query {

// Thread-safe. References must outlive it and every view.
class TableReadViews : public ReadViewSource {
 public:
  // `manifests_bytes_max`: of memory, for manifests of tables that were read.
  TableReadViews(io::Env env, const table::TableRegistry& registry, uint64_t manifests_bytes_max = iceberg::ManifestCache::kBytesMax)
      : env_(env), registry_(registry), manifests_(manifests_bytes_max) {}
  Result<std::shared_ptr<const ReadView>> NewView() override;
  bool IsLoading(std::string_view schema, std::string_view name) override;
  uint64_t manifests_bytes() const { return manifests_.bytes(); }

 private:
  io::Env env_;
  const table::TableRegistry& registry_;
  iceberg::ManifestCache manifests_;
};

}  // namespace sluice::query
