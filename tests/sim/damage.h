// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What may follow when the disk or the catalog lied (io::DiskLie, io::CatalogLie): everything is as if it had not, or the damage is named and nothing is answered from
// it. Only of the newest commit nobody can tell whether it was ever written.

#include <string>
#include <vector>

#include "sim/run_state.h"
#include "sim/view_check.h"

namespace sluice::sim {

// What the engine's words about damage have in common.
bool SaysDamage(const std::string& text);
// The engine refuses something, and says why. True: it had been lied to; so the run ends here, and well.
bool NameDamage(RunState& run, const std::string& where, const std::string& why);

// What a view found wrong. True: it lacks nothing but what was written in the moments before a crash, and the journal's end had rotted
// there; so the run ends here.
bool IsRottenTail(RunState& run, const std::vector<ShownTable>& shown, const ViewRules& rules, const std::string& finding);

// An answer that does not fit an earlier one about the same topic. True: for the same reason.
bool IsRottenAnswer(RunState& run, const std::string& topic, const std::string& finding);

}  // namespace sluice::sim
