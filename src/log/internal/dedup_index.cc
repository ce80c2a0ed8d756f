// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_index.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr size_t kPrefetchAhead = 16;     // slots of a table
constexpr size_t kTablesOfGroupMax = 32;  // smaller ones are in no group

void AddToGroup(std::vector<RunGroup>& groups, const DedupRunRange& range, std::shared_ptr<const RecentKeys> keys) {
  if (!groups.empty() && groups.back().keys == keys) {
    CHECK(groups.back().last + 1 == range.first, "a group with a gap");
    groups.back().last = range.last;
    return;
  }
  if (groups.size() == DedupIndex::kGroupsMax) groups.erase(groups.begin());
  groups.push_back({range.first, range.last, std::move(keys)});
}

}  // namespace

DedupIndex::DedupIndex(DedupRuns runs, CommitSequence covered, size_t table_keys_max, size_t run_keys_max)
    : table_keys_max_(table_keys_max + table_keys_max / 16),  // a table goes on until the next commit
      run_keys_max_(run_keys_max),
      open_(std::make_shared<DedupTable>(0, table_keys_max_)),
      frozen_until_(covered),
      sealed_(std::make_shared<SealedKeys>(SealedKeys{std::move(runs), covered, {}})) {}

void DedupIndex::Touch(Timestamp append_time) {
  if (!open_oldest_) open_oldest_ = append_time;
  open_newest_ = append_time;
}

// All keys in one table, then in the next: what will be looked at can be fetched ahead.
Result<void> DedupIndex::FindOlder(std::span<const DedupKey> keys, std::span<DedupPlace> places, CommitSequence asked_until) const {
  for (auto frozen = frozen_.rbegin(); frozen != frozen_.rend(); ++frozen) {
    const DedupTable& table = *frozen->table;
    for (size_t i = 0; i < keys.size(); i++) {
      if (i + kPrefetchAhead < keys.size()) table.Prefetch(keys[i + kPrefetchAhead]);
      const auto* place = places[i].empty() ? table.Find(keys[i]) : nullptr;
      if (place != nullptr) places[i] = *place;
    }
  }
  return sealed_->Find(keys, places, asked_until);
}

std::shared_ptr<const SealedKeys> DedupIndex::sealed() const {
  std::lock_guard lock(mutex_);
  return sealed_;
}

void DedupIndex::Publish(SealedKeys sealed) {
  auto next = std::make_shared<const SealedKeys>(std::move(sealed));
  std::lock_guard lock(mutex_);
  sealed_.swap(next);
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

std::shared_ptr<RecentKeys> DedupIndex::KeysForNextRun() {
  CHECK(!frozen_.empty(), "no table that is to be sealed");
  const size_t keys = frozen_.front().table->size();
  const bool is_small = keys < run_keys_max_ / kTablesOfGroupMax;
  if (is_small || open_keys_size_ + keys > run_keys_max_) EndGroup();
  if (is_small) return nullptr;
  if (open_keys_ == nullptr) {
    open_keys_ = std::make_shared<RecentKeys>(run_keys_max_);
    open_keys_size_ = 0;
  }
  open_keys_size_ += keys;
  return open_keys_;
}

std::shared_ptr<DedupTable> DedupIndex::Sealed(std::shared_ptr<const DedupRun> run, std::shared_ptr<RecentKeys> keys) {
  CHECK(!frozen_.empty() && run->range().last == frozen_.front().range.last, "a run of another table");
  SealedKeys sealed = *sealed_;
  sealed.covered = run->range().last;
  if (keys != nullptr) AddToGroup(sealed.groups, run->range(), std::move(keys));
  sealed.runs.push_back(std::move(run));
  Publish(std::move(sealed));
  auto table = std::move(frozen_.front().table);
  frozen_.pop_front();
  return table;
}

void DedupIndex::Merged(std::span<const std::shared_ptr<const DedupRun>> replaced, std::shared_ptr<const DedupRun> run) {
  SealedKeys sealed = *sealed_;
  auto first = std::search(sealed.runs.begin(), sealed.runs.end(), replaced.begin(), replaced.end());
  CHECK(!replaced.empty() && first != sealed.runs.end(), "runs that are not there");
  std::erase_if(sealed.groups, [&](const auto& group) { return run->range().first <= group.first && group.last <= run->range().last; });
  *first = std::move(run);
  sealed.runs.erase(first + 1, first + static_cast<ptrdiff_t>(replaced.size()));
  Publish(std::move(sealed));
}

DedupRuns DedupIndex::Expire(Timestamp before) {
  const auto& all = runs();
  const auto kept = std::find_if(all.begin(), all.end(), [&](const auto& run) { return run->range().newest >= before; });
  DedupRuns expired(all.begin(), kept);
  if (expired.empty()) return expired;
  SealedKeys sealed{DedupRuns(kept, all.end()), covered(), sealed_->groups};
  std::erase_if(sealed.groups, [&](const auto& group) { return group.last <= expired.back()->range().last; });
  Publish(std::move(sealed));
  return expired;
}

uint64_t DedupIndex::memory_bytes() const {
  uint64_t bytes = open_->byte_size() + (spare_ != nullptr ? spare_->byte_size() : 0);
  for (const auto& frozen : frozen_) bytes += frozen.table->byte_size();
  for (const auto& group : sealed_->groups) bytes += group.keys->byte_size();
  return bytes;
}

uint64_t DedupIndex::disk_bytes() const {
  uint64_t bytes = 0;
  for (const auto& run : runs()) bytes += run->file_bytes();
  return bytes;
}

}  // namespace sluice::log
