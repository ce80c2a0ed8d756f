// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What happens to a directory between the lives of servers: its log is copied, comes back later, and files that nobody refers to go.

#include <functional>

#include "sim/run_state.h"

namespace sluice::sim {

// Copies the log as it lies on the disk to the backup, durably. REQUIRES: no server runs, and no fault comes.
void BackUpLog(RunState& run, io::Env env);
// The backup takes the log's place.
void PutBackupInPlace(RunState& run, io::Env env);
// `sluice restore`, as an actor of the server's process. True: it came to its end.
bool RestoreLog(RunState& run, io::Env env);

// Waits until the server has removed what nobody refers to, of before the act. A finding where it does not.
void AwaitOrphanSearch(RunState& run, io::Env env);

}  // namespace sluice::sim
