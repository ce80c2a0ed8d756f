// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_writer.h"

#include "base/check.h"

namespace sluice::log {

JournalWriter::JournalWriter(io::Threads& threads, io::Signal& written, std::function<void(const Error&)> on_fatal)
    : written_(written), on_fatal_(std::move(on_fatal)), submitted_(threads.NewSignal()) {
  thread_ = threads.Start("journal", io::ThreadPriority::kRealTime, [this] { Run(); });
}

JournalWriter::~JournalWriter() {
  stopping_.store(true, std::memory_order_release);
  submitted_->Notify();
  thread_->Join();
}

void JournalWriter::Submit(WriteJob job) {
  CHECK(!in_flight_ && !failed(), "a second write in flight");
  job_ = std::move(job);
  in_flight_ = true;
  state_.store(State::kSubmitted, std::memory_order_release);
  submitted_->Notify();
}

bool JournalWriter::Reap() {
  if (!in_flight_ || state_.load(std::memory_order_acquire) != State::kDone) return false;
  state_.store(State::kIdle, std::memory_order_relaxed);
  in_flight_ = false;
  return true;
}

void JournalWriter::Run() {
  for (;;) {
    if (state_.load(std::memory_order_acquire) != State::kSubmitted) {
      if (stopping_.load(std::memory_order_acquire)) return;
      submitted_->Wait();
      continue;
    }
    auto result = job_.file->Write(job_.position, job_.bytes);
    if (!result.ok()) on_fatal_(result.error());
    state_.store(result.ok() ? State::kDone : State::kFailed, std::memory_order_release);
    written_.Notify();
    if (!result.ok()) return;
  }
}

}  // namespace sluice::log
