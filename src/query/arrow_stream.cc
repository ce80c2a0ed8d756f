// SPDX-License-Identifier: Apache-2.0
#include "query/arrow_stream.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/c/bridge.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "query/protocol.h"

namespace sluice::query {
namespace {

// The same type with decimals as plain bytes. A HUGEINT comes as a decimal of 38 digits and may have 39; our renderers and other
// readers take the 128 bits as they are, Arrow's validation would refuse them.
std::shared_ptr<arrow::DataType> WithoutDecimals(const std::shared_ptr<arrow::DataType>& type) {
  auto field = [](const std::shared_ptr<arrow::Field>& f) { return f->WithType(WithoutDecimals(f->type())); };
  switch (type->id()) {
    case arrow::Type::DECIMAL128: return arrow::fixed_size_binary(16);
    case arrow::Type::LIST: return arrow::list(field(type->field(0)));
    case arrow::Type::LARGE_LIST: return arrow::large_list(field(type->field(0)));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(field(type->field(0)), static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::MAP: return std::make_shared<arrow::MapType>(field(type->field(0)));
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (auto& f : type->fields()) fields.push_back(field(f));
      return arrow::struct_(std::move(fields));
    }
    default: return type;
  }
}

std::shared_ptr<arrow::ArrayData> As(const arrow::ArrayData& data, std::shared_ptr<arrow::DataType> type) {
  auto out = data.Copy();
  for (size_t i = 0; i < out->child_data.size(); i++)
    out->child_data[i] = As(*data.child_data[i], type->field(static_cast<int>(i))->type());
  out->type = std::move(type);
  return out;
}

// Everything that a hostile worker could get wrong, but not how many digits a decimal has.
// Columns without bytes, as those of nulls only, may be of any length, and whoever renders them writes as many values: no longer ones than
// the bytes that came, or a batch, explain.
arrow::Status CheckLengths(const arrow::ArrayData& data) {
  int64_t bytes = 0;
  for (const auto& buffer : data.buffers) bytes += buffer != nullptr ? buffer->size() : 0;
  if (data.length > std::max(kResultBatchRowsMax, bytes * 8))
    return arrow::Status::Invalid("a column of ", data.length, " values in ", bytes, " bytes");
  for (const auto& child : data.child_data) ARROW_RETURN_NOT_OK(CheckLengths(*child));
  return data.dictionary == nullptr ? arrow::Status::OK() : CheckLengths(*data.dictionary);
}

// Digits behind the point are written, whatever the value is: no more of them than a decimal has digits. Arrow lets through any scale.
arrow::Status CheckType(const arrow::DataType& type) {
  if (type.id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
    if (decimal.scale() < 0 || decimal.scale() > decimal.precision())
      return arrow::Status::Invalid("a decimal of ", decimal.precision(), " digits with ", decimal.scale(), " behind the point");
  }
  if (type.id() == arrow::Type::DICTIONARY) ARROW_RETURN_NOT_OK(CheckType(*static_cast<const arrow::DictionaryType&>(type).value_type()));
  for (const auto& field : type.fields()) ARROW_RETURN_NOT_OK(CheckType(*field->type()));
  return arrow::Status::OK();
}

arrow::Status ValidateColumns(const arrow::RecordBatch& batch) {
  if (batch.num_rows() > kResultBatchRowsMax)
    return arrow::Status::Invalid("a batch of ", batch.num_rows(), " rows, more than ", kResultBatchRowsMax);
  ARROW_RETURN_NOT_OK(batch.Validate());
  for (auto& column : batch.columns()) ARROW_RETURN_NOT_OK(CheckLengths(*column->data()));
  for (auto& column : batch.columns()) {
    auto plain = WithoutDecimals(column->type());
    ARROW_RETURN_NOT_OK((plain->Equals(*column->type()) ? column : arrow::MakeArray(As(*column->data(), plain)))->ValidateFull());
  }
  return arrow::Status::OK();
}

Error ToError(ErrorCode code, const arrow::Status& status) { return Error{code, status.message(), ""}; }

}  // namespace

struct ArrowStreamReader::State : public arrow::ipc::Listener {
  OnSchema on_schema;
  OnBatch on_batch;
  std::optional<Error> failed;  // of a callback
  std::unique_ptr<arrow::ipc::StreamDecoder> decoder;

  arrow::Status Check(Result<void> result) {
    if (result.ok()) return arrow::Status::OK();
    failed = std::move(result).error();
    return arrow::Status::Cancelled("");
  }
  arrow::Status OnSchemaDecoded(std::shared_ptr<arrow::Schema> schema) override {
    for (const auto& field : schema->fields()) ARROW_RETURN_NOT_OK(CheckType(*field->type()));
    ArrowSchema c_schema;
    ARROW_RETURN_NOT_OK(arrow::ExportSchema(*schema, &c_schema));
    auto result = Check(on_schema(c_schema));
    c_schema.release(&c_schema);
    return result;
  }
  arrow::Status OnRecordBatchDecoded(std::shared_ptr<arrow::RecordBatch> batch) override {
    ARROW_RETURN_NOT_OK(ValidateColumns(*batch));
    ArrowSchema c_schema;
    ArrowArray c_array;
    ARROW_RETURN_NOT_OK(arrow::ExportRecordBatch(*batch, &c_array, &c_schema));
    return Check(on_batch(Columns(c_schema, c_array)));
  }
};

ArrowStreamReader::ArrowStreamReader(OnSchema on_schema, OnBatch on_batch) : state_(std::make_unique<State>()) {
  state_->on_schema = std::move(on_schema);
  state_->on_batch = std::move(on_batch);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  // The decoder wants shared ownership of its listener; the state outlives it.
  state_->decoder =
      std::make_unique<arrow::ipc::StreamDecoder>(std::shared_ptr<arrow::ipc::Listener>(std::shared_ptr<void>(), state_.get()), options);
}
ArrowStreamReader::~ArrowStreamReader() = default;

Result<void> ArrowStreamReader::Push(std::string bytes) {
  auto status = state_->decoder->Consume(arrow::Buffer::FromString(std::move(bytes)));
  if (status.ok()) return {};
  if (state_->failed) return *state_->failed;
  return ToError(ErrorCode::kCorruption, status);
}

struct ArrowStreamWriter::State {
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<arrow::io::BufferOutputStream> stream;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer;
};

namespace {

// Moves what was written so far to `out`; the writer keeps its stream object, with an empty buffer.
Result<void> Drain(arrow::io::BufferOutputStream& stream, std::string& out) {
  auto buffer = stream.Finish();
  if (!buffer.ok()) return ToError(ErrorCode::kExhausted, buffer.status());
  out.append(reinterpret_cast<const char*>((*buffer)->data()), static_cast<size_t>((*buffer)->size()));
  auto again = stream.Reset();
  if (!again.ok()) return ToError(ErrorCode::kExhausted, again);
  return {};
}

}  // namespace

ArrowStreamWriter::ArrowStreamWriter() : state_(std::make_unique<State>()) {}
ArrowStreamWriter::~ArrowStreamWriter() = default;

Result<void> ArrowStreamWriter::Begin(const ArrowSchema& schema, std::string& out) {
  // An import takes its argument over; the caller's stays as it is when a shallow copy without release is given away.
  ArrowSchema copy = schema;
  copy.release = [](ArrowSchema* s) { s->release = nullptr; };
  auto imported = arrow::ImportSchema(&copy);
  if (!imported.ok()) return ToError(ErrorCode::kInvalid, imported.status());
  state_->schema = *imported;
  auto stream = arrow::io::BufferOutputStream::Create();
  if (!stream.ok()) return ToError(ErrorCode::kExhausted, stream.status());
  state_->stream = *stream;
  auto writer = arrow::ipc::MakeStreamWriter(state_->stream, state_->schema);
  if (!writer.ok()) return ToError(ErrorCode::kInvalid, writer.status());
  state_->writer = *writer;
  return Drain(*state_->stream, out);
}

Result<void> ArrowStreamWriter::Write(Columns batch, std::string& out) {
  CHECK(state_->writer != nullptr, "Write before Begin");
  auto [schema, array] = batch.Take();
  auto imported = arrow::ImportRecordBatch(&array, &schema);
  if (!imported.ok()) return ToError(ErrorCode::kInvalid, imported.status());
  auto status = state_->writer->WriteRecordBatch(**imported);
  if (!status.ok()) return ToError(ErrorCode::kInvalid, status);
  return Drain(*state_->stream, out);
}

Result<void> ArrowStreamWriter::End(std::string& out) {
  CHECK(state_->writer != nullptr, "End before Begin");
  auto status = state_->writer->Close();
  if (!status.ok()) return ToError(ErrorCode::kInvalid, status);
  return Drain(*state_->stream, out);
}

Result<std::string> ToArrowStream(Columns columns) {
  CHECK(!columns.empty(), "columns without a schema");
  std::string out;
  ArrowStreamWriter writer;
  RETURN_IF_ERROR(writer.Begin(columns.schema(), out));
  RETURN_IF_ERROR(writer.Write(std::move(columns), out));
  RETURN_IF_ERROR(writer.End(out));
  return out;
}

}  // namespace sluice::query
