// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads a file on a thread of its own, while the caller works on what it read before.

#include <memory>

#include "base/large_array.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/threads.h"

namespace sluice::log {

// For one caller. One read at a time.
class ReadAhead {
 public:
  // Bytes of room in front of what is read, for what the caller has left of the bytes before.
  static constexpr size_t kRoom = size_t{1} << 20;

  explicit ReadAhead(io::Threads& threads);
  ~ReadAhead();  // waits for the read at hand

  // Begins to read `n` bytes; what was begun before and not taken is forgotten. `memory` is used again, if it is large enough.
  void Begin(std::shared_ptr<io::File> file, uint64_t at, size_t n, base::LargeArray<char> memory);
  // Memory for what will be begun. Waits for the read at hand and forgets it.
  void Keep(base::LargeArray<char> memory);
  // What was begun at `at` of `file`, once it is there; no memory: something else was begun. Errors are the file's.
  struct Piece {
    base::LargeArray<char> memory;  // the bytes begin at kRoom
    size_t bytes = 0;
  };
  Result<Piece> Take(const io::File& file, uint64_t at);

 private:
  Result<size_t> End();
  void Run();

  // The caller's, but while a read is under way; both signals hand them over.
  std::shared_ptr<io::File> file_;
  uint64_t at_ = 0;
  size_t bytes_ = 0;
  base::LargeArray<char> memory_;
  Result<size_t> got_ = size_t{0};
  bool ending_ = false;

  bool is_under_way_ = false;
  std::unique_ptr<io::Signal> begun_, ended_;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::log
