// SPDX-License-Identifier: Apache-2.0
//
// How fast event rows become data files: 25 columns as the event table has them, about half of them empty, 240 bytes of JSON a
// row (446 as a CloudEvent), zstd 1. Objects are counted and thrown away. items_per_second is rows; look at CPU time.

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>

#include <cinttypes>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "iceberg/data_file_writer.h"
#include "iceberg/internal/arrow_types.h"

namespace sluice::iceberg {
namespace {

constexpr int64_t kRows = 4 * 122'880;
constexpr size_t kPartitions = 60;

// Takes objects and keeps only their size.
class CountingObjects final : public io::ObjectStore {
 public:
  uint64_t bytes = 0;
  Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string&) override { return std::unique_ptr<io::ObjectWriter>(std::make_unique<Writer>(bytes)); }
  Result<std::unique_ptr<io::ObjectReader>> Open(const std::string& uri) override { return Error{ErrorCode::kNotFound, uri}; }
  Result<void> Remove(const std::string&) override { return {}; }
  Result<void> List(const std::string&, const std::function<void(const io::ObjectInfo&)>&) override { return {}; }

 private:
  struct Writer final : io::ObjectWriter {
    explicit Writer(uint64_t& total) : total_(total) {}
    Result<void> Append(std::string_view part) override {
      size_ += part.size();
      return {};
    }
    Result<void> Finish() override {
      total_ += size_;
      return {};
    }
    uint64_t position() const override { return size_; }
    uint64_t& total_;
    uint64_t size_ = 0;
  };
};

TableSchema EventSchema() {
  const TypeId text = TypeId::kString;
  TableSchema schema;
  schema.fields = {{1, "id", text, true}, {2, "source", text, true}, {3, "type", text, true}, {4, "specversion", text, true},
                   {5, "time", TypeId::kTimestampTz, true}, {6, "subject", text}, {7, "datacontenttype", text}, {8, "dataschema", text}, {9, "data", text},
                   {10, "data_binary", TypeId::kBinary}, {11, "extensions", Type::Map(26, text, 27, text, false)}, {12, "traceparent", text},
                   {13, "tracestate", text}, {14, "partitionkey", text}, {15, "sequence", text}, {16, "correlationid", text}, {17, "causationid", text},
                   {18, "schema_version", text}, {19, "schema_id", TypeId::kInt}, {20, "tenant", text, true}, {21, "ingested_at", TypeId::kTimestampTz, true},
                   {22, "is_late_arrival", TypeId::kBoolean, true}, {23, "log_partition", TypeId::kInt, true}, {24, "log_offset", TypeId::kLong, true},
                   {25, "producer", text}};
  return schema;
}

std::string Json(std::mt19937_64& random) {
  char text[512];
  std::snprintf(text, sizeof text,
                R"({"order_id":"%016)" PRIx64 R"(","user_id":%u,"amount":%u.%02u,"currency":"%s","items":[{"sku":"SKU-%05u","qty":%u,"price":%u.99}],)"
                R"("ip":"10.%u.%u.%u","session":"%016)" PRIx64 R"(","channel":"%s","attempt":%u,"ok":%s})",
                random(), static_cast<unsigned>(random() % 1000000), static_cast<unsigned>(random() % 5000), static_cast<unsigned>(random() % 100),
                random() % 2 ? "USD" : "EUR", static_cast<unsigned>(random() % 20000), static_cast<unsigned>(random() % 9 + 1), static_cast<unsigned>(random() % 300),
                static_cast<unsigned>(random() % 256), static_cast<unsigned>(random() % 256), static_cast<unsigned>(random() % 256), random(),
                random() % 2 ? "web" : "mobile", static_cast<unsigned>(random() % 3), random() % 10 ? "true" : "false");
  return text;
}

struct Events {
  std::shared_ptr<::arrow::RecordBatch> batch;
  std::vector<std::vector<uint32_t>> partitions;  // rows of each (type, hour)
};

// String views, as a hot chunk has them; columns without values are left out.
Events MakeEvents() {
  std::mt19937_64 random(42);
  Events events;
  events.partitions.resize(kPartitions);
  ::arrow::StringViewBuilder id, source, type, version, subject, content, data, tenant, producer;
  ::arrow::Int64Builder time, ingested, offset;
  ::arrow::Int32Builder partition;
  ::arrow::BooleanBuilder late;
  for (int64_t row = 0; row < kRows; row++) {
    char uuid[40];
    std::snprintf(uuid, sizeof uuid, "%08x-%04x-4%03x-8%03x-%012" PRIx64, static_cast<unsigned>(random()), static_cast<unsigned>(random() & 0xffff),
                  static_cast<unsigned>(random() & 0xfff), static_cast<unsigned>(random() & 0xfff), random() & 0xffffffffffff);
    uint64_t kind = random() % 10, hour = random() % 6;
    events.partitions[kind * 6 + hour].push_back(static_cast<uint32_t>(row));
    auto ok = id.Append(uuid) & source.Append("/services/checkout/instance-" + std::to_string(random() % 50)) &
              type.Append("com.acme.order.type" + std::to_string(kind)) & version.Append("1.0") & subject.Append("order-" + std::to_string(random() % 1000000)) &
              content.Append("application/json") & data.Append(Json(random)) & tenant.Append("default") & producer.Append("load") &
              time.Append(1768435200000000 + static_cast<int64_t>(hour) * 3600000000 + row * 1000) & ingested.Append(1768435200000000 + row / 200) &
              offset.Append(row) & partition.Append(static_cast<int32_t>(random() % 6)) & late.Append(false);
    if (!ok.ok()) std::abort();
  }
  ::arrow::FieldVector fields;
  ::arrow::ArrayVector arrays;
  const TableSchema schema = EventSchema();
  auto add = [&](size_t field, ::arrow::ArrayBuilder& builder, std::shared_ptr<::arrow::DataType> as) {
    auto array = *builder.Finish();
    arrays.push_back(*array->View(as));
    fields.push_back(internal::MakeArrowField(schema.fields[field - 1])->WithType(as));
  };
  auto timestamp = ::arrow::timestamp(::arrow::TimeUnit::MICRO, "UTC");
  add(1, id, ::arrow::utf8_view());
  add(2, source, ::arrow::utf8_view());
  add(3, type, ::arrow::utf8_view());
  add(4, version, ::arrow::utf8_view());
  add(5, time, timestamp);
  add(6, subject, ::arrow::utf8_view());
  add(7, content, ::arrow::utf8_view());
  add(9, data, ::arrow::utf8_view());
  add(20, tenant, ::arrow::utf8_view());
  add(21, ingested, timestamp);
  add(22, late, ::arrow::boolean());
  add(23, partition, ::arrow::int32());
  add(24, offset, ::arrow::int64());
  add(25, producer, ::arrow::utf8_view());
  events.batch = ::arrow::RecordBatch::Make(::arrow::schema(fields), kRows, arrays);
  return events;
}

const Events& TheEvents() {
  static const Events events = MakeEvents();
  return events;
}

Columns ExportEvents() {
  ArrowSchema schema{};
  ArrowArray array{};
  if (!::arrow::ExportRecordBatch(*TheEvents().batch, &array, &schema).ok()) std::abort();
  return Columns(schema, array);
}

// As the tier writes: no bounds or statistics on the payload, a Bloom filter on the id.
DataFileOptions TierOptions(bool bloom, bool delta) {
  DataFileOptions options;
  options.columns[1].bloom_filter = bloom;
  options.columns[9].statistics = false;
  options.columns[9].metrics = {MetricsMode::Kind::kCounts, 0};
  for (FieldId id : {5, 21, 24}) options.columns[id].delta = delta;
  return options;
}

void Report(benchmark::State& state, const CountingObjects& objects) {
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["bytes_per_row"] = static_cast<double>(objects.bytes) / static_cast<double>(state.iterations() * kRows);
}

void WriteOneFile(benchmark::State& state, DataFileOptions options) {
  Columns columns = ExportEvents();
  CountingObjects objects;
  for (auto _ : state) {
    auto writer = DataFileWriter::Open(objects, "mem:///one", EventSchema(), options);
    if (!(*writer)->Write(columns).ok() || !(*writer)->Finish().ok()) std::abort();
  }
  Report(state, objects);
}

void WritePartitions(benchmark::State& state, DataFileOptions options) {
  Columns columns = ExportEvents();
  CountingObjects objects;
  for (auto _ : state) {
    for (const auto& rows : TheEvents().partitions) {
      auto writer = DataFileWriter::Open(objects, "mem:///part", EventSchema(), options);
      if (!(*writer)->Write(columns, rows).ok() || !(*writer)->Finish().ok()) std::abort();
    }
  }
  Report(state, objects);
}

DataFileOptions Uncompressed() {
  DataFileOptions options = TierOptions(true, false);
  options.compression = Compression::kNone;
  return options;
}

BENCHMARK_CAPTURE(WriteOneFile, tier, TierOptions(true, false))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WriteOneFile, tier_with_deltas, TierOptions(true, true))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WriteOneFile, without_bloom_filter, TierOptions(false, false))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WriteOneFile, without_compression, Uncompressed())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WriteOneFile, defaults, DataFileOptions{})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WritePartitions, tier, TierOptions(true, false))->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::iceberg
