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
  TableReadViews(io::Env env, const table::TableRegistry& registry) : env_(env), registry_(registry) {}
  Result<std::shared_ptr<const ReadView>> NewView() override;
  bool IsLoading(std::string_view schema, std::string_view name) override;

 private:
  io::Env env_;
  const table::TableRegistry& registry_;
  iceberg::ManifestCache manifests_;
};

}  // namespace sluice::query
