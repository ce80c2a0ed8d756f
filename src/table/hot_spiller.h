// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Keeps memory free for the rows of tables that get on: chunks that wait longer go to files.
//
//   tables that do not get on    beyond a share of the memory, the largest first, its oldest chunk
//   the others                   when memory is nearly full, the largest first, its newest chunk: the tier takes the oldest next;
//                                up to half of the files

#include <memory>
#include <mutex>
#include <vector>

#include "io/env.h"
#include "table/registry.h"

namespace sluice::table {

// Thread-safe. References must outlive it.
class HotSpiller {
 public:
  HotSpiller(io::Env env, TableRegistry& registry, ChunkMemory& memory);
  ~HotSpiller();

  // Looks whether memory is short, and works on a thread of its own while it is. Cheap: several times a second.
  void Tick();
  // One chunk. False: nothing needs to move, or nothing can. For tests, and for the thread. kExhausted, kIo, ..: a file could not
  // be written.
  Result<bool> Step();

 private:
  // The tables to take from, the largest first; none: memory is not short.
  std::vector<Table*> Victims(HotTail::Which& which) const;
  void Work();

  io::Env env_;
  TableRegistry& registry_;
  ChunkMemory& memory_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::unique_ptr<io::Signal> wake_;
  std::unique_ptr<io::Thread> thread_;  // made when it is needed first
};

}  // namespace sluice::table
