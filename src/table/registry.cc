// SPDX-License-Identifier: Apache-2.0
#include "table/registry.h"

#include <algorithm>

#include "base/check.h"
#include "table/frame_rows.h"

namespace sluice::table {
namespace {

constexpr uint64_t kLoadBytes = uint64_t{8} << 20;  // read from the log at a time

}  // namespace

TableRegistry::TableRegistry(io::Env env, ChunkMemory& memory, int64_t watermark_delay_us)
    : env_(env), memory_(memory), watermark_delay_us_(watermark_delay_us) {}

Result<Table*> TableRegistry::Add(const log::Topic& topic, const TableName& name, iceberg::PartitionSpec partitioning, PartitionOffsets begin) {
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
  if (table.is_held_back_) return;  // Load reads them from the log
  EventRows rows{batch, admitted.rows, admitted.late, admitted.partition, admitted.base_offset, admitted.append_time, *admitted.principal, admitted.payload_schema_id};
  // Admitted rows that find no memory cannot be shown and cannot be forgotten: end, and build the tail anew at the next start.
  auto taken = table.hot_.Append(rows, admitted.sequence);
  CHECK(taken.ok(), "no memory for rows that were admitted");
  if (!table.has_unpublished_rows_) unpublished_.push_back(&table);
  table.has_unpublished_rows_ = true;
}

void TableRegistry::OnDurable(log::CommitSequence durable) {
  std::lock_guard lock(mutex_);
  durable_ = durable;
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

Result<uint64_t> TableRegistry::Load(Table& table, log::Log& log, const PartitionOffsets& from,
                                     const std::function<void()>& wait_for_room) {
  // Every partition: progress names only those that ever had a row in the table.
  ASSIGN_OR_RETURN(auto start, log.source().FirstRetained(table.topic_name()));
  for (auto& [partition, offset] : from)
    if (auto at = start.find(partition); at != start.end()) at->second = std::max(at->second, offset);
  ASSIGN_OR_RETURN(auto reader, log.NewReader(table.topic_name(), start));
  uint64_t rows = 0;
  for (;;) {
    ASSIGN_OR_RETURN(auto run, reader->Next(kLoadBytes));
    if (run.empty()) break;
    for (auto& frame : run.frames()) {
      ASSIGN_OR_RETURN(auto loaded, AppendFrame(table.hot_, frame, start.at(frame.partition), loading_));
      rows += loaded;
    }
    {
      std::lock_guard lock(mutex_);
      table.hot_.Publish(kAlreadyDurable);
    }
    while (memory_.over_budget()) wait_for_room();
  }
  table.is_held_back_ = false;
  std::lock_guard lock(mutex_);
  table.is_complete_ = true;
  return rows;
}

// ---- versions and views -----------------------------------------------------------------------------------------------------

std::weak_ptr<const void> TableRegistry::Publish(Table& table, std::shared_ptr<const TableVersion> version) {
  std::lock_guard lock(mutex_);
  table.hot_.Drop(version->progress.offsets());
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
    if (table->is_complete_) out.tables.push_back({table.get(), table->version_, table->hot_.View(), table->hot_.visible_end(), table->watermark_, table->reading_});
    else out.tables.push_back({table.get(), nullptr, {}, {}, {}});
  }
  return out;
}

}  // namespace sluice::table
