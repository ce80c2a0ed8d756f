// SPDX-License-Identifier: Apache-2.0
#include "log/internal/read_ahead.h"

#include <algorithm>
#include <utility>

#include "log/internal/journal_format.h"

namespace sluice::log {

ReadAhead::Lane::Lane(io::Threads& threads)
    : begun_(threads.NewSignal()),
      ended_(threads.NewSignal()),
      thread_(threads.Start("log-read", io::ThreadPriority::kNormal, [this] { Run(); })) {}

ReadAhead::Lane::~Lane() {
  (void)End().ok();  // nobody wants it any more
  ending_ = true;
  begun_->Notify();
  thread_->Join();
}

void ReadAhead::Lane::Begin(std::shared_ptr<io::File> file, uint64_t at, size_t n) {
  file_ = std::move(file);
  at_ = at;
  bytes_ = n;
  if (memory_.size() < kRoom + n) memory_ = base::LargeArray<char>(kRoom + kPieceBytes);
  is_under_way_ = true;
  begun_->Notify();
}

Result<size_t> ReadAhead::Lane::End() {
  if (!std::exchange(is_under_way_, false)) return size_t{0};
  ended_->Wait();
  return std::move(got_);
}

void ReadAhead::Lane::Run() {
  for (;;) {
    begun_->Wait();
    if (ending_) return;
    got_ = file_->Read(at_, {memory_.begin() + kRoom, bytes_});
    ended_->Notify();
  }
}

ReadAhead::ReadAhead(io::Threads& threads) {
  for (auto& lane : lanes_) lane = std::make_unique<Lane>(threads);
}

ReadAhead::~ReadAhead() = default;

void ReadAhead::Begin(std::shared_ptr<io::File> file, uint64_t at, uint64_t end) {
  for (auto& lane : lanes_) (void)lane->End().ok();
  file_ = std::move(file);
  next_ = at;
  end_ = end;
  oldest_ = 0;
  for (auto& lane : lanes_) BeginPiece(*lane);
}

void ReadAhead::BeginPiece(Lane& lane) {
  if (next_ >= end_) return;
  const auto n = static_cast<size_t>(PadTo(std::min<uint64_t>(kPieceBytes, end_ - next_), kBlock));
  lane.Begin(file_, next_, n);
  next_ += n;
}

Result<ReadAhead::Piece> ReadAhead::Take(const io::File& file, uint64_t at) {
  Lane& lane = *lanes_[oldest_];
  if (!lane.is_under_way() || file_.get() != &file || at != lane.at()) return Piece();
  ASSIGN_OR_RETURN(const size_t got, lane.End());
  return Piece{std::exchange(lane.memory(), {}), got};
}

void ReadAhead::Keep(base::LargeArray<char> memory) {
  Lane& lane = *lanes_[oldest_];
  lane.memory() = std::move(memory);
  oldest_ = (oldest_ + 1) % kReads;
  BeginPiece(lane);
}

}  // namespace sluice::log
