// SPDX-License-Identifier: Apache-2.0
#include "sim/damage.h"

#include <algorithm>
#include <set>

namespace sluice::sim {
namespace {

// Behind each commit comes another one within log.idle_mark_delay, which is 2 ms here, and a write.
constexpr int64_t kTailNs = 5'000'000;

bool IsJustBeforeCrash(const RunState& run, int64_t ns) {
  return std::any_of(run.crashes_ns.begin(), run.crashes_ns.end(), [&](int64_t crash) { return ns <= crash && crash - ns <= kTailNs; });
}

bool LiedAboutJournal(const RunState& run) {
  auto* lie = run.world.lie();
  return lie != nullptr && lie->path.find("/log/journal/") != Path::npos;
}

bool Rotten(RunState& run, const std::string& finding) {
  run.reached.Note(Reach::kRottenTail);
  run.verdict.Settle("the newest commit rotted before a crash", finding);
  return true;
}

}  // namespace

bool SaysDamage(const std::string& text) {
  return text.find("damaged") != std::string::npos || text.find("is not what was written") != std::string::npos;
}

bool NameDamage(RunState& run, const std::string& where, const std::string& why) {
  auto* lie = run.world.lie();
  if (lie == nullptr) return false;
  run.reached.Note(Reach::kDamageNamed);
  run.verdict.Settle(where, why);
  return true;
}

bool IsRottenAnswer(RunState& run, const std::string& topic, const std::string& finding) {
  if (finding.empty() || !LiedAboutJournal(run)) return false;
  auto& acknowledged = run.ledger.acknowledged();
  for (size_t i = 0; i < run.acknowledged_ns.size(); i++)
    if (acknowledged[i].topic == topic && IsJustBeforeCrash(run, run.acknowledged_ns[i])) return Rotten(run, finding);
  return false;
}

bool IsRottenTail(RunState& run, const std::vector<ShownTable>& shown, const ViewRules& rules, const std::string& finding) {
  if (!LiedAboutJournal(run)) return false;
  std::set<EventKey> there;
  for (auto& table : shown) {
    for (auto& file : table.rows.lake)
      for (auto& row : *file) there.insert(KeyOf(row, table.topic));
    for (auto& row : table.rows.hot) there.insert(KeyOf(row, table.topic));
  }
  bool lost =
      finding.find("was in an earlier view and is gone") != std::string::npos && IsJustBeforeCrash(run, run.world.lie()->monotonic_ns);
  for (size_t i = 0; i < rules.acknowledged; i++) {
    auto& key = run.ledger.acknowledged()[i];
    if (there.contains(key) || rules.left_out.contains(key.topic)) continue;
    if (!IsJustBeforeCrash(run, run.acknowledged_ns[i])) return false;
    lost = true;
  }
  return lost && Rotten(run, finding);
}

}  // namespace sluice::sim
