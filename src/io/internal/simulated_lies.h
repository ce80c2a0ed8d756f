// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one lie that a simulated disk may tell (DiskLie in io/simulated_world.h).

#include <optional>
#include <string>
#include <string_view>

#include "base/path.h"
#include "io/internal/seeded_random.h"
#include "io/internal/simulated_disk.h"
#include "io/simulated_world.h"

namespace sluice::io {

// Not thread-safe: whoever holds the baton uses it.
class SimulatedLies {
 public:
  SimulatedLies(SimulatedDisk& disk, uint64_t seed) : disk_(disk), random_(seed) {}

  // Before a write of `bytes` takes effect. True: it was told to have happened, and something else did.
  bool TakeWrite(const DiskLie& lie, const Path& path, SimulatedInode& inode, uint64_t at, std::string_view bytes, bool direct,
                 int64_t now_ns);
  // Behind a write.
  void Rot(const DiskLie& lie, const Path& path, int64_t now_ns);
  // Behind a read of `size` bytes.
  void TouchRead(const DiskLie& lie, const Path& path, char* bytes, size_t size, int64_t now_ns);

  const std::optional<ToldLie>& told() const { return told_; }

 private:
  bool IsDue(const DiskLie& lie, DiskLie::Kind kind, const Path& path);
  void Tell(const Path& path, uint64_t at, std::string what, int64_t now_ns);
  std::pair<Path, SimulatedInodePtr> AnyFile(const std::string& part);

  SimulatedDisk& disk_;
  SeededRandom random_;
  uint64_t calls_ = 0;
  std::optional<ToldLie> told_;
};

}  // namespace sluice::io
