// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_index.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::log {

DedupIndex::DedupIndex(std::vector<std::shared_ptr<const DedupRun>> runs, CommitSequence covered)
    : open_(std::make_unique<DedupTable>()), frozen_until_(covered), runs_(std::move(runs)), covered_(covered) {}

void DedupIndex::Touch(Timestamp append_time) {
  if (!open_oldest_) open_oldest_ = append_time;
  open_newest_ = append_time;
}

Result<DedupPlace> DedupIndex::FindOlder(const DedupKey& key) const {
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    if (const auto* place = frozen->table->Find(key)) return *place;
  }
  for (auto run = runs_.rbegin(); run != runs_.rend(); ++run) {
    if (!(*run)->MayHold(key)) continue;
    ASSIGN_OR_RETURN(DedupPlace place, (*run)->Find(key));
    if (!place.empty()) return place;
  }
  return DedupPlace();
}

void DedupIndex::Freeze(CommitSequence last) {
  CHECK(last >= frozen_until_, "a frozen table that covers nothing");
  Timestamp oldest = open_oldest_.value_or(open_newest_);
  frozen_.push_back({std::move(open_), {frozen_until_ + 1, last, oldest, open_newest_}});
  frozen_until_ = last;
  open_ = std::make_unique<DedupTable>();
  open_oldest_.reset();
}

void DedupIndex::Sealed(std::shared_ptr<const DedupRun> run, bool merged) {
  CHECK(!frozen_.empty() && run->range().last == frozen_.front().range.last, "a run of another table");
  if (merged) runs_.pop_back();
  covered_ = run->range().last;
  if (run->size() > 0) runs_.push_back(std::move(run));
  frozen_.pop_front();
}

std::vector<Path> DedupIndex::Expire(Timestamp before) {
  std::vector<Path> paths;
  while (!runs_.empty() && runs_.front()->range().newest < before) {
    paths.push_back(runs_.front()->path());
    runs_.erase(runs_.begin());
  }
  return paths;
}

uint64_t DedupIndex::disk_bytes() const {
  uint64_t bytes = 0;
  for (const auto& run : runs_) bytes += run->file_bytes();
  return bytes;
}

}  // namespace sluice::log
