// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one lie that a simulated catalog may tell (CatalogLie in io/simulated_world.h).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/internal/seeded_random.h"
#include "io/internal/simulated_catalog_rows.h"
#include "io/simulated_world.h"

namespace sluice::io {

// Not thread-safe: whoever holds the baton uses it.
class SimulatedCatalogLies {
 public:
  explicit SimulatedCatalogLies(uint64_t seed) : random_(seed) {}

  // `before` became `after` by a change of `name` that is about to be answered as made. Puts into `after` what is there instead.
  void OnChange(const CatalogLie& lie, const SimulatedCatalogRows::TableName& name, const SimulatedCatalogRows& before,
                SimulatedCatalogRows& after, int64_t now_ns);
  // Before an answer about `name`: changes the rows, if the lie lasts, and returns what is answered.
  std::optional<CatalogRow> Answer(const CatalogLie& lie, const SimulatedCatalogRows::TableName& name, SimulatedCatalogRows& rows,
                                   int64_t now_ns);
  void OnPowerFailure(SimulatedCatalogRows& rows, int64_t now_ns);

  const std::optional<ToldLie>& told() const { return told_; }

 private:
  using Tables = std::map<SimulatedCatalogRows::TableName, CatalogRow>;
  void Tell(const SimulatedCatalogRows::TableName& name, std::string what, int64_t now_ns);
  std::optional<CatalogRow> Wrong(CatalogLie::Kind kind, const SimulatedCatalogRows::TableName& name, const SimulatedCatalogRows& rows);

  SeededRandom random_;
  uint64_t changes_ = 0, answers_ = 0;
  std::map<SimulatedCatalogRows::TableName, std::vector<CatalogRow>> history_;  // oldest first, without the rows of now
  std::optional<Tables> lost_at_crash_;                                         // what a power failure leaves
  SimulatedCatalogRows::TableName lost_name_;
  std::optional<ToldLie> told_;
};

}  // namespace sluice::io
