// SPDX-License-Identifier: Apache-2.0
#include "query/worker/worker_fixture.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "event/event_batch.h"
#include "iceberg/data_file_seal.h"
#include "table/event_columns.h"
#include "table/hot_chunk_writer.h"

namespace sluice::query {
namespace {

constexpr int64_t kFirstTimeUs = 1'763'000'000'000'000;  // 2025-11-13
constexpr size_t kChunkBytes = size_t{8} << 20;

void Check(const arrow::Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

std::shared_ptr<arrow::Field> WithId(const std::string& name, std::shared_ptr<arrow::DataType> type, bool nullable, int32_t id) {
  return arrow::field(name, std::move(type), nullable, arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id)}));
}

std::shared_ptr<arrow::DataType> ArrowType(table::ColumnType type) {
  switch (type) {
    case table::ColumnType::kString: return arrow::utf8();
    case table::ColumnType::kTimestamp: return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case table::ColumnType::kBinary: return arrow::binary();
    case table::ColumnType::kInt: return arrow::int32();
    case table::ColumnType::kBoolean: return arrow::boolean();
    case table::ColumnType::kLong: return arrow::int64();
    case table::ColumnType::kStringMap:
      return std::make_shared<arrow::MapType>(WithId("key", arrow::utf8(), false, table::kExtensionsKeyFieldId),
                                              WithId("value", arrow::utf8(), true, table::kExtensionsValueFieldId));
  }
  return nullptr;
}

iceberg::Type LakeType(table::ColumnType type) {
  switch (type) {
    case table::ColumnType::kString: return iceberg::TypeId::kString;
    case table::ColumnType::kTimestamp: return iceberg::TypeId::kTimestampTz;
    case table::ColumnType::kBinary: return iceberg::TypeId::kBinary;
    case table::ColumnType::kInt: return iceberg::TypeId::kInt;
    case table::ColumnType::kBoolean: return iceberg::TypeId::kBoolean;
    case table::ColumnType::kLong: return iceberg::TypeId::kLong;
    case table::ColumnType::kStringMap:
      return iceberg::Type::Map(table::kExtensionsKeyFieldId, iceberg::TypeId::kString, table::kExtensionsValueFieldId,
                                iceberg::TypeId::kString, false);
  }
  return iceberg::TypeId::kString;
}

using table::EventColumn;

// What a text column of the event holds; nothing: null.
std::optional<std::string> TextOf(const TestEvent& event, EventColumn column) {
  switch (column) {
    case EventColumn::kId: return event.id;
    case EventColumn::kSource: return event.source;
    case EventColumn::kType: return event.type;
    case EventColumn::kSpecVersion: return "1.0";
    case EventColumn::kSubject: return event.subject;
    case EventColumn::kData: return event.data;
    case EventColumn::kTenant: return "default";
    default: return std::nullopt;
  }
}
int64_t NumberOf(const TestEvent& event, EventColumn column) {
  switch (column) {
    case EventColumn::kTime: return event.time_us;
    case EventColumn::kIngestedAt: return kFirstTimeUs;
    case EventColumn::kIsLateArrival: return event.number % 7 == 0;
    case EventColumn::kLogPartition: return 3;
    case EventColumn::kLogOffset: return static_cast<int64_t>(event.number);
    default: return 0;
  }
}

std::shared_ptr<arrow::Array> MakeColumn(const table::EventColumnSpec& spec, const std::vector<TestEvent>& events) {
  auto builder = arrow::MakeBuilder(ArrowType(spec.type)).ValueOrDie();
  for (auto& event : events) {
    if (spec.type == table::ColumnType::kStringMap) {
      auto& map = static_cast<arrow::MapBuilder&>(*builder);
      if (event.extensions.empty()) {
        Check(map.AppendNull());
        continue;
      }
      Check(map.Append());
      for (auto& [name, value] : event.extensions) {
        Check(static_cast<arrow::StringBuilder*>(map.key_builder())->Append(name));
        Check(static_cast<arrow::StringBuilder*>(map.item_builder())->Append(value));
      }
    } else if (spec.type == table::ColumnType::kString) {
      auto text = TextOf(event, spec.column);
      Check(text ? static_cast<arrow::StringBuilder&>(*builder).Append(*text) : builder->AppendNull());
    } else if (!spec.required) {
      Check(builder->AppendNull());
    } else {
      Check(builder->AppendScalar(*arrow::MakeScalar(NumberOf(event, spec.column))->CastTo(ArrowType(spec.type)).ValueOrDie()));
    }
  }
  return builder->Finish().ValueOrDie();
}

std::string ToParquet(const std::vector<TestEvent>& events) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (auto& spec : table::EventColumns()) {
    fields.push_back(WithId(std::string(spec.name), ArrowType(spec.type), !spec.required, spec.field_id()));
    arrays.push_back(MakeColumn(spec, events));
  }
  auto rows = arrow::Table::Make(arrow::schema(fields), arrays, static_cast<int64_t>(events.size()));
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  Check(parquet::arrow::WriteTable(*rows, arrow::default_memory_pool(), out, 5'000));
  return out->Finish().ValueOrDie()->ToString();
}

}  // namespace

TestEvent MakeTestEvent(uint64_t number) {
  static const char* const kTypes[] = {"order.created", "order.paid", "page.viewed", "sensor.read"};
  uint64_t h = (number + 1) * 0x9E3779B97F4A7C15u;
  TestEvent e;
  e.number = number;
  char text[64];
  snprintf(text, sizeof text, "%016llx-%08llx", static_cast<unsigned long long>(h), static_cast<unsigned long long>(number));
  e.id = text;
  e.source = "/shop/" + std::to_string(h >> 60);
  e.type = kTypes[h >> 62];
  e.time_us = kFirstTimeUs + static_cast<int64_t>(number) * 1'000'000;
  if (h % 10 != 0) e.subject = "user-" + std::to_string((h >> 32) % 500);
  if (h % 50 != 1)
    e.data = "{\"order\":" + std::to_string(number) + ",\"amount\":" + std::to_string((h >> 40) % 1000) + ",\"tier\":\"gold\"}";
  if (h % 3 == 0) e.extensions = {{"region", "eu-" + std::to_string(h % 4)}, {"note", "a value that is longer than twelve bytes"}};
  return e;
}

std::vector<TestEvent> MakeTestEvents(uint64_t first, size_t count) {
  std::vector<TestEvent> out;
  for (size_t i = 0; i < count; i++) out.push_back(MakeTestEvent(first + i));
  return out;
}

TestLake::Table TestLake::NewEventsTable(const std::string& name) {
  Table out;
  out.info.schema = "bronze";
  out.info.name = name;
  for (auto& spec : table::EventColumns()) {
    iceberg::NestedField field;
    field.id = spec.field_id();
    field.name = spec.name;
    field.type = LakeType(spec.type);
    field.required = spec.required;
    out.info.columns.push_back(std::move(field));
  }
  for (auto& alias : table::kEventColumnAliases) out.info.aliases.push_back({std::string(alias.alias), static_cast<size_t>(alias.column)});
  return out;
}

ViewFile TestLake::WriteFile(const std::string& name, const std::vector<TestEvent>& events) {
  return WriteBytes(name, ToParquet(events), events.size());
}

ViewFile TestLake::WriteSealedFile(const std::string& name, const std::vector<TestEvent>& events, std::optional<size_t> damaged) {
  const auto bytes = ToParquet(events);
  const size_t begin = bytes.size() - 8 - base::GetLittle<uint32_t>(bytes.data() + bytes.size() - 8);
  iceberg::SealBuilder seal;
  seal.Add(std::string_view(bytes).substr(0, begin));
  std::string sealed = bytes.substr(0, begin) + seal.Finish(std::string_view(bytes).substr(begin)) + bytes.substr(begin);
  if (damaged) sealed[*damaged] = static_cast<char>(sealed[*damaged] ^ 4);
  return WriteBytes(name, sealed, events.size());
}

ViewFile TestLake::WriteBytes(const std::string& name, const std::string& bytes, size_t rows) {
  ViewFile out;
  out.uri = io::PathToUri(directory / name);
  EXPECT_TRUE(io::WriteObject(env_.objects, out.uri, bytes).ok());
  out.bytes = bytes.size();
  out.rows = static_cast<int64_t>(rows);
  std::memcpy(&out.footer_bytes, bytes.data() + bytes.size() - 8, sizeof out.footer_bytes);
  return out;
}

std::vector<ViewChunk> TestLake::WriteChunks(const std::vector<TestEvent>& events) {
  using event::Attribute;
  event::EventBatch batch;
  batch.Reset("");
  std::vector<uint32_t> rows;
  for (auto& e : events) {
    auto row = batch.AddRow(static_cast<uint32_t>(rows.size()));
    batch.Set(Attribute::kId, row, batch.Store(e.id));
    batch.Set(Attribute::kSource, row, batch.Store(e.source));
    batch.Set(Attribute::kType, row, batch.Store(e.type));
    batch.SetTime(row, e.time_us);
    if (e.subject) batch.Set(Attribute::kSubject, row, batch.Store(*e.subject));
    if (e.data) batch.Set(Attribute::kData, row, batch.Store(*e.data));
    for (auto& [name, value] : e.extensions) batch.AddExtension(row, batch.Store(name), batch.Store(value));
    rows.push_back(static_cast<uint32_t>(row));
  }
  std::vector<uint8_t> late;
  for (auto& e : events) late.push_back(e.number % 7 == 0);
  Principal principal;
  std::vector<ViewChunk> out;
  for (size_t done = 0; done < events.size();) {
    auto region = env_.memory.Create("test", kChunkBytes);
    if (!region.ok()) {
      ADD_FAILURE() << region.error().ToString();
      return out;
    }
    std::shared_ptr<io::SharedRegion> owner = std::move(*region);
    table::HotChunkWriter writer(owner->bytes());
    table::EventRows all{
        batch,     rows, late, log::LogPartition(3), log::Offset(static_cast<int64_t>(events[0].number)), Timestamp{kFirstTimeUs},
        principal, 0};
    size_t n = writer.Append(all, done);
    EXPECT_GT(n, 0u);
    out.push_back({next_chunk_++, owner->descriptor(), owner->bytes().size(), 0, static_cast<uint32_t>(n), owner});
    done += n;
  }
  return out;
}

void TestLake::Put(Table table) {
  int64_t lake_rows = 0;
  table.info.hot_rows = 0;
  for (auto& file : table.files) lake_rows += file.rows - (file.deleted_rows ? static_cast<int64_t>(file.deleted_rows->size()) : 0);
  for (auto& chunk : table.chunks) table.info.hot_rows += chunk.end - chunk.begin;
  table.info.lake_rows = lake_rows;
  std::lock_guard lock(mutex_);
  tables_[table.info.name] = std::move(table);
}

std::vector<std::vector<iceberg::ColumnFilter>> TestLake::scans() const {
  std::lock_guard lock(mutex_);
  return scans_;
}

class TestTable : public ViewTable {
 public:
  TestTable(TestLake& lake, TestLake::Table table) : lake_(lake), table_(std::move(table)) {}
  const TableInfo& info() const override { return table_.info; }
  TableFreshness freshness() const override { return {7, {{log::LogPartition(3), log::Offset(11)}}, Timestamp{kFirstTimeUs}}; }
  Result<TableScan> Scan(TablePart part, std::span<const iceberg::ColumnFilter> filters) const override {
    if (lake_.on_scan) lake_.on_scan();
    {
      std::lock_guard lock(lake_.mutex_);
      lake_.scans_.emplace_back(filters.begin(), filters.end());
    }
    if (table_.scan_error) return *table_.scan_error;
    TableScan out;
    if (part != TablePart::kHot) out.files = table_.files;
    if (part != TablePart::kLake) out.chunks = table_.chunks;
    return out;
  }
  Result<std::shared_ptr<const ViewTable>> At(const VersionRequest& version) const override {
    auto* id = std::get_if<int64_t>(&version);
    auto found = id != nullptr ? table_.snapshots.find(*id) : table_.snapshots.begin();
    if (found == table_.snapshots.end())
      return Error{ErrorCode::kNotFound, "bronze.events has no snapshot " + std::to_string(*id),
                   "SELECT * FROM bronze.events__snapshots lists them"};
    auto older = table_;
    older.files = found->second;
    older.chunks.clear();
    older.info.hot_rows = 0;
    older.info.lake_rows.reset();
    return std::shared_ptr<const ViewTable>(std::make_shared<TestTable>(lake_, std::move(older)));
  }
  Result<Columns> MetadataRows(TablePart) const override {
    arrow::Int64Builder ids;
    arrow::StringBuilder names;
    for (auto& [id, files] : table_.snapshots) {
      Check(ids.Append(id));
      Check(files.empty() ? names.AppendNull() : names.Append(std::to_string(files.size()) + " files"));
    }
    auto rows = arrow::RecordBatch::Make(arrow::schema({arrow::field("snapshot_id", arrow::int64()), arrow::field("note", arrow::utf8())}),
                                         static_cast<int64_t>(table_.snapshots.size()),
                                         arrow::ArrayVector{ids.Finish().ValueOrDie(), names.Finish().ValueOrDie()});
    ArrowSchema schema;
    ArrowArray array;
    Check(arrow::ExportRecordBatch(*rows, &array, &schema));
    return Columns(schema, array);
  }

 private:
  TestLake& lake_;
  TestLake::Table table_;
};

class TestView : public ReadView {
 public:
  explicit TestView(std::map<std::string, std::unique_ptr<TestTable>> tables) : tables_(std::move(tables)) {}
  Result<const ViewTable*> FindTable(std::string_view schema, std::string_view name) const override {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    auto found = tables_.find(lower);
    if (schema != "bronze" || found == tables_.end()) return Error{ErrorCode::kNotFound, "no such table", ""};
    return static_cast<const ViewTable*>(found->second.get());
  }
  std::vector<TableName> ListTables() const override {
    std::vector<TableName> out;
    for (auto& [name, table] : tables_) out.push_back({"bronze", name});
    return out;
  }

 private:
  std::map<std::string, std::unique_ptr<TestTable>> tables_;
};

Result<std::shared_ptr<const ReadView>> TestLake::NewView() {
  std::map<std::string, std::unique_ptr<TestTable>> tables;
  std::lock_guard lock(mutex_);
  for (auto& [name, table] : tables_) tables.emplace(name, std::make_unique<TestTable>(*this, table));
  return std::shared_ptr<const ReadView>(std::make_shared<TestView>(std::move(tables)));
}

std::string TestResult::text() const {
  if (error) return std::string(QueryErrorName(error->kind)) + ": " + error->message;
  std::string out;
  for (auto& row : rows) out += row + "\n";
  return out;
}

namespace {

class CollectingSink : public ResultSink {
 public:
  CollectingSink(io::Signal& ended, std::function<Result<void>()> on_batch) : ended_(ended), on_batch_(std::move(on_batch)) {}
  Result<void> OnSchema(const ArrowSchema& schema) override {
    for (int64_t i = 0; i < schema.n_children; i++) result.names.emplace_back(schema.children[i]->name);
    return {};
  }
  Result<void> OnBatch(Columns columns) override {
    if (on_batch_) RETURN_IF_ERROR(on_batch_());
    auto [schema, array] = columns.Take();
    auto batch = arrow::ImportRecordBatch(&array, &schema).ValueOrDie();
    for (int64_t r = 0; r < batch->num_rows(); r++) {
      std::string row;
      for (int c = 0; c < batch->num_columns(); c++) row += (c == 0 ? "" : "|") + batch->column(c)->GetScalar(r).ValueOrDie()->ToString();
      result.rows.push_back(std::move(row));
    }
    return {};
  }
  void OnDone(const StatementStats& stats) override {
    result.stats = stats;
    ended_.Notify();
  }
  void OnError(const QueryError& error, const StatementStats& stats) override {
    result.error = error;
    result.stats = stats;
    ended_.Notify();
  }
  TestResult result;

 private:
  io::Signal& ended_;
  std::function<Result<void>()> on_batch_;
};

}  // namespace

TestSession::TestSession(SessionOptions options) {
  if (options.spill_directory.empty()) options.spill_directory = lake.directory.path();
  auto opened = Session::Open(env, options, lake);
  CHECK(opened.ok(), "no session");
  session = std::move(*opened);
}

TestResult TestSession::Run(const std::string& sql, std::vector<SqlParameter> parameters, int64_t timeout_ms) {
  SqlRequest request;
  request.sql = sql;
  request.parameters = std::move(parameters);
  request.timeout_ms = timeout_ms;
  return Run(std::move(request), {});
}

TestResult TestSession::Run(SqlRequest request, const std::function<void(Session&, Session::StatementId)>& after_submit,
                            const std::function<Result<void>()>& on_batch) {
  auto ended = env.threads.NewSignal();
  auto sink = std::make_shared<CollectingSink>(*ended, on_batch);
  auto id = session->Submit(std::move(request), sink);
  if (!id.ok()) {
    TestResult refused;
    refused.error = QueryError{QueryErrorKind::kExhausted, id.error().message, std::nullopt, id.error().hint};
    return refused;
  }
  if (after_submit) after_submit(*session, *id);
  ended->Wait();
  return sink->result;
}

}  // namespace sluice::query
