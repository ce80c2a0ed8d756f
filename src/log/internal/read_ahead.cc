// SPDX-License-Identifier: Apache-2.0
#include "log/internal/read_ahead.h"

#include <utility>

namespace sluice::log {

ReadAhead::ReadAhead(io::Threads& threads)
    : begun_(threads.NewSignal()),
      ended_(threads.NewSignal()),
      thread_(threads.Start("log-read", io::ThreadPriority::kNormal, [this] { Run(); })) {}

ReadAhead::~ReadAhead() {
  (void)End().ok();  // nobody wants it any more
  ending_ = true;
  begun_->Notify();
  thread_->Join();
}

void ReadAhead::Begin(std::shared_ptr<io::File> file, uint64_t at, size_t n, base::LargeArray<char> memory) {
  Keep(std::move(memory));
  file_ = std::move(file);
  at_ = at;
  bytes_ = n;
  if (memory_.size() < kRoom + n) memory_ = base::LargeArray<char>(kRoom + n);
  is_under_way_ = true;
  begun_->Notify();
}

void ReadAhead::Keep(base::LargeArray<char> memory) {
  (void)End().ok();
  if (memory_.size() < memory.size()) memory_.swap(memory);
}

Result<size_t> ReadAhead::End() {
  if (!std::exchange(is_under_way_, false)) return size_t{0};
  ended_->Wait();
  return std::move(got_);
}

Result<ReadAhead::Piece> ReadAhead::Take(const io::File& file, uint64_t at) {
  if (!is_under_way_ || file_.get() != &file || at_ != at) return Piece();
  ASSIGN_OR_RETURN(const size_t got, End());
  return Piece{std::exchange(memory_, {}), got};
}

void ReadAhead::Run() {
  for (;;) {
    begun_->Wait();
    if (ending_) return;
    got_ = file_->Read(at_, {memory_.begin() + kRoom, bytes_});
    ended_->Notify();
  }
}

}  // namespace sluice::log
