// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Tables that are no business of ours and stand in the same catalog: of other versions of the format, with types, transforms and members
// that are not known here, and damaged in all the ways that a reader must name. A server starts and works beside them, and `sluice check`
// says what is wrong with each that it cannot read, once, and nothing of the others.

#include <string>
#include <vector>

#include "io/env.h"
#include "sim/dice.h"
#include "sim/run_state.h"

namespace sluice::sim {

inline constexpr char kGuests[] = "guests";  // their namespace

// Another engine makes one.
void MakeGuest(RunState& run, io::Env env, Dice& dice);

// Takes what has to be said of guests out of what `sluice check` found. Returns what is missing; empty: nothing.
std::string TakeGuestFindings(RunState& run, std::vector<std::string>& findings);

}  // namespace sluice::sim
