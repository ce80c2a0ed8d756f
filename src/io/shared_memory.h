// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Bytes that a worker process may map and nobody but the owner may write: hot chunks, in memory or in a file.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace sluice::io {

// A fixed number of bytes, mapped here. They are not owned by any heap: the mapping ends with this object.
class SharedBytes {
 public:
  virtual ~SharedBytes() = default;
  virtual std::span<const char> view() const = 0;
  // Fills `to` with what stands from byte `at` on, past the mapping: touching a page that the disk does not give back ends the process.
  // kIo: it does not. REQUIRES: all of it is inside.
  virtual Result<void> Read(uint64_t at, std::span<char> to) const = 0;
  // A read-only descriptor of the same bytes, owned by this. -1 in the simulator.
  virtual int descriptor() const = 0;
};

// Memory, mapped read-write here, zero at first, pages already present. No process can get write access from its descriptor, nor
// change its size (F_SEAL_FUTURE_WRITE, SHRINK, GROW, SEAL; reopened O_RDONLY).
class SharedRegion : public SharedBytes {
 public:
  virtual std::span<char> bytes() = 0;
};

class SharedMemory {
 public:
  virtual ~SharedMemory() = default;
  // kExhausted: no memory. `size` is rounded up to whole pages.
  virtual Result<std::unique_ptr<SharedRegion>> Create(const std::string& name, size_t size) = 0;
  // What stands in `file` now, mapped read-only; the kernel drops its pages when memory is short. `file` may be closed. There are no
  // seals on files: whoever gets the descriptor must be one that may not open anything, as the SQL workers are.
  // REQUIRES: the file is not empty, and nobody changes it any more. kIo, kExhausted: it cannot be mapped.
  virtual Result<std::unique_ptr<SharedBytes>> MapFile(File& file) = 0;
};

}  // namespace sluice::io
