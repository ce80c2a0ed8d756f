// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Who may write data files now. What one writing needs has a bound (data_file_stager.h), the number of tables has none that would help: so
// only some write at a time, and the others wait, in the order in which they asked.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "io/threads.h"

namespace sluice::tier {

// Thread-safe; must outlive its turns.
class WritingTurns {
 public:
  // `at_once`: turns that are taken at the same time, at most.
  WritingTurns(io::Threads& threads, uint32_t at_once) : threads_(threads), left_(at_once) {}
  WritingTurns(const WritingTurns&) = delete;

  // Held by the one whose turn it is; the next one's turn begins where it is destroyed.
  class Turn {
   public:
    explicit Turn(WritingTurns& of) : of_(&of) {}
    Turn(Turn&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (of_ != nullptr) of_->End();
    }

   private:
    WritingTurns* of_;
  };

  // Waits until it is the caller's turn: for as long as those before write. REQUIRES: the caller has none.
  [[nodiscard]] Turn Take();
  size_t waiting() const;

 private:
  void End();

  io::Threads& threads_;
  mutable std::mutex mutex_;
  uint32_t left_;
  std::deque<std::shared_ptr<io::Signal>> waiting_;  // rung when it is their turn
};

}  // namespace sluice::tier
