// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Memory that a worker process may map and nobody but the owner may write: hot chunks.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace sluice::io {

// A fixed number of bytes, mapped read-write here, zero at first, pages already present. The bytes are not owned by any
// heap: the mapping ends with this object.
class SharedRegion {
 public:
  virtual ~SharedRegion() = default;
  virtual std::span<char> bytes() = 0;
  // A read-only descriptor of the same memory, owned by this: no process can get write access from it, nor change its
  // size (F_SEAL_FUTURE_WRITE, SHRINK, GROW, SEAL; reopened O_RDONLY). -1 in the simulator.
  virtual int descriptor() const = 0;
};

class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  // kExhausted: no memory. `size` is rounded up to whole pages.
  virtual Result<std::unique_ptr<SharedRegion>> Create(const std::string& name, size_t size) = 0;
};

}  // namespace sluice::io
