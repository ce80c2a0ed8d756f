// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Another engine on the same catalog. It changes what belongs to everybody: columns, partitioning, properties, history; and now and then
// it takes away the table's progress, so that somebody has to say where the table goes on.

#include "server/table_feed.h"
#include "sim/run_state.h"

namespace sluice::sim {

// Has tables visited by a process of its own until the senders are done. It begins again when a power failure has ended it.
void KeepVisiting(RunState& run, io::Env env);

// A table is paused. True: the other engine is to blame, and it is being resumed.
bool ResumeVisited(RunState& run, server::TableFeed& feed);

}  // namespace sluice::sim
