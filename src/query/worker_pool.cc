// SPDX-License-Identifier: Apache-2.0
#include "query/worker_pool.h"

#include <utility>

namespace sluice::query {

WorkerPool::WorkerPool(io::Env env, WorkerSetup setup, size_t workers)
    : env_(env), setup_(std::move(setup)), workers_max_(workers), changed_(env.threads.NewSignal()) {
  thread_ = env_.threads.Start("query-pool", io::ThreadPriority::kNormal, [this] { Run(); });
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_->Notify();
  thread_->Join();
}

std::unique_ptr<WorkerProcess> WorkerPool::TryTake() {
  std::lock_guard lock(mutex_);
  if (ready_.empty()) return nullptr;
  auto worker = std::move(ready_.back().worker);  // the one used last: its caches are warm
  ready_.pop_back();
  return worker;
}

void WorkerPool::GiveBack(std::unique_ptr<WorkerProcess> worker) {
  auto now = env_.clock.MonotonicNs();
  std::lock_guard lock(mutex_);
  ready_.push_back({std::move(worker), now});
}

void WorkerPool::Replace(std::unique_ptr<WorkerProcess> worker) {
  worker.reset();  // the process ends before the next one starts: memory for so many, and no more
  {
    std::lock_guard lock(mutex_);
    workers_--;
  }
  changed_->Notify();
}

uint64_t WorkerPool::idle_mapped_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (auto& idle : ready_) bytes += idle.worker->mapped_bytes;
  return bytes;
}

void WorkerPool::TrimIdle() {
  auto now = env_.clock.MonotonicNs();
  std::vector<Idle> due;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 0; i < ready_.size();) {
      bool is_due = ready_[i].worker->mapped_bytes > 0 && now - ready_[i].since_ns > kTrimIdleMs * 1'000'000;
      if (!is_due) {
        i++;
        continue;
      }
      due.push_back(std::move(ready_[i]));  // out of reach while we write to it
      ready_.erase(ready_.begin() + static_cast<ptrdiff_t>(i));
    }
  }
  for (auto& idle : due) {
    if (!idle.worker->socket().Send(MessageType::kTrim, 0, "").ok()) {  // dead
      Replace(std::move(idle.worker));
      continue;
    }
    idle.worker->mapped_bytes = 0;
    GiveBack(std::move(idle.worker));
  }
}

void WorkerPool::Run() {
  for (;;) {
    bool enough = false;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      enough = workers_ >= workers_max_;
    }
    if (enough) {
      changed_->Wait(kTrimIdleMs * 1'000);
      TrimIdle();
      continue;
    }
    auto worker = WorkerProcess::Start(env_, setup_);
    auto ready = worker.ok() ? (*worker)->WaitReady(kStartTimeoutMs) : Result<void>(worker.error());
    if (ready.ok()) {
      {
        std::lock_guard lock(mutex_);
        workers_++;
      }
      GiveBack(std::move(*worker));
    } else {
      env_.log.Error("no SQL worker could be started", {{"reason", ready.error().ToString()}});
      changed_->Wait(kRetryMs * 1'000);
    }
  }
}

}  // namespace sluice::query
