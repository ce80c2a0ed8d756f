// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The names of the simulated disk: a tree of directories, with what of it is durable.
//
// Changes of names are remembered until a directory that they touch is synced. A crash keeps, for each group of directories that
// renames connect, the changes up to some point in time: journaling file systems keep their order.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/path.h"
#include "base/result.h"
#include "io/internal/simulated_content.h"

namespace sluice::io {

// A file or a directory.
struct SimulatedInode {
  uint64_t number = 0;
  bool is_directory = false;
  int64_t modified_us = 0;
  SimulatedContent content;                                      // of a file
  std::map<std::string, std::shared_ptr<SimulatedInode>> names;  // of a directory, as the running system sees it
  std::map<std::string, std::shared_ptr<SimulatedInode>> durable_names;
};
using SimulatedInodePtr = std::shared_ptr<SimulatedInode>;

// Not thread-safe: whoever holds the baton uses it. Calls have no faults and cost no time: those are added by the file system.
// Paths are absolute or relative to "/", with '/' between names.
class SimulatedDisk {
 public:
  SimulatedDisk();

  // kNotFound; kInvalid when something on the way is no directory.
  Result<SimulatedInodePtr> Find(const Path& path) const;
  // A new file. kExists.
  Result<SimulatedInodePtr> CreateFile(const Path& path);
  // Without a name.
  SimulatedInodePtr MakeInode(bool is_directory);
  Result<void> CreateDirectory(const Path& path);
  Result<void> Rename(const Path& from, const Path& to, bool replace);
  Result<void> Remove(const Path& path);
  Result<void> SyncDirectory(const Path& path);
  // Bytes of all files that have a name.
  uint64_t BytesUsed() const;
  void ForEachFile(const std::function<void(const Path&, const SimulatedInodePtr&)>& visit) const;
  // A copy of a tree, durable, without what is below `without`. `power_failure`: of the state that a crash would leave of the bytes.
  Result<void> Clone(const Path& from, const Path& to, const Path& without, SeededRandom* power_failure);
  // The machine stops: names and bytes become one of the states that the disk may be in.
  void Crash(SeededRandom& random);

 private:
  // A place for a name.
  struct Place {
    SimulatedInodePtr directory;
    std::string name;
  };
  // One or two places get or lose their inode, together.
  struct NameChange {
    std::vector<std::pair<Place, SimulatedInodePtr>> sets;  // null: the name goes
    bool Touches(const SimulatedInodePtr& directory) const;
    bool Touches(const Place& place) const;
  };

  SimulatedInodePtr CopyOf(const SimulatedInode& inode, const SimulatedInodePtr& without, SeededRandom* power_failure);
  Result<Place> Locate(const Path& path) const;
  void Change(NameChange change);
  static void MakeDurable(const NameChange& change);
  void CrashNames(SeededRandom& random);

  SimulatedInodePtr root_;
  uint64_t next_inode_ = 2;
  std::vector<NameChange> unsynced_;
};

}  // namespace sluice::io
