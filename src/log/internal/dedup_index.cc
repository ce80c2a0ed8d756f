// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kPrefetchAhead = 16;  // slots of a table
constexpr size_t kLinesAhead = 32;     // of filters

}  // namespace

DedupIndex::DedupIndex(DedupRuns runs, CommitSequence covered, size_t table_keys_max)
    : table_keys_max_(table_keys_max + table_keys_max / 16),  // a table goes on until the next commit
      open_(std::make_shared<DedupTable>(0, table_keys_max_)), frozen_until_(covered), runs_(std::move(runs)), covered_(covered) {}

void DedupIndex::Touch(Timestamp append_time) {
  if (!open_oldest_) open_oldest_ = append_time;
  open_newest_ = append_time;
}

// All keys in one table, then in the next: what will be looked at can be fetched ahead.
Result<void> DedupIndex::FindOlder(std::span<const DedupKey> keys, std::span<DedupPlace> places) const {
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    const DedupTable& table = *frozen->table;
    for (size_t i = 0; i < keys.size(); i++) {
      if (i + kPrefetchAhead < keys.size()) table.Prefetch(keys[i + kPrefetchAhead]);
      const auto* place = places[i].empty() ? table.Find(keys[i]) : nullptr;
      if (place != nullptr) places[i] = *place;
    }
  }
  return FindInRuns(keys, places);
}

// Each key in all runs, because its bits are the same for all; the lines of the next keys are on their way meanwhile.
Result<void> DedupIndex::FindInRuns(std::span<const DedupKey> keys, std::span<DedupPlace> places) const {
  const size_t ahead = std::max<size_t>(1, kLinesAhead / std::max<size_t>(1, runs_.size()));
  const auto prefetch = [&](size_t i) {
    for (const auto& run : runs_) run->Prefetch(keys[i]);
  };
  for (size_t i = 0; i < std::min(ahead, keys.size()); i++) prefetch(i);
  for (size_t i = 0; i < keys.size(); i++) {
    if (i + ahead < keys.size()) prefetch(i + ahead);
    const DedupFilterBits bits(keys[i]);
    for (size_t r = runs_.size(); r-- > 0 && places[i].empty();) {
      if (!runs_[r]->MayHold(keys[i], bits)) continue;
      ASSIGN_OR_RETURN(places[i], runs_[r]->Find(keys[i]));
    }
  }
  return {};
}

void DedupIndex::Freeze(CommitSequence last) {
  CHECK(last >= frozen_until_, "a frozen table that covers nothing");
  Timestamp oldest = open_oldest_.value_or(open_newest_);
  const size_t keys = std::min(open_->size() + open_->size() / 8, table_keys_max_);  // the next table will likely hold about as many: it need not grow on the loop
  frozen_.push_back({std::move(open_), {frozen_until_ + 1, last, oldest, open_newest_}});
  frozen_until_ = last;
  open_ = spare_ != nullptr ? std::exchange(spare_, nullptr) : std::make_shared<DedupTable>(keys, table_keys_max_);
  open_oldest_.reset();
}

std::shared_ptr<DedupTable> DedupIndex::Sealed(std::shared_ptr<const DedupRun> run) {
  CHECK(!frozen_.empty() && run->range().last == frozen_.front().range.last, "a run of another table");
  covered_ = run->range().last;
  runs_.push_back(std::move(run));
  auto table = std::move(frozen_.front().table);
  frozen_.pop_front();
  return table;
}

void DedupIndex::Merged(std::span<const std::shared_ptr<const DedupRun>> replaced, std::shared_ptr<const DedupRun> run) {
  auto first = std::search(runs_.begin(), runs_.end(), replaced.begin(), replaced.end());
  CHECK(!replaced.empty() && first != runs_.end(), "runs that are not there");
  *first = std::move(run);
  runs_.erase(first + 1, first + static_cast<ptrdiff_t>(replaced.size()));
}

DedupRuns DedupIndex::Expire(Timestamp before) {
  const auto kept = std::find_if(runs_.begin(), runs_.end(), [&](const auto& run) { return run->range().newest >= before; });
  DedupRuns expired(std::make_move_iterator(runs_.begin()), std::make_move_iterator(kept));
  runs_.erase(runs_.begin(), kept);
  return expired;
}

uint64_t DedupIndex::memory_bytes() const {
  uint64_t bytes = open_->byte_size() + (spare_ != nullptr ? spare_->byte_size() : 0);
  for (const auto& frozen : frozen_) bytes += frozen.table->byte_size();
  return bytes;
}

uint64_t DedupIndex::disk_bytes() const {
  uint64_t bytes = 0;
  for (const auto& run : runs_) bytes += run->file_bytes();
  return bytes;
}

}  // namespace sluice::log
