// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <vector>

#include "base/check.h"
#include "kernel/key_set.h"
#include "log/internal/dedup_sealing.h"

namespace sluice::bench {
namespace {

constexpr size_t kPrefetchAhead = 16;

// As admission asks and fills it.
class SluiceKeySet final : public KeySet {
 public:
  SluiceKeySet(io::Env env, const std::string& directory)
      : env_(env),
        paths_(directory),
        identity_(log::MakeIdentity(env.random)),
        index_({}, log::CommitSequence(), options_.dedup_table_keys(), options_.dedup_run_keys_max) {}

  size_t InsertAbsent(std::span<const log::DedupKey> keys) override {
    older_.assign(keys.size(), {});
    CHECK(index_.FindOlder(keys, older_).ok(), "a run cannot be read");
    auto& table = index_.open();
    table.Reserve(keys.size());
    size_t absent = 0;
    for (size_t i = 0; i < std::min(kPrefetchAhead, keys.size()); i++) table.Prefetch(keys[i]);
    for (size_t i = 0; i < keys.size(); i++) {
      if (i + kPrefetchAhead < keys.size()) table.Prefetch(keys[i + kPrefetchAhead]);
      if (!older_[i].empty() || table.Find(keys[i]) != nullptr) continue;
      table.Insert(keys[i], log::DedupPlace(log::LogPartition(0), log::Offset(next_++)));
      absent++;
    }
    index_.Touch(env_.clock.Now());
    return absent;
  }

  void DoUpkeep() override {
    if (index_.open().size() < options_.dedup_table_keys()) return;
    index_.Freeze(++commits_);
    const auto recent = index_.KeysForNextRun();
    auto run = log::SealTable(env_, paths_, identity_.id, index_.frozen().front(), recent.get());
    CHECK(run.ok(), "a run cannot be written");
    auto table = index_.Sealed(*run, recent);
    table->Clear();
    index_.GiveSpare(std::move(table));
    const auto runs = log::RunsToMerge(index_.runs(), options_);
    if (runs.empty()) return;
    index_.EndGroup();
    auto merged = log::MergeRuns(env_, paths_, identity_.id, runs, never_);
    CHECK(merged.ok(), "runs cannot be merged");
    index_.Merged(runs, *merged);
    for (const auto& one : runs) (void)env_.files.Remove(one->path()).ok();
  }
  uint64_t memory_bytes() const override { return index_.memory_bytes(); }
  uint64_t disk_bytes() const override { return index_.disk_bytes(); }

 private:
  io::Env env_;
  const log::LogPaths paths_;
  const log::LogOptions options_;
  const log::JournalIdentity identity_;
  log::DedupIndex index_;
  log::CommitSequence commits_;
  int64_t next_ = 0;
  const std::atomic<bool> never_{false};
  std::vector<log::DedupPlace> older_;
};

}  // namespace

std::unique_ptr<KeySet> MakeSluiceKeySet(io::Env env, const std::string& directory) {
  return std::make_unique<SluiceKeySet>(env, directory);
}

}  // namespace sluice::bench
