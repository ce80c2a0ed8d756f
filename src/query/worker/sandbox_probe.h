// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests only: what native code that took a worker over could still do.

#include <string>

namespace sluice::query {

// Enters the sandbox and tries probe `name`. Returns 0 when it was refused (or the kernel kills the process), 1 when it worked, 2 when the sandbox
// or the probe does not exist.
int ProbeSandbox(const std::string& name);
// The same for names "chunk.x", "file.x" and "memory.x": with descriptors that a worker gets. 1, too, when hot rows were changed. Does not return.
int ProbeMemory(const std::string& name);

}  // namespace sluice::query
