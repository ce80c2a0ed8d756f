// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulated_content.h"

#include <algorithm>
#include <map>

#include "base/check.h"

namespace sluice::io {

void SimulatedContent::Apply(std::string& to, const Change& change) {
  if (change.is_truncate) {
    to.resize(change.at, '\0');
  } else if (!change.bytes.empty()) {
    if (to.size() < change.at + change.bytes.size()) to.resize(change.at + change.bytes.size(), '\0');
    to.replace(change.at, change.bytes.size(), change.bytes);
  }
}

void SimulatedContent::Write(uint64_t at, std::string_view bytes) {
  unsynced_.push_back({false, at, std::string(bytes), false});
  Apply(cached_, unsynced_.back());
}

void SimulatedContent::Truncate(uint64_t size) {
  unsynced_.push_back({true, size, {}, false});
  Apply(cached_, unsynced_.back());
}

void SimulatedContent::WriteThrough(uint64_t at, std::string_view bytes) {
  // The kernel writes back cached pages of the range first: older bytes must not come back over these.
  std::erase_if(unsynced_, [&](Change& older) {
    bool overlaps = !older.is_truncate && older.at < at + bytes.size() && at < older.at + older.bytes.size();
    if (overlaps) Apply(durable_, older);
    return overlaps;
  });
  Change change{false, at, std::string(bytes), false};
  Apply(cached_, change);
  Apply(durable_, change);
}

void SimulatedContent::WriteInFlight(uint64_t at, std::string_view bytes) {
  unsynced_.push_back({false, at, std::string(bytes), true});
  Apply(cached_, unsynced_.back());
}

void SimulatedContent::Sync() {
  for (auto& change : unsynced_) Apply(durable_, change);
  unsynced_.clear();
  if (has_lied_) cached_ = durable_;
  has_lied_ = false;
}

void SimulatedContent::WriteButLose(uint64_t at, std::string_view bytes, size_t lost_at, size_t lost_bytes, bool through) {
  std::string stored(bytes);
  for (size_t i = 0; i < lost_bytes; i++) {
    const uint64_t place = at + lost_at + i;
    stored[lost_at + i] = place < cached_.size() ? cached_[place] : '\0';
  }
  if (through) return WriteThrough(at, stored);
  unsynced_.push_back({false, at, std::move(stored), false});
  Apply(cached_, {false, at, std::string(bytes), false});
  has_lied_ = true;
}

void SimulatedContent::PutOnDisk(uint64_t at, std::string_view bytes) {
  const Change change{false, at, std::string(bytes), false};
  Apply(cached_, change);
  Apply(durable_, change);
}

uint64_t SimulatedContent::SizeAfter(size_t changes) const {
  uint64_t size = durable_.size();
  for (size_t i = 0; i < changes; i++) size = unsynced_[i].is_truncate ? unsynced_[i].at : std::max(size, unsynced_[i].at + unsynced_[i].bytes.size());
  return size;
}

// Every unit, and the size, is what it was after some number of the changes: that covers lost, torn and reordered writes.
void SimulatedContent::LoseUnits(SeededRandom& random) {
  const size_t n = unsynced_.size();
  const bool in_flight = std::any_of(unsynced_.begin(), unsynced_.end(), [](auto& c) { return c.in_flight; });
  // A page cache writes pages; sometimes the power fails inside one.
  const uint64_t unit = in_flight || random.Below(4) == 0 ? kSectorBytes : kPageBytes;
  const size_t size_limit = random.Below(n + 1);
  const uint64_t size = SizeAfter(size_limit);
  std::map<uint64_t, size_t> limits;  // unit -> how many changes reached the disk
  for (size_t i = 0; i < n; i++) {
    const Change& change = unsynced_[i];
    if (change.is_truncate) {
      if (i < size_limit) Apply(durable_, change);
      continue;
    }
    const uint64_t end = change.at + change.bytes.size();
    for (uint64_t from = change.at, next = 0; from < end; from = next) {
      next = std::min(end, (from / unit + 1) * unit);
      auto [limit, is_new] = limits.try_emplace(from / unit, 0);
      if (is_new) limit->second = random.Below(n + 1);
      if (i < limit->second) Apply(durable_, {false, from, change.bytes.substr(from - change.at, next - from), false});
    }
  }
  durable_.resize(size, '\0');
}

void SimulatedContent::Crash(SeededRandom& random) {
  if (!unsynced_.empty()) {
    const auto loss = static_cast<Loss>(random.Below(kLossCount));
    if (loss == Loss::kSuffix) unsynced_.resize(random.Below(unsynced_.size() + 1));
    if (loss == Loss::kUnits) LoseUnits(random);
    if (loss == Loss::kNothing || loss == Loss::kSuffix) Sync();
    unsynced_.clear();
  }
  cached_ = durable_;
}

void SimulatedContent::Corrupt(uint64_t at, uint8_t mask) {
  CHECK(at < cached_.size(), "corruption behind the end of a file");
  cached_[at] = static_cast<char>(cached_[at] ^ mask);
  if (at < durable_.size()) durable_[at] = static_cast<char>(durable_[at] ^ mask);
}

}  // namespace sluice::io
