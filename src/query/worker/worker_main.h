// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sluice::query {

// `sluice worker ...` (query/worker_options.h): a process that runs SQL for the server that started
// it and talks to it over descriptor 3; descriptors 4.. are its spill files. Ends with the server. Returns an exit code.
int WorkerMain(int argc, char** argv);

}  // namespace sluice::query
