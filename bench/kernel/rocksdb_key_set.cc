// SPDX-License-Identifier: Apache-2.0
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstdlib>

#include "kernel/key_set.h"

namespace sluice::bench {
namespace {

class RocksKeySet final : public KeySet {
 public:
  explicit RocksKeySet(const std::string& directory) {
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    rocksdb::Options options;
    options.create_if_missing = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    rocksdb::DB* opened = nullptr;
    if (!rocksdb::DB::Open(options, directory + "/rocksdb", &opened).ok()) std::abort();
    db_.reset(opened);
    write_.disableWAL = true;
  }
  size_t InsertAbsent(std::span<const log::DedupKey> keys) override {
    size_t absent = 0;
    std::string value;
    for (const auto& key : keys) {
      const rocksdb::Slice bytes(reinterpret_cast<const char*>(&key), sizeof key);
      if (!db_->Get({}, bytes, &value).IsNotFound()) continue;
      if (!db_->Put(write_, bytes, {}).ok()) std::abort();
      absent++;
    }
    return absent;
  }
  uint64_t disk_bytes() const override { return Property("rocksdb.total-sst-files-size"); }
  uint64_t memory_bytes() const override {
    return Property("rocksdb.cur-size-all-mem-tables") + Property("rocksdb.estimate-table-readers-mem") +
           Property("rocksdb.block-cache-usage");
  }

 private:
  uint64_t Property(const char* name) const {
    uint64_t value = 0;
    db_->GetIntProperty(name, &value);
    return value;
  }
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteOptions write_;
};

}  // namespace

std::unique_ptr<KeySet> MakeRocksKeySet(const std::string& directory) { return std::make_unique<RocksKeySet>(directory); }

}  // namespace sluice::bench
