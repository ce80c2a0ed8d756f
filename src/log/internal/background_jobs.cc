// SPDX-License-Identifier: Apache-2.0
#include "log/internal/background_jobs.h"

#include "base/check.h"

namespace sluice::log {

BackgroundJobs::BackgroundJobs(io::Threads& threads, const std::string& name, io::Signal& finished)
    : finished_(finished), queue_(threads, kJobsMax), thread_(threads.Start(name, io::ThreadPriority::kNormal, [this] { Run(); })) {}

BackgroundJobs::~BackgroundJobs() {
  ending_.store(true, std::memory_order_release);
  queue_.Close();
  thread_->Join();
}

void BackgroundJobs::Post(Job job) {
  posted_++;
  CHECK(queue_.TryPush(std::move(job)), "too many jobs of the log");
}

void BackgroundJobs::Run() {
  while (auto job = queue_.Pop()) {
    if (ending_.load(std::memory_order_acquire)) return;
    auto completion = (*job)();
    {
      std::lock_guard lock(mutex_);
      completions_.push_back(std::move(completion));
    }
    finished_.Notify();
  }
}

void BackgroundJobs::RunCompletions() {
  std::vector<Completion> ended;
  {
    std::lock_guard lock(mutex_);
    ended.swap(completions_);
  }
  for (auto& completion : ended) {
    completed_++;
    completion();
  }
}

}  // namespace sluice::log
