// SPDX-License-Identifier: Apache-2.0
#include "table/registry.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::table {

TableRegistry::TableRegistry(io::Env env, ChunkMemory& memory, int64_t watermark_delay_us)
    : env_(env), memory_(memory), watermark_delay_us_(watermark_delay_us) {}

Result<Table*> TableRegistry::Add(const log::Topic& topic, const TableName& name, iceberg::PartitionSpec partitioning,
                                  PartitionOffsets begin) {
  std::lock_guard lock(mutex_);
  if (auto at = tables_.find(name); at != tables_.end()) {
    if (&at->second->topic() == &topic) return at->second.get();
    return Error{ErrorCode::kExists, "the table " + name.ToString() + " is fed by the topic \"" + at->second->topic_name() + "\"",
                 "two topics never feed one table: choose another topic name, or set topics.<name>.table"};
  }
  auto table = std::make_unique<Table>(name, topic, std::move(partitioning), memory_, std::move(begin));
  by_topic_[&topic] = table.get();
  return tables_.emplace(name, std::move(table)).first->second.get();
}

void TableRegistry::EndOpen(Table& table) {
  std::lock_guard lock(mutex_);
  table.is_opening_ = false;
}

Table* TableRegistry::Find(const TableName& name) const {
  std::lock_guard lock(mutex_);
  auto at = tables_.find(name);
  return at == tables_.end() ? nullptr : at->second.get();
}

std::vector<Table*> TableRegistry::Tables() const {
  std::lock_guard lock(mutex_);
  std::vector<Table*> out;
  for (auto& [name, table] : tables_) out.push_back(table.get());
  return out;
}

Table* TableRegistry::TableOf(const log::Topic& topic) {
  auto at = by_topic_.find(&topic);
  CHECK(at != by_topic_.end(), "an event was admitted to a topic without a table");
  return at->second;
}

// ---- rows ---------------------------------------------------------------------------------------------------------------

void TableRegistry::OnAdmitted(const event::EventBatch& batch, const log::Admitted& admitted) {
  Table& table = *TableOf(*admitted.topic);
  admitted_ = admitted.sequence;
  if (table.is_held_back_) return;  // they are loaded from the log
  EventRows rows{batch,
                 admitted.rows,
                 admitted.late,
                 admitted.partition,
                 admitted.base_offset,
                 admitted.append_time,
                 *admitted.principal,
                 admitted.payload_schema_id};
  // Admitted rows that find no memory cannot be shown and cannot be forgotten: end, and build the tail anew at the next start.
  auto taken = table.hot_.Append(rows, admitted.sequence);
  CHECK(taken.ok(), "no memory for rows that were admitted");
  if (!table.has_unpublished_rows_) unpublished_.push_back(&table);
  table.has_unpublished_rows_ = true;
}

void TableRegistry::OnDurable(log::CommitSequence durable) {
  std::lock_guard lock(mutex_);
  durable_ = durable;
  if (loaded_ > 0) CompleteLoaded();
  for (Table* table : unpublished_) {
    table->hot_.Publish(durable);
    std::optional<Timestamp> watermark;
    for (int32_t p = 0; p < table->topic_.partition_count(); p++) {
      const auto newest = table->topic_.partition(log::LogPartition(p)).event_time_max;
      if (newest.us == INT64_MIN) continue;
      const Timestamp mark{newest.us - watermark_delay_us_};
      watermark = watermark ? std::min(*watermark, mark) : mark;
    }
    table->watermark_ = watermark;
  }
  // Rows of the next commit may be pending already: such tables stay on the list.
  std::erase_if(unpublished_, [](Table* table) { return !(table->has_unpublished_rows_ = table->hot_.has_pending()); });
}

void TableRegistry::HoldBack(Table& table) {
  table.is_held_back_ = true;
  std::lock_guard lock(mutex_);
  table.is_complete_ = false;
}

Result<LoadPlan> TableRegistry::BeginLoad(Table& table, log::LogSource& log) {
  CHECK(table.is_held_back_, "rows are loaded once");
  ASSIGN_OR_RETURN(auto from, log.FirstRetained(table.topic_name()));
  const auto version = Version(table);
  CHECK(version != nullptr, "nobody knows where the table's snapshot ends");
  // Every partition: progress names only those that ever had a row in the table.
  for (auto& [partition, offset] : version->progress.offsets())
    if (auto at = from.find(partition); at != from.end()) at->second = std::max(at->second, offset);
  LoadPlan plan;
  PartitionOffsets ends;
  for (auto& [partition, offset] : from) {
    const auto next = table.topic_.partition(partition).next;
    if (next.get() > 0) ends[partition] = next;
    if (next <= offset) continue;
    plan.from[partition] = offset;
    plan.border[partition] = next;
  }
  table.is_held_back_ = false;
  std::lock_guard lock(mutex_);
  table.hot_.AwaitOlder(ends);
  table.complete_at_ = admitted_;
  table.is_loading_ = true;
  if (plan.border.empty()) TakeLoaded(table);
  return plan;
}

void TableRegistry::EndLoad(Table& table) {
  std::lock_guard lock(mutex_);
  TakeLoaded(table);
}

// REQUIRES of both: mutex_ is held.
void TableRegistry::TakeLoaded(Table& table) {
  table.hot_.EndOlder();
  table.hot_.Drop(table.version_->progress.offsets());  // a commit that came from elsewhere may hold some of them
  table.is_loaded_ = true;
  loaded_++;
  CompleteLoaded();
}

// The log may know of a commit before this does, and other tables have no row of it yet.
void TableRegistry::CompleteLoaded() {
  for (auto& [name, table] : tables_) {
    if (!table->is_loaded_ || table->complete_at_ > durable_) continue;
    table->is_loaded_ = table->is_loading_ = false;
    table->is_complete_ = !table->is_torn();
    loaded_--;
  }
}

bool TableRegistry::Reload(Table& table) {
  if (!table.is_torn()) return false;
  {
    std::lock_guard lock(mutex_);
    if (table.is_loading_) return false;
  }
  table.hot_.Clear();
  table.is_held_back_ = true;
  table.is_torn_.store(false, std::memory_order_release);
  return true;
}

bool TableRegistry::IsLoading(const Table& table) const {
  std::lock_guard lock(mutex_);
  return IsOnItsWay(table);
}

// REQUIRES: mutex_ is held. Also while a topic's first event makes the table, and between the moment at which it is known where the
// table's snapshot ends and the next look at tables that are held back: nothing is wrong with it, and a statement has to wait.
bool TableRegistry::IsOnItsWay(const Table& table) const {
  if (table.version_ == nullptr) return table.is_opening_ || table.is_loading_ || table.is_torn();
  return table.is_loading_ || table.is_torn() || !table.is_complete_;
}

uint64_t TableRegistry::stuck_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (auto& [name, table] : tables_)
    if (table->is_stuck()) bytes += table->hot_.bytes().memory;
  return bytes;
}

// ---- versions and views -----------------------------------------------------------------------------------------------------

std::weak_ptr<const void> TableRegistry::Publish(Table& table, std::shared_ptr<const TableVersion> version) {
  std::lock_guard lock(mutex_);
  const auto progress = version->progress.offsets();
  if (!table.hot_.Fits(progress, table.version_ == nullptr ? PartitionOffsets() : table.version_->progress.offsets())) {
    table.is_torn_.store(true, std::memory_order_release);
    table.is_complete_ = false;
    env_.log.Warn("a commit that came from elsewhere ends in the middle of rows in memory, they are loaded anew",
                  {{"table", table.name_.ToString()}});
  }
  table.hot_.Drop(progress);
  table.version_ = std::move(version);
  std::weak_ptr<const void> readers = table.reading_;
  table.reading_ = std::make_shared<char>();
  return readers;
}

std::shared_ptr<const TableVersion> TableRegistry::Version(const Table& table) const {
  std::lock_guard lock(mutex_);
  return table.version_;
}

TablesView TableRegistry::View() const {
  std::lock_guard lock(mutex_);
  TablesView out;
  out.durable = durable_;
  for (auto& [name, table] : tables_) {
    if (table->is_complete_ && !(table->version_ == nullptr && table->is_opening_))
      out.tables.push_back(
          {table.get(), table->version_, table->hot_.View(), table->hot_.visible_end(), table->watermark_, table->reading_});
    else out.tables.push_back({table.get(), nullptr, {}, {}, {}, nullptr, IsOnItsWay(*table)});
  }
  return out;
}

}  // namespace sluice::table
