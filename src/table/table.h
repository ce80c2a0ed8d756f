// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A topic and its Iceberg table as one thing: what the lake holds (a version) and what it does not hold yet (the hot tail).

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "iceberg/table_metadata.h"
#include "log/log.h"
#include "table/feed_progress.h"
#include "table/hot_tail.h"
#include "table/topic_name.h"

namespace sluice::table {

// The table as one commit left it. Immutable; shared by everybody who reads.
struct TableVersion {
  iceberg::TableMetadata metadata;
  std::string metadata_location;
  FeedProgress progress;  // of the table's topic
};

// Lives as long as its registry.
class Table {
 public:
  Table(TableName name, const log::Topic& topic, iceberg::PartitionSpec partitioning, ChunkMemory& memory, PartitionOffsets begin)
      : name_(std::move(name)), topic_(topic), partitioning_(std::move(partitioning)), hot_(memory, std::move(begin)) {}
  Table(const Table&) = delete;

  const TableName& name() const { return name_; }
  const std::string& topic_name() const { return topic_.name(); }
  const log::Topic& topic() const { return topic_; }  // its numbers: on the log's thread only
  // For a table that does not exist yet.
  const iceberg::PartitionSpec& partitioning() const { return partitioning_; }
  // It does not get on: its rows wait for something that nobody knows the end of. Any thread.
  bool is_stuck() const { return is_stuck_.load(std::memory_order_relaxed); }
  void set_stuck(bool stuck) { is_stuck_.store(stuck, std::memory_order_relaxed); }
  // A commit that is not ours ended in the middle of rows that are in memory: they are laid in anew (TableRegistry::Reload). Any thread.
  bool is_torn() const { return is_torn_.load(std::memory_order_acquire); }
  HotTail& hot() { return hot_; }
  const HotTail& hot() const { return hot_; }

 private:
  friend class TableRegistry;
  const TableName name_;
  const log::Topic& topic_;
  const iceberg::PartitionSpec partitioning_;
  HotTail hot_;
  std::atomic<bool> is_stuck_{false};
  std::atomic<bool> is_torn_{false};
  // Guarded by the registry's mutex.
  std::shared_ptr<const TableVersion> version_;  // null: not loaded yet
  std::shared_ptr<const void> reading_ = std::make_shared<char>();  // shared by the views of this version
  std::optional<Timestamp> watermark_;
  bool is_opening_ = true;             // nobody knows yet whether it has metadata
  bool is_complete_ = true;            // false: rows are missing in the hot tail, views must not show the table
  bool is_loading_ = false;            // they are on their way
  bool is_loaded_ = false;             // they are there, and views show them once `complete_at_` is durable
  log::CommitSequence complete_at_;    // what was admitted before the loading began
  // The log's thread only.
  bool is_held_back_ = false;          // rows are not laid in
  bool has_unpublished_rows_ = false;
};

}  // namespace sluice::table
