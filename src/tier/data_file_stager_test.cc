// SPDX-License-Identifier: Apache-2.0
//
// What staging keeps in memory, counted at operator new: Parquet's buffers come from there, too (iceberg/writer_memory.h). Chunks are
// not counted, they are the hot tail's. Of the heap only the codecs' own contexts are missing, about a megabyte.
#include "tier/data_file_stager.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <random>
#include <set>
#include <string>

#include "io/test_directory.h"
#include "table/event_schema.h"
#include "tier/partition_groups.h"

namespace {

std::atomic<int64_t> bytes_live{0}, bytes_peak{0};

void* Counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const int64_t live = bytes_live += static_cast<int64_t>(malloc_usable_size(memory));
  for (int64_t peak = bytes_peak; live > peak && !bytes_peak.compare_exchange_weak(peak, live);) {}
  return memory;
}
void Release(void* memory) noexcept {
  if (memory != nullptr) bytes_live -= static_cast<int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(size_t bytes) { return Counted(std::malloc(bytes)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  const auto step = static_cast<size_t>(alignment);
  return Counted(std::aligned_alloc(step, (bytes + step - 1) / step * step));
}
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Release(memory); }

namespace sluice::tier {
namespace {

using event::Attribute;
using table::HotChunkView;

// Takes objects and keeps nothing of them.
class NoObjects final : public io::ObjectStore {
 public:
  Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string&) override {
    return std::unique_ptr<io::ObjectWriter>(std::make_unique<Writer>());
  }
  Result<std::unique_ptr<io::ObjectReader>> Open(const std::string& uri) override { return Error{ErrorCode::kNotFound, uri}; }
  Result<void> Remove(const std::string&) override { return {}; }
  Result<void> List(const std::string&, const std::function<void(const io::ObjectInfo&)>&) override { return {}; }

 private:
  struct Writer final : io::ObjectWriter {
    Result<void> Append(std::string_view part) override {
      size += part.size();
      return {};
    }
    Result<void> Finish() override { return {}; }
    uint64_t position() const override { return size; }
    uint64_t size = 0;
  };
};

class DataFileStagerTest : public testing::Test {
 protected:
  using Fill = std::function<void(event::EventBatch&, size_t row)>;

  // Chunks of so many rows, `fill` sets more than what is required of each.
  void Append(uint32_t rows, const Fill& fill) { Append(rows, fill, tail_); }
  void Append(uint32_t rows, const Fill& fill, table::HotTail& tail) {
    constexpr uint32_t kBatch = 100;
    for (uint32_t done = 0; done < rows;) {
      event::EventBatch batch;
      batch.Reset({});
      std::vector<uint32_t> numbers;
      for (uint32_t i = 0; i < kBatch && done < rows; i++, done++) {
        const auto row = batch.AddRow(i);
        batch.Set(Attribute::kId, row, batch.Store("event-" + std::to_string(random_())));
        batch.Set(Attribute::kSource, row, batch.Store("/shop/checkout/1"));
        batch.SetTime(row, 0);
        fill(batch, row);
        if (!batch.has(Attribute::kType) || batch.Get(Attribute::kType, row).data() == nullptr)
          batch.Set(Attribute::kType, row, batch.Store("order"));
        numbers.push_back(static_cast<uint32_t>(row));
      }
      const std::vector<uint8_t> late(numbers.size(), 0);
      ASSERT_TRUE(
          tail.Append({batch, numbers, late, log::LogPartition(0), log::Offset(next_), Timestamp{7}, principal_, 0}, log::CommitSequence(1))
              .ok());
      next_ += static_cast<int64_t>(numbers.size());
    }
    tail.Publish(log::CommitSequence(1));
    tail.Close();
  }

  // The chunks, so many times over: rows without their memory.
  std::vector<HotChunkView> Chunks(size_t times) const {
    std::vector<HotChunkView> out;
    for (size_t i = 0; i < times; i++)
      for (auto& view : tail_.Slice(UINT64_MAX).chunks) out.push_back(view);
    return out;
  }

  Result<StagedFiles> Stage(const std::string& partitioning, const std::vector<HotChunkView>& chunks,
                            iceberg::DataFileOptions options = {}) {
    return Stage(*table::ParsePartitioning(partitioning), chunks, std::move(options));
  }
  Result<StagedFiles> Stage(const iceberg::PartitionSpec& spec, const std::vector<HotChunkView>& chunks,
                            iceberg::DataFileOptions options = {}) {
    iceberg::TableMetadata metadata;
    metadata.location = "mem:///t";
    metadata.schemas = {table::EventTableSchema()};
    metadata.current_schema_id = metadata.schemas[0].schema_id;
    metadata.partition_specs = {spec};
    metadata.default_spec_id = metadata.partition_specs[0].spec_id;
    options = *iceberg::DataFileOptions::FromProperties(metadata.schema(), table::EventTableProperties(), options);
    auto env = world_.env();
    io::Env discarding{env.files,   objects_, env.memory,  env.clock,     env.random,
                       env.threads, env.log,  env.metrics, env.processes, env.network};
    bytes_before_ = bytes_live;
    bytes_peak = bytes_before_;
    return StageDataFiles(discarding, turns_, metadata, options, chunks);
  }

  // Bytes of the heap that staging needed, all told; as if the commit had held as many rows as one may.
  int64_t PeakOf(const std::string& partitioning, const std::vector<HotChunkView>& chunks, iceberg::DataFileOptions options = {}) {
    auto staged = Stage(partitioning, chunks, std::move(options));
    EXPECT_TRUE(staged.ok());
    if (!staged.ok()) return INT64_MAX;
    rows_ = staged->rows;
    files_ = staged->files.size();
    return bytes_peak - bytes_before_ + static_cast<int64_t>((kCommitRowsMax - rows_) * sizeof(RowPlace));
  }

  std::string RandomText(size_t bytes) {
    std::string out(bytes, ' ');
    for (auto& c : out) c = static_cast<char>('a' + random_() % 26);
    return out;
  }

  io::RealWorld world_{io::LogLevel::kError};
  NoObjects objects_;
  table::ChunkMemory memory_{world_.env(), uint64_t{256} << 20};
  table::HotTail tail_{memory_, {}};
  WritingTurns turns_{world_.env().threads, 1};
  Principal principal_;
  int64_t next_ = 0;
  std::mt19937_64 random_{7};
  int64_t bytes_before_ = 0;
  uint64_t rows_ = 0;
  size_t files_ = 0;
};

TEST_F(DataFileStagerTest, UsualRowsOfSixtyPartitionsStayWithinTheBound) {
  Append(table::kHotChunkRowsMax, [&](event::EventBatch& batch, size_t row) {
    batch.Set(Attribute::kType, row, batch.Store("type-" + std::to_string(row % 20)));
    batch.SetTime(row, static_cast<int64_t>(random_() % 3) * 24 * kMicrosPerHour);
    batch.Set(Attribute::kData, row, batch.Store(RandomText(240)));
  });
  const int64_t peak = PeakOf("identity(type), day(time)", Chunks(8));
  EXPECT_EQ(files_, 60u);
  EXPECT_EQ(rows_, 8u * table::kHotChunkRowsMax);
  EXPECT_LE(peak, static_cast<int64_t>(kStagingBytesMax));
}

TEST_F(DataFileStagerTest, RowsWithEveryColumnStayWithinTheBound) {
  Append(4'000, [&](event::EventBatch& batch, size_t row) {
    for (auto attribute : {Attribute::kSubject, Attribute::kDataContentType, Attribute::kDataSchema, Attribute::kData,
                           Attribute::kDataBinary, Attribute::kTraceParent, Attribute::kTraceState, Attribute::kPartitionKey,
                           Attribute::kSequence, Attribute::kCorrelationId, Attribute::kCausationId, Attribute::kSchemaVersion})
      batch.Set(attribute, row, batch.Store(RandomText(40)));
    for (auto name : {"first", "second"}) batch.AddExtension(row, batch.Store(name), batch.Store(RandomText(20)));
  });
  const int64_t peak = PeakOf("", Chunks(32));
  EXPECT_EQ(rows_, 128'000u);
  EXPECT_LE(peak, static_cast<int64_t>(kStagingBytesMax));
}

TEST_F(DataFileStagerTest, RowsOfAMegabyteStayWithinTheBound) {
  Append(24, [&](event::EventBatch& batch, size_t row) { batch.Set(Attribute::kData, row, batch.Store(RandomText(1'000'000))); });
  const int64_t peak = PeakOf("identity(type)", Chunks(20));
  EXPECT_EQ(rows_, 480u);
  EXPECT_LE(peak, static_cast<int64_t>(kStagingBytesMax));
}

// Row groups of a million rows, pages and dictionaries of a gigabyte.
TEST_F(DataFileStagerTest, OptionsOfATableCannotMoveTheBound) {
  Append(table::kHotChunkRowsMax, [&](event::EventBatch& batch, size_t row) {
    batch.Set(Attribute::kData, row, batch.Store(RandomText(20)));
    batch.Set(Attribute::kSubject, row, batch.Store(RandomText(100)));
    for (auto name : {"first", "second"}) batch.AddExtension(row, batch.Store(name), batch.Store(RandomText(20)));
  });
  iceberg::DataFileOptions options;
  options.row_group_rows_max = 1'000'000;
  options.row_group_bytes_max = int64_t{1} << 40;
  options.page_bytes = options.dictionary_bytes_max = 1 << 29;
  options.page_rows_max = 1 << 30;
  for (auto& column : table::EventColumns()) options.columns[column.field_id()].dictionary = iceberg::DictionaryUse::kOn;
  const int64_t peak = PeakOf("", Chunks(32), options);
  EXPECT_LE(peak, static_cast<int64_t>(kStagingBytesMax));
}

TEST_F(DataFileStagerTest, SortingTheRowsOfACommitStaysWithinTheBound) {
  Append(table::kHotChunkRowsMax, [&](event::EventBatch& batch, size_t row) {
    batch.Set(Attribute::kType, row, batch.Store("type-" + std::to_string(random_() % 60)));
  });
  const auto chunks = Chunks(kCommitRowsMax / table::kHotChunkRowsMax);
  const int64_t before = bytes_live;
  bytes_peak = before;
  const auto grouped = GroupByPartition(*table::ParsePartitioning("identity(type)"), chunks);
  EXPECT_EQ(grouped.places.size(), kCommitRowsMax);
  EXPECT_EQ(grouped.groups.size(), 60u);
  EXPECT_LE(bytes_peak - before, static_cast<int64_t>(kStagingBytesMax));
  size_t rows = 0;
  std::set<std::string> types;
  for (auto& group : grouped.groups) {
    const auto reader = chunks[0].chunk->reader();
    const auto type = std::get<std::string>(group.partition.at(0));
    types.insert(type);
    rows += group.rows.size();
    for (size_t i = 0; i < group.rows.size(); i++) {
      ASSERT_EQ(reader.Text(reader.views(table::EventColumn::kType)[group.rows[i].row()]), type);
      if (i == 0) continue;
      ASSERT_LT(std::pair(group.rows[i - 1].chunk(), group.rows[i - 1].row()), std::pair(group.rows[i].chunk(), group.rows[i].row()));
    }
  }
  EXPECT_EQ(rows, kCommitRowsMax);
  EXPECT_EQ(types.size(), 60u);
}

// Another engine adds a column to the table and partitions it by that: the server ended, and again at each start.
TEST_F(DataFileStagerTest, APartitionFieldOverAnotherEnginesColumnIsNull) {
  Append(100,
         [&](event::EventBatch& batch, size_t row) { batch.Set(Attribute::kType, row, batch.Store("type-" + std::to_string(row % 2))); });
  constexpr iceberg::FieldId kForeignColumn = 28;
  auto spec = *table::ParsePartitioning("identity(type)");
  spec.fields.push_back({kForeignColumn, spec.fields[0].field_id + 1, iceberg::ParseTransform("identity"), "region"});
  const auto grouped = GroupByPartition(spec, Chunks(1));
  ASSERT_EQ(grouped.groups.size(), 2u);
  for (auto& group : grouped.groups) {
    EXPECT_EQ(group.rows.size(), 50u);
    EXPECT_TRUE(iceberg::IsNull(group.partition.at(1)));
  }
}

// The same, with a transform of a later version of the format.
TEST_F(DataFileStagerTest, APartitionFieldOfAnUnknownTransformIsRefused) {
  Append(10, [](event::EventBatch&, size_t) {});
  auto spec = *table::ParsePartitioning("identity(type)");
  spec.fields[0].transform = iceberg::ParseTransform("zorder[4]");
  const auto staged = Stage(spec, Chunks(1));
  ASSERT_FALSE(staged.ok());
  EXPECT_EQ(staged.error().code, ErrorCode::kInvalid);
  EXPECT_NE(staged.error().message.find("zorder"), std::string::npos);
}

TEST_F(DataFileStagerTest, RowsOfAFileThatTheDiskDamagedDoNotReachTheTable) {
  io::TestDirectory directory(world_.env().files);
  table::ChunkMemory memory(world_.env(), uint64_t{64} << 20, table::kHotChunkBytesDefault, {directory.path(), uint64_t{64} << 20});
  table::HotTail tail(memory, {});
  Append(
      100, [](event::EventBatch&, size_t) {}, tail);
  ASSERT_TRUE(*tail.MoveToFile(table::HotTail::Which::kOldest));
  const auto chunks = tail.Slice(UINT64_MAX).chunks;
  EXPECT_TRUE(Stage("", chunks).ok());
  auto file = world_.env().files.Open("/proc/self/fd/" + std::to_string(chunks[0].chunk->descriptor()), {io::OpenMode::kReadWrite});
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Write(table::kHotChunkHeaderBytes, "rot").ok());
  EXPECT_EQ(Stage("", chunks).error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace sluice::tier
