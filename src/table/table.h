// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A topic and its Iceberg table as one thing: what the lake holds (a version) and what it does not hold yet (the hot tail).

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
  HotTail& hot() { return hot_; }
  const HotTail& hot() const { return hot_; }

 private:
  friend class TableRegistry;
  const TableName name_;
  const log::Topic& topic_;
  const iceberg::PartitionSpec partitioning_;
  HotTail hot_;
  // Guarded by the registry's mutex.
  std::shared_ptr<const TableVersion> version_;  // null: not loaded yet
  std::shared_ptr<const void> reading_ = std::make_shared<char>();  // shared by the views of this version
  std::optional<Timestamp> watermark_;
  bool is_complete_ = true;            // false: rows are missing in the hot tail, views must not show the table
  // The log's thread only.
  bool is_held_back_ = false;          // rows are not laid in
  bool has_unpublished_rows_ = false;
};

}  // namespace sluice::table
