// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of this folder: a world of maps. Objects and catalog rows live in memory, the clock moves only when somebody sleeps,
// and the next calls can be told to fail.

#include <deque>
#include <map>
#include <string>

#include "io/env.h"
#include "iceberg/catalog.h"
#include "iceberg/table_change.h"

namespace sluice::iceberg {

class MapObjectStore : public io::ObjectStore {
 public:
  Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string& uri) override {
    if (objects.contains(uri)) return Error{ErrorCode::kExists, uri};
    return std::unique_ptr<io::ObjectWriter>(std::make_unique<Writer>(*this, uri));
  }
  Result<std::unique_ptr<io::ObjectReader>> Open(const std::string& uri) override {
    reads[uri]++;
    auto it = objects.find(uri);
    if (it == objects.end()) return Error{ErrorCode::kNotFound, "no object \"" + uri + "\""};
    return std::unique_ptr<io::ObjectReader>(std::make_unique<Reader>(it->second));
  }
  Result<void> Remove(const std::string& uri) override {
    objects.erase(uri);
    return {};
  }
  Result<void> List(const std::string& prefix, const std::function<void(const io::ObjectInfo&)>& visit) override {
    for (const auto& [uri, bytes] : objects) {
      if (uri.starts_with(prefix)) visit({uri, bytes.size(), modified_us.contains(uri) ? modified_us.at(uri) : 0});
    }
    return {};
  }
  size_t CountEndingWith(std::string_view suffix) const {
    size_t count = 0;
    for (const auto& [uri, bytes] : objects) count += uri.ends_with(suffix) ? 1 : 0;
    return count;
  }

  std::map<std::string, std::string> objects;
  std::map<std::string, int64_t> modified_us;  // of those that are to have one
  std::map<std::string, int> reads;

 private:
  class Writer : public io::ObjectWriter {
   public:
    Writer(MapObjectStore& store, std::string uri) : store_(store), uri_(std::move(uri)) {}
    Result<void> Append(std::string_view bytes) override {
      bytes_ += bytes;
      return {};
    }
    Result<void> Finish() override {
      store_.objects[uri_] = bytes_;
      return {};
    }
    uint64_t position() const override { return bytes_.size(); }

   private:
    MapObjectStore& store_;
    std::string uri_, bytes_;
  };
  class Reader : public io::ObjectReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<size_t> Read(uint64_t at, std::span<char> to) override {
      return at >= bytes_.size() ? 0 : bytes_.copy(to.data(), to.size(), at);
    }
    uint64_t size() const override { return bytes_.size(); }
    int descriptor() const override { return -1; }

   private:
    std::string bytes_;
  };
};

// What the next SwapTable does instead of answering truthfully.
enum class SwapFault : uint8_t {
  kNone,
  kUnknownLanded,   // moves the table, says unknown
  kUnknownLost,     // does not move it, says unknown
  kUnavailable,     // does not move it, says so
};

class MapCatalogStore : public io::CatalogStore {
 public:
  Result<std::vector<std::string>> ListNamespaces() override { return namespaces; }
  Result<void> CreateNamespace(const std::string& name, const std::map<std::string, std::string>&) override {
    namespaces.push_back(name);
    return {};
  }
  Result<std::vector<std::string>> ListTables(const std::string& table_namespace) override {
    std::vector<std::string> names;
    for (const auto& [name, location] : rows) {
      if (name.first == table_namespace) names.push_back(name.second);
    }
    return names;
  }
  Result<std::optional<io::CatalogRow>> LoadTable(const std::string& table_namespace, const std::string& table) override {
    if (loads_that_fail > 0) {
      loads_that_fail--;
      return Error{ErrorCode::kUnavailable, "catalog away"};
    }
    auto it = rows.find({table_namespace, table});
    if (it == rows.end()) return std::optional<io::CatalogRow>();
    return std::optional<io::CatalogRow>(io::CatalogRow{it->second, {}});
  }
  Result<void> CreateTable(const std::string& table_namespace, const std::string& table, const std::string& location) override {
    if (!rows.try_emplace({table_namespace, table}, location).second) return Error{ErrorCode::kExists, "table exists"};
    return {};
  }
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    swaps++;
    if (before_swap) std::exchange(before_swap, nullptr)();
    SwapFault fault = SwapFault::kNone;
    if (!faults.empty()) {
      fault = faults.front();
      faults.pop_front();
    }
    if (fault == SwapFault::kUnavailable) return Error{ErrorCode::kUnavailable, "catalog away"};
    std::string& location = rows[{table_namespace, table}];
    if (fault == SwapFault::kUnknownLost) return Error{ErrorCode::kCommitUnknown, "connection lost"};
    if (location != expected) return Error{ErrorCode::kConflict, "the table moved"};
    location = next;
    if (fault == SwapFault::kUnknownLanded) return Error{ErrorCode::kCommitUnknown, "connection lost"};
    return {};
  }
  Result<void> DropTable(const std::string& table_namespace, const std::string& table) override {
    return rows.erase({table_namespace, table}) == 1 ? Result<void>() : Error{ErrorCode::kNotFound, "no such table"};
  }

  std::map<std::pair<std::string, std::string>, std::string> rows;
  std::vector<std::string> namespaces;
  std::deque<SwapFault> faults;
  std::function<void()> before_swap;  // once, before the next swap
  int loads_that_fail = 0;
  int swaps = 0;
};

class ManualClock : public io::Clock {
 public:
  Timestamp Now() override { return {us}; }
  int64_t MonotonicNs() override { return us * 1000; }
  void SleepUs(int64_t n) override { us += n; }
  int64_t us = 1'768'471'200'000'000;  // 2026-01-15T10:00:00Z
};

class CountingRandom : public io::Random {
 public:
  uint64_t Next64() override { return state_ += 0x9E3779B97F4A7C15; }

 private:
  uint64_t state_ = 0;
};

struct TestWorld {
  io::RealWorld real{io::LogLevel::kError};
  MapObjectStore objects;
  MapCatalogStore store;
  ManualClock clock;
  CountingRandom random;

  io::Env env() {
    io::Env r = real.env();
    return io::Env{r.files, objects, r.memory, clock, random, r.threads, r.log, r.metrics, r.processes, r.network};
  }
  Catalog catalog() { return Catalog(store, env(), {"file:///warehouse"}); }
};

inline const TableName kTestTable{"bronze", "events"};

// Columns 1 id long, 2 type string, 3 time timestamptz; partitioned by identity(type), hour(time).
inline NewTable TestTable() {
  NewTable table;
  table.fields = {{0, "id", TypeId::kLong, true}, {0, "type", TypeId::kString, true}, {0, "time", TypeId::kTimestampTz, true}};
  table.partition = {{"type", {TransformKind::kIdentity}}, {"time", {TransformKind::kHour}}};
  return table;
}

inline TableMetadata TestMetadata() {
  NewTable table = TestTable();
  table.location = "file:///t";
  return *MakeTableMetadata(table, 1000);
}

inline const std::string kTestSync(16, 's');  // of Avro files

// A data file of TestTable: ids [id_min, id_max], one hour.
inline DataFile TestFile(const std::string& path, const std::string& type, int64_t hour, int64_t id_min, int64_t id_max) {
  DataFile file;
  file.path = path;
  file.partition = {Value(type), Value(hour)};
  file.record_count = id_max - id_min + 1;
  file.file_size_bytes = 1000;
  for (FieldId id : {1, 2, 3}) {
    file.metrics.value_counts[id] = file.record_count;
    file.metrics.null_value_counts[id] = 0;
  }
  file.metrics.lower_bounds = {{1, ValueToBytes(Value(id_min), TypeId::kLong)}, {2, type}};
  file.metrics.upper_bounds = {{1, ValueToBytes(Value(id_max), TypeId::kLong)}, {2, type}};
  return file;
}

inline TableChange AppendOf(std::vector<DataFile> files, SpecId spec_id = 0) {
  TableChange change;
  change.snapshot.emplace();
  for (DataFile& file : files) change.snapshot->added.push_back({std::move(file), spec_id});
  return change;
}

}  // namespace sluice::iceberg
