// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_catalog_lies.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sluice::io {
namespace {

using Kind = CatalogLie::Kind;
using TableName = SimulatedCatalogRows::TableName;

bool IsAboutChanges(Kind kind) { return kind == Kind::kLostCommit || kind == Kind::kLostAtCrash; }
bool Lasts(Kind kind) { return kind == Kind::kRolledBack || kind == Kind::kOtherTable || kind == Kind::kForgotten; }

}  // namespace

void SimulatedCatalogLies::Tell(const TableName& name, std::string what, int64_t now_ns) {
  told_ = ToldLie{"catalog/" + name.first + "." + name.second, 0, std::move(what), now_ns};
}

void SimulatedCatalogLies::OnChange(const CatalogLie& lie, const TableName& name, const SimulatedCatalogRows& before,
                                    SimulatedCatalogRows& after, int64_t now_ns) {
  const auto was = before.tables.find(name);
  const bool is_due = IsAboutChanges(lie.kind) && !told_ && !lost_at_crash_ && ++changes_ >= lie.nth;
  if (is_due && lie.kind == Kind::kLostCommit) {
    after.tables = before.tables;
    return Tell(name, "a change that was answered is lost", now_ns);
  }
  if (is_due && lie.kind == Kind::kLostAtCrash) {
    lost_at_crash_ = before.tables;
    lost_name_ = name;
  }
  if (was != before.tables.end()) history_[name].push_back(was->second);
}

std::optional<CatalogRow> SimulatedCatalogLies::Wrong(Kind kind, const TableName& name, const SimulatedCatalogRows& rows) {
  const auto now = rows.tables.find(name);
  if (now == rows.tables.end()) return std::nullopt;
  switch (kind) {
    case Kind::kRolledBack:
    case Kind::kOldAnswer: {
      const auto& old = history_[name];
      if (old.empty()) return std::nullopt;
      // Often one or two commits ago, sometimes any.
      const uint64_t back = random_.Coin() ? random_.Below(2) : random_.Below(old.size());
      return old[back < old.size() ? old.size() - 1 - back : 0];
    }
    case Kind::kOtherTable:
    case Kind::kOtherAnswer: {
      if (rows.tables.size() < 2) return std::nullopt;
      auto other = rows.tables.begin();
      std::advance(other, static_cast<std::ptrdiff_t>(random_.Below(rows.tables.size() - 1)));
      if (!(other->first < name)) ++other;
      return other->second;
    }
    default: return std::nullopt;
  }
}

std::optional<CatalogRow> SimulatedCatalogLies::Answer(const CatalogLie& lie, const TableName& name, SimulatedCatalogRows& rows,
                                                       int64_t now_ns) {
  const auto now = rows.tables.find(name);
  const auto truth = now == rows.tables.end() ? std::nullopt : std::optional(now->second);
  if (lie.kind == Kind::kNone || IsAboutChanges(lie.kind) || told_ || !truth || ++answers_ < lie.nth) return truth;
  const bool none = lie.kind == Kind::kForgotten || lie.kind == Kind::kNoneAnswer;
  const auto wrong = Wrong(lie.kind, name, rows);
  if (!none && !wrong) return truth;  // there is nothing yet that could be answered instead
  const bool lasts = Lasts(lie.kind);
  Tell(name, (none ? "there is no such table" : "it is at " + wrong->metadata_location) + std::string(lasts ? " from now on" : ", once"),
       now_ns);
  if (!lasts) return wrong;
  if (none) rows.tables.erase(name);
  else rows.tables[name] = *wrong;
  return wrong;
}

void SimulatedCatalogLies::OnPowerFailure(SimulatedCatalogRows& rows, int64_t now_ns) {
  if (!lost_at_crash_ || told_) return;
  const bool same =
      std::equal(rows.tables.begin(), rows.tables.end(), lost_at_crash_->begin(), lost_at_crash_->end(),
                 [](auto& a, auto& b) { return a.first == b.first && a.second.metadata_location == b.second.metadata_location; });
  if (same) return;
  rows.tables = *std::exchange(lost_at_crash_, std::nullopt);
  Tell(lost_name_, "its changes from one on are gone with the power", now_ns);
}

}  // namespace sluice::io
