// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/table_commit.h"

#include <algorithm>

#include "iceberg/internal/metadata_file.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kRetries = 4;
constexpr int64_t kRetryWaitMsMin = 100;
constexpr int64_t kRetryWaitMsMax = 60'000;
constexpr int64_t kRetryTotalMs = 1'800'000;
constexpr int kSettleTriesMax = 10;
constexpr base::BackoffOptions kSettleBackoff{.delay_us_min = 100'000, .delay_us_max = 5'000'000};
constexpr int64_t kNsPerMs = 1'000'000;

// Properties come from anybody who may change the table: no value of theirs makes a commit hang for ever.
constexpr int64_t kRetriesMax = 1000;
constexpr int64_t kWaitMsMax = 3'600'000;
constexpr int64_t kTotalMsMax = 7 * 24 * kWaitMsMax;

int64_t Bounded(const TableMetadata& table, const char* property, int64_t otherwise, int64_t least, int64_t most) {
  return std::clamp(table.PropertyInt(property, otherwise), least, most);
}

base::BackoffOptions RetryBackoff(const TableMetadata& table) {
  int64_t least = Bounded(table, "commit.retry.min-wait-ms", kRetryWaitMsMin, 1, kWaitMsMax);
  int64_t most = Bounded(table, "commit.retry.max-wait-ms", kRetryWaitMsMax, least, kWaitMsMax);
  return {.delay_us_min = least * kMicrosPerMilli, .delay_us_max = most * kMicrosPerMilli};
}

Error Unknown(const Table& next, const std::string& why) {
  return Error{ErrorCode::kCommitUnknown, "it is not known whether \"" + next.metadata_location + "\" was committed: " + why,
               "read the table again; repeat the commit with the same files"};
}

}  // namespace

Result<std::shared_ptr<const TableMetadata>> LoadMetadataFile(io::ObjectStore& objects, const std::string& location) {
  ASSIGN_OR_RETURN(std::string bytes, io::ReadObject(objects, location, kMetadataBytesMax));
  ASSIGN_OR_RETURN(TableMetadata metadata, ParseTableMetadata(bytes, location));
  return std::make_shared<const TableMetadata>(std::move(metadata));
}

TableCommit::TableCommit(io::CatalogStore& store, io::Env env, const TableChange& change, const Precondition& precondition)
    : store_(store), env_(env), change_(change), precondition_(precondition) {
  if (change_.snapshot) producer_ = std::make_unique<SnapshotProducer>(env_, *change_.snapshot);
}

Result<Table> TableCommit::Run(Table base) {
  retries_max_ = static_cast<int>(Bounded(*base.metadata, "commit.retry.num-retries", kRetries, 0, kRetriesMax));
  deadline_ns_ = env_.clock.MonotonicNs() + Bounded(*base.metadata, "commit.retry.total-timeout-ms", kRetryTotalMs, 0, kTotalMsMax) * kNsPerMs;
  backoff_ = base::Backoff(RetryBackoff(*base.metadata));
  for (int attempt = 0;; attempt++) {
    auto prepared = Prepare(base);
    if (!prepared.ok()) {
      Abandon();
      Error error = std::move(prepared).error();
      // An object whose writing ended unknown is referenced by nothing: the commit itself is known not to have happened.
      if (error.code == ErrorCode::kCommitUnknown) error.code = ErrorCode::kUnavailable;
      return error;
    }
    auto swapped = Swap(base, prepared->next);
    if (swapped.ok()) {
      Finished(*prepared);
      return std::move(prepared->next);
    }
    if (swapped.error().code == ErrorCode::kCommitUnknown) return std::move(swapped).error();  // every file stays
    if (swapped.error().code != ErrorCode::kConflict || !WaitForRetry(attempt)) {
      Abandon();
      return std::move(swapped).error();
    }
    auto refreshed = Refresh(base);
    if (!refreshed.ok()) {
      Abandon();
      return std::move(refreshed).error();
    }
    base = std::move(*refreshed);
  }
}

Result<TableCommit::Attempt> TableCommit::Prepare(const Table& base) {
  const TableMetadata& old = *base.metadata;
  if (precondition_) RETURN_IF_ERROR(precondition_(old));
  RETURN_IF_ERROR(CanApply(old, change_));
  int64_t now_ms = env_.clock.Now().us / kMicrosPerMilli;
  Snapshot snapshot;
  if (producer_ != nullptr) {
    ASSIGN_OR_RETURN(snapshot, producer_->Produce(ApplyDefinition(old, change_, now_ms)));
  }
  ASSIGN_OR_RETURN(TableMetadata next, Apply(old, change_, producer_ != nullptr ? &snapshot : nullptr, now_ms));
  Attempt attempt;
  attempt.cut_metadata = LogPreviousMetadata(next, base.metadata_location, old.last_updated_ms);
  std::string location = NextMetadataLocation(next, base.metadata_location, env_.random.NextUuid());
  RETURN_IF_ERROR(WriteMetadata(location, next));
  attempt.next = {base.name, location, std::make_shared<const TableMetadata>(std::move(next))};
  return attempt;
}

Result<void> TableCommit::WriteMetadata(const std::string& location, const TableMetadata& metadata) {
  metadata_written_.insert(location);
  return io::WriteObject(env_.objects, location, SerializeTableMetadata(metadata));
}

// kConflict: known not to be in. kCommitUnknown: not known, in spite of settling.
Result<void> TableCommit::Swap(const Table& base, const Table& next) {
  auto swapped = store_.SwapTable(base.name.table_namespace, base.name.name, base.metadata_location, next.metadata_location);
  if (swapped.ok() || swapped.error().code != ErrorCode::kCommitUnknown) return swapped;
  env_.log.Warn("commit outcome unknown, settling", {{"table", base.name.ToString()}, {"metadata", next.metadata_location}});
  return Settle(base, next);
}

Result<void> TableCommit::Settle(const Table& base, const Table& next) {
  base::Backoff backoff(kSettleBackoff);
  for (int i = 0; i < kSettleTriesMax; i++) {
    if (i > 0) env_.clock.SleepUs(backoff.NextDelay(env_.random.Next64()));
    auto row = store_.LoadTable(base.name.table_namespace, base.name.name);
    if (row.ok() && !row->has_value()) return Unknown(next, "the table is gone");
    if (!row.ok()) continue;
    const std::string& location = (*row)->metadata_location;
    auto current = location == base.metadata_location ? base.metadata : location == next.metadata_location ? next.metadata : nullptr;
    if (current == nullptr) {
      auto loaded = LoadMetadataFile(env_.objects, location);
      if (!loaded.ok()) continue;
      current = std::move(*loaded);
    }
    SwapOutcome outcome = JudgeSwap(*current, location, base.metadata_location, next.metadata_location);
    if (outcome == SwapOutcome::kLanded) return {};
    if (outcome == SwapOutcome::kLost) return Error{ErrorCode::kConflict, "another commit was first"};
    if (outcome == SwapOutcome::kUnknown) return Unknown(next, "the metadata log no longer reaches back");
    // Still at the base. The first set may yet land; the same set again makes it certain either way.
    auto again = store_.SwapTable(base.name.table_namespace, base.name.name, base.metadata_location, next.metadata_location);
    if (again.ok()) return again;
  }
  return Unknown(next, "the catalog does not answer");
}

Result<Table> TableCommit::Refresh(const Table& base) {
  ASSIGN_OR_RETURN(auto row, store_.LoadTable(base.name.table_namespace, base.name.name));
  if (!row) return Error{ErrorCode::kNotFound, "table \"" + base.name.ToString() + "\" is gone"};
  ASSIGN_OR_RETURN(auto metadata, LoadMetadataFile(env_.objects, row->metadata_location));
  if (metadata->table_uuid != base.metadata->table_uuid)
    return Error{ErrorCode::kNotFound, "\"" + base.name.ToString() + "\" is another table now: its uuid changed from " +
                                           base.metadata->table_uuid + " to " + metadata->table_uuid};
  return Table{base.name, row->metadata_location, std::move(metadata)};
}

bool TableCommit::WaitForRetry(int attempt) {
  if (attempt >= retries_max_ || env_.clock.MonotonicNs() >= deadline_ns_) return false;
  env_.clock.SleepUs(backoff_.NextDelay(env_.random.Next64()));
  return true;
}

void TableCommit::Finished(const Attempt& attempt) {
  if (producer_ != nullptr) producer_->RemoveUnused();
  for (const std::string& location : metadata_written_) {
    if (location != attempt.next.metadata_location) Remove(location);
  }
  if (!attempt.next.metadata->PropertyBool("write.metadata.delete-after-commit.enabled", false)) return;
  for (const std::string& location : attempt.cut_metadata) Remove(location);
}

void TableCommit::Abandon() {
  if (producer_ != nullptr) producer_->RemoveAll();
  for (const std::string& location : metadata_written_) Remove(location);
}

// What cannot be removed stays as an orphan: nothing refers to it.
void TableCommit::Remove(const std::string& uri) {
  if (auto removed = env_.objects.Remove(uri); !removed.ok())
    env_.log.Warn("metadata object left behind", {{"uri", uri}, {"error", removed.error().message}});
}

}  // namespace sluice::iceberg
