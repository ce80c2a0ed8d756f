// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reads a file on threads of its own, some pieces at a time, while the caller works on what it read before.

#include <array>
#include <memory>

#include "base/large_array.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/threads.h"

namespace sluice::log {

// For one caller, and one file at a time. Has the memory of kReads pieces.
class ReadAhead {
 public:
  // Bytes of room in front of what is read, for what the caller has left of the bytes before.
  static constexpr size_t kRoom = size_t{4} << 20;
  static constexpr size_t kPieceBytes = size_t{4} << 20;
  static constexpr size_t kReads = 2;  // under way or waiting to be taken: the disk has the next one when it is through with one

  explicit ReadAhead(io::Threads& threads);
  ~ReadAhead();  // waits for the reads at hand

  // Begins to read what is from `at` to `end` of the file, piece by piece; waits for what was begun before, and forgets it.
  void Begin(std::shared_ptr<io::File> file, uint64_t at, uint64_t end);
  // The next piece, once it is there; no memory: it does not begin at `at` of `file`. Errors are the file's.
  struct Piece {
    base::LargeArray<char> memory;  // the bytes begin at kRoom
    size_t bytes = 0;
  };
  Result<Piece> Take(const io::File& file, uint64_t at);
  // Memory for a further piece, which is begun with it. REQUIRES: one for each piece taken, before the next one is.
  void Keep(base::LargeArray<char> memory);

 private:
  // A thread and its read.
  class Lane {
   public:
    explicit Lane(io::Threads& threads);
    ~Lane();
    void Begin(std::shared_ptr<io::File> file, uint64_t at, size_t n);
    bool is_under_way() const { return is_under_way_; }
    uint64_t at() const { return at_; }
    Result<size_t> End();                                 // 0: nothing was under way
    base::LargeArray<char>& memory() { return memory_; }  // REQUIRES: nothing is under way

   private:
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
  void BeginPiece(Lane& lane);

  std::shared_ptr<io::File> file_;
  uint64_t next_ = 0, end_ = 0;  // what is not begun yet
  size_t oldest_ = 0;            // of the lanes: the next piece to be taken is its
  std::array<std::unique_ptr<Lane>, kReads> lanes_;
};

}  // namespace sluice::log
