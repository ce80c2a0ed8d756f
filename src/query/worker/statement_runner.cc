// SPDX-License-Identifier: Apache-2.0
#include "query/worker/statement_runner.h"

#include <arrow/c/bridge.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <utility>

#include "duckdb/common/arrow/arrow_appender.hpp"
#include "duckdb/common/arrow/arrow_converter.hpp"
#include "query/worker/error_from_duck.h"
#include "query/worker/function_policy.h"
#include "query/worker/result_types.h"

namespace sluice::query {
namespace {

// A batch is the least that the server holds, and renders, of a result.
constexpr duckdb::idx_t kRowsPerBatch = 16 * STANDARD_VECTOR_SIZE;
static_assert(kRowsPerBatch + STANDARD_VECTOR_SIZE <= kResultBatchRowsMax);  // the server takes no longer ones
constexpr double kTextBytesPerBatch = 1 << 20;  // or one row more
// DuckDB keeps the metadata of every file it read: after so many files the worker is replaced.
constexpr size_t kFilesOpenedMax = 20'000;

template <class Status>
void Ok(const Status& status) {
  if (!status.ok()) throw duckdb::IOException(status.ToString());
}

// Cuts an IPC stream into kResult frames.
class ResultStream : public arrow::io::OutputStream {
 public:
  explicit ResultStream(ServerChannel& server) : server_(server) { set_mode(arrow::io::FileMode::WRITE); }
  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, int64_t bytes) override {
    position_ += bytes;
    for (auto* from = static_cast<const char*>(data); bytes > 0;) {
      auto n = std::min(bytes, static_cast<int64_t>(kResultFrameBytes - buffer_.size()));
      buffer_.append(from, static_cast<size_t>(n));
      from += n;
      bytes -= n;
      if (buffer_.size() == kResultFrameBytes) Send();
    }
    return arrow::Status::OK();
  }
  arrow::Status Flush() override {
    if (!buffer_.empty()) Send();
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return Flush();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }

 private:
  void Send() {
    if (!server_.SendResult(buffer_)) throw duckdb::InterruptException();
    buffer_.clear();
  }
  ServerChannel& server_;
  std::string buffer_;
  int64_t position_ = 0;
  bool closed_ = false;
};

// The sum of what `of` says of the first `rows` values that are not null.
template <class T, class Of>
double SumOver(duckdb::Vector& vector, duckdb::idx_t rows, Of of) {
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(rows, format);
  auto* values = duckdb::UnifiedVectorFormat::GetData<T>(format);
  double sum = 0;
  for (duckdb::idx_t i = 0; i < rows; i++) {
    auto at = format.sel->get_index(i);
    if (format.validity.RowIsValid(at)) sum += static_cast<double>(of(values[at]));
  }
  return sum;
}

// About how many bytes of text the first `rows` values hold, those inside of lists and structs included.
double TextBytes(duckdb::Vector& vector, duckdb::idx_t rows) {
  switch (vector.GetType().InternalType()) {
    case duckdb::PhysicalType::VARCHAR:
      return SumOver<duckdb::string_t>(vector, rows, [](const duckdb::string_t& text) { return text.GetSize(); });
    case duckdb::PhysicalType::LIST: {
      const double items = SumOver<duckdb::list_entry_t>(vector, rows, [](const duckdb::list_entry_t& list) { return list.length; });
      auto size = duckdb::ListVector::GetListSize(vector);  // one item may stand in several lists
      double each = size == 0 ? 0 : TextBytes(duckdb::ListVector::GetEntry(vector), size) / static_cast<double>(size);
      return items * (each + sizeof(int64_t));
    }
    case duckdb::PhysicalType::STRUCT: {
      double bytes = 0;
      vector.Flatten(rows);
      for (auto& child : duckdb::StructVector::GetEntries(vector)) bytes += TextBytes(*child, rows);
      return bytes;
    }
    default: return 0;
  }
}

duckdb::Value ToDuck(const SqlParameter& parameter) {
  if (auto* b = std::get_if<bool>(&parameter)) return duckdb::Value::BOOLEAN(*b);
  if (auto* i = std::get_if<int64_t>(&parameter)) return duckdb::Value::BIGINT(*i);
  if (auto* d = std::get_if<double>(&parameter)) return duckdb::Value::DOUBLE(*d);
  if (auto* s = std::get_if<std::string>(&parameter)) return duckdb::Value(*s);
  return duckdb::Value();
}

}  // namespace

duckdb::unique_ptr<duckdb::QueryResult> StatementRunner::Execute(const QueryMessage& query) {
  auto statements = connection_.ExtractStatements(query.sql);
  if (statements.empty()) throw duckdb::ParserException("there is no statement");
  if (statements.size() > 1) throw duckdb::PermissionException("more than one statement; a request holds exactly one");
  CheckStatement(*statements[0]);
  duckdb::case_insensitive_map_t<duckdb::BoundParameterData> values;
  for (size_t i = 0; i < query.parameters.size(); i++)
    values[std::to_string(i + 1)] = duckdb::BoundParameterData(ToDuck(query.parameters[i]));
  auto pending = values.empty() ? connection_.PendingQuery(std::move(statements[0]), true)
                                : connection_.PendingQuery(std::move(statements[0]), values, true);
  if (pending->HasError()) pending->ThrowError();
  auto result = pending->Execute();
  if (result->HasError()) result->ThrowError();
  return result;
}

int64_t StatementRunner::SendRows(duckdb::QueryResult& result) {
  auto& client = *connection_.context;
  auto properties = client.GetClientProperties();
  duckdb::vector<duckdb::LogicalType> types;
  for (auto& type : result.types) types.push_back(ToResultType(type));
  ArrowSchema c_schema;
  duckdb::ArrowConverter::ToArrowSchema(&c_schema, types, result.names, properties);
  auto schema = arrow::ImportSchema(&c_schema);
  Ok(schema.status());
  ResultStream out(context_.server);
  auto writer = arrow::ipc::MakeStreamWriter(&out, *schema);
  Ok(writer.status());
  duckdb::unique_ptr<duckdb::ArrowAppender> appender;
  auto write_batch = [&] {
    if (!appender || appender->RowCount() == 0) return;
    ArrowArray array = appender->Finalize();
    appender.reset();
    auto batch = arrow::ImportRecordBatch(&array, *schema);
    Ok(batch.status());
    Ok((*writer)->WriteRecordBatch(**batch));
  };
  duckdb::DataChunk space;
  int64_t rows = 0;
  double text_bytes = 0;  // in the appender
  for (auto chunk = result.Fetch(); chunk && chunk->size() > 0; chunk = result.Fetch()) {
    duckdb::DataChunk& cast = CastChunk(client, *chunk, types, space);
    const duckdb::idx_t size = chunk->size();
    double row_bytes = 0;
    for (auto& vector : cast.data) row_bytes += TextBytes(vector, size) / static_cast<double>(size);
    const auto step = static_cast<duckdb::idx_t>(std::clamp(kTextBytesPerBatch / std::max(row_bytes, 1.0), 1.0, static_cast<double>(size)));
    for (duckdb::idx_t from = 0; from < size; from += step) {
      const duckdb::idx_t to = std::min(size, from + step);
      if (!appender) {
        appender = duckdb::make_uniq<duckdb::ArrowAppender>(types, STANDARD_VECTOR_SIZE, properties,
                                                            duckdb::ArrowTypeExtensionData::GetExtensionTypes(client, types));
      }
      appender->Append(cast, from, to, size);
      text_bytes += row_bytes * static_cast<double>(to - from);
      if (appender->RowCount() < kRowsPerBatch && text_bytes < kTextBytesPerBatch) continue;
      write_batch();
      text_bytes = 0;
    }
    rows += static_cast<int64_t>(size);
  }
  if (result.HasError()) result.ThrowError();
  write_batch();
  Ok((*writer)->Close());
  Ok(out.Close());
  return rows;
}

DoneMessage StatementRunner::RunToDone(const QueryMessage& query) {
  DoneMessage done;
  files_.TakeDamagedFile();  // of a statement that got on without what it could not read
  try {
    if (context_.server.cancelled()) throw duckdb::InterruptException();
    auto result = Execute(query);
    done.rows = SendRows(*result);
  } catch (std::exception& e) {  // bad_alloc, too
    duckdb::ErrorData error(e);
    done.error = ToQueryError(error, query.sql);
    done.discard = MustDiscard(error);
    if (auto refused = context_.server.failure()) {  // the server said why: its words, and nothing is wrong with this process
      done.error->kind = refused->kind;
      done.error->message = refused->message;
      done.error->hint = refused->hint;
      done.discard = false;
    } else if (auto damaged = files_.TakeDamagedFile()) {
      done.error->message = damaged->what;
      done.damaged_file = damaged->id;
    }
  }
  done.discard = done.discard || files_.files_opened() > kFilesOpenedMax;
  return done;
}

void StatementRunner::Run(const QueryMessage& query) {
  auto done = RunToDone(query);
  context_.scanned.Clear();
  context_.chunks.Trim();
  done.mapped_bytes = context_.chunks.mapped_bytes();
  context_.server.SendDone(done);
  // After the answer, so that nobody waits for it: without this a worker stays at its peak. DuckDB's allocator and glibc's
  // malloc have to be told apart. ru_maxrss never sinks: only a new peak is worth the call.
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (usage.ru_maxrss > peak_kb_) {
    peak_kb_ = usage.ru_maxrss;
    duckdb::Allocator::FlushAll();
    malloc_trim(0);
  }
}

}  // namespace sluice::query
