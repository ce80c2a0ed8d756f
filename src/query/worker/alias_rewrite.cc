// SPDX-License-Identifier: Apache-2.0
#include "query/worker/alias_rewrite.h"

#include <map>
#include <utility>

#include "duckdb/optimizer/column_binding_replacer.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "query/worker/lake_scan.h"

namespace sluice::query {
namespace {

void RewriteScan(duckdb::LogicalGet& get, duckdb::vector<duckdb::ReplacementBinding>& moved) {
  auto& table = TableOfScan(*get.bind_data);
  auto& ids = get.GetColumnIds();
  duckdb::vector<duckdb::ColumnIndex> kept;
  std::map<duckdb::column_t, duckdb::idx_t> place;  // of a column in `kept`
  for (duckdb::idx_t i = 0; i < ids.size(); i++) {
    auto id = ids[i].GetPrimaryIndex();
    auto real = IsAlias(table, id) ? duckdb::ColumnIndex(table.aliases[id - kFirstAlias].column) : ids[i];
    auto [at, first] = place.emplace(real.GetPrimaryIndex(), kept.size());
    if (first) kept.push_back(real);
    if (at->second != i) moved.emplace_back(duckdb::ColumnBinding(get.table_index, i), duckdb::ColumnBinding(get.table_index, at->second));
  }
  get.SetColumnIds(std::move(kept));
}

void RewriteScans(duckdb::LogicalOperator& op, duckdb::vector<duckdb::ReplacementBinding>& moved) {
  if (op.type == duckdb::LogicalOperatorType::LOGICAL_GET) {
    auto& get = op.Cast<duckdb::LogicalGet>();
    if (get.function.name == kLakeScanName) RewriteScan(get, moved);
  }
  for (auto& child : op.children) RewriteScans(*child, moved);
}

}  // namespace

void RewriteAliases(duckdb::LogicalOperator& plan) {
  duckdb::ColumnBindingReplacer replacer;
  RewriteScans(plan, replacer.replacement_bindings);
  if (!replacer.replacement_bindings.empty()) replacer.VisitOperator(plan);
}

}  // namespace sluice::query
