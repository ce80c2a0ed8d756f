// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one way from thread to thread: many producers, one consumer, a named bound, closed from the edge inwards.

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "io/threads.h"

namespace sluice::io {

template <class T>
class BoundedQueue {
 public:
  // `bound`: items at most.
  BoundedQueue(Threads& threads, size_t bound) : filled_(threads.NewSignal()), bound_(bound) {}

  // False: full or closed; `item` is untouched and the caller sheds load.
  bool TryPush(T&& item) {
    {
      std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= bound_) return false;
      items_.push_back(std::move(item));
    }
    filled_->Notify();
    return true;
  }
  // The oldest item; nothing after `timeout_us`, or when the queue is closed and empty.
  std::optional<T> Pop(int64_t timeout_us = -1) {
    for (bool timed_out = false;;) {
      {
        std::lock_guard lock(mutex_);
        if (!items_.empty()) {
          std::optional<T> item(std::move(items_.front()));
          items_.pop_front();
          return item;
        }
        if (closed_ || timed_out) return std::nullopt;
      }
      // The bell may still ring for an item that was popped without waiting: then nothing timed out.
      timed_out = !filled_->Wait(timeout_us);
    }
  }
  // Items already in it can still be popped.
  void Close() {
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_->Notify();
  }
  bool closed() const { std::lock_guard lock(mutex_); return closed_; }
  size_t size() const { std::lock_guard lock(mutex_); return items_.size(); }

 private:
  mutable std::mutex mutex_;
  std::deque<T> items_;
  std::unique_ptr<Signal> filled_;
  const size_t bound_;
  bool closed_ = false;
};

}  // namespace sluice::io
