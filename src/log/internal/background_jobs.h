// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Blocking work of the log beside its loop: making segments, copying out, sealing runs, checkpoints. One thread, jobs in order.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/bounded_queue.h"
#include "io/threads.h"

namespace sluice::log {

// All methods on one thread (the loop); jobs run on another one.
class BackgroundJobs {
 public:
  // What a job hands back to the loop.
  using Completion = std::function<void()>;
  using Job = std::function<Completion()>;
  static constexpr size_t kJobsMax = 64;

  // `finished` is rung when a job ended.
  BackgroundJobs(io::Threads& threads, const std::string& name, io::Signal& finished);
  ~BackgroundJobs();  // waits for the job at hand, forgets the others

  // REQUIRES: fewer than kJobsMax are waiting: each kind of work posts its next job when the last one completed, but for removals of
  // files, which are rare.
  void Post(Job job);
  // Runs the completions of jobs that ended.
  void RunCompletions();
  bool idle() const { return posted_ == completed_; }
  // For jobs that take long: true from when this is destroyed, which waits for them.
  const std::atomic<bool>& ending() const { return ending_; }

 private:
  void Run();
  io::Signal& finished_;
  io::BoundedQueue<Job> queue_;
  std::mutex mutex_;
  std::vector<Completion> completions_;  // guarded by mutex_
  std::atomic<bool> ending_{false};
  size_t posted_ = 0, completed_ = 0;
  std::unique_ptr<io::Thread> thread_;
};

}  // namespace sluice::log
