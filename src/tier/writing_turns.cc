// SPDX-License-Identifier: Apache-2.0
#include "tier/writing_turns.h"

#include <utility>

namespace sluice::tier {

WritingTurns::Turn WritingTurns::Take() {
  std::shared_ptr<io::Signal> begun = threads_.NewSignal();
  {
    std::lock_guard lock(mutex_);
    if (left_ > 0) {
      left_--;
      return Turn(*this);
    }
    waiting_.push_back(begun);
  }
  begun->Wait();
  return Turn(*this);
}

void WritingTurns::End() {
  std::shared_ptr<io::Signal> next;
  {
    std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      left_++;
      return;
    }
    next = std::move(waiting_.front());
    waiting_.pop_front();
  }
  next->Notify();
}

size_t WritingTurns::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace sluice::tier
