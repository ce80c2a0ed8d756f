// SPDX-License-Identifier: Apache-2.0
//
// A worker's rows: an Arrow IPC stream from somebody who is not trusted, and every rendering of what was taken. The first byte says how
// many bytes come at a time. Arrow itself is not instrumented: what it does wrong shows where we read what it made.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "query/arrow_stream.h"
#include "query/render_csv.h"
#include "query/render_json.h"

namespace sluice::query {
namespace {

struct Rendered {
  std::string json, ndjson, csv, arrow;
  bool ok = true;
  bool operator==(const Rendered&) const = default;
};

Rendered Render(std::string_view stream, size_t step) {
  Rendered out;
  JsonRenderer json;
  NdjsonRenderer ndjson;
  CsvRenderer csv;
  ArrowStreamReader reader(
      [&](const ArrowSchema& schema) -> Result<void> {
        RETURN_IF_ERROR(json.Begin(schema, out.json));
        RETURN_IF_ERROR(ndjson.Begin(schema, out.ndjson));
        return csv.Begin(schema, out.csv);
      },
      [&](Columns batch) -> Result<void> {
        json.Append(batch, out.json);
        ndjson.Append(batch, out.ndjson);
        csv.Append(batch, out.csv);
        return {};
      });
  for (size_t at = 0; at < stream.size() && out.ok; at += step) out.ok = reader.Push(std::string(stream.substr(at, step))).ok();
  return out;
}

void Run(std::string_view input) {
  if (input.empty()) return;
  size_t step = 1 + static_cast<unsigned char>(input[0]) * 8;
  auto stream = input.substr(1);
  Rendered whole = Render(stream, stream.size() + 1), cut = Render(stream, step);
  CHECK(whole.ok == cut.ok, "how the bytes are cut changes nothing");
  if (whole.ok) CHECK(whole == cut, "how the bytes are cut changes nothing");
}

template <class Builder, class... Values>
std::shared_ptr<arrow::Array> ArrayOf(Builder&& builder, const Values&... values) {
  CHECK((builder.Append(values).ok() && ...) && builder.AppendNull().ok(), "a seed is valid");
  return *builder.Finish();
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  auto add = [&](const std::shared_ptr<arrow::Array>& array) {
    auto out = *arrow::io::BufferOutputStream::Create();
    auto schema = arrow::schema({arrow::field("a", array->type())});
    auto writer = *arrow::ipc::MakeStreamWriter(out, schema);
    CHECK(writer->WriteRecordBatch(*arrow::RecordBatch::Make(schema, array->length(), {array})).ok() && writer->Close().ok(), "a seed is valid");
    seeds.push_back("z" + (*out->Finish())->ToString());
  };
  auto* pool = arrow::default_memory_pool();
  add(ArrayOf(arrow::Int64Builder(), 1, -2));
  add(ArrayOf(arrow::StringBuilder(), "a", "caf\xc3\xa9"));
  add(ArrayOf(arrow::BinaryBuilder(), "\x01", "\xff"));
  add(ArrayOf(arrow::DoubleBuilder(), 0.5, 1e300));
  add(ArrayOf(arrow::BooleanBuilder(), true, false));
  add(ArrayOf(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), pool), 1, 1'768'435'200'000'000));
  add(ArrayOf(arrow::Date32Builder(), 1, 20'000));
  add(ArrayOf(arrow::Decimal128Builder(arrow::decimal128(9, 2)), arrow::Decimal128(125)));
  auto values = std::make_shared<arrow::Int32Builder>();
  arrow::ListBuilder list(pool, values);
  CHECK(list.Append().ok() && values->Append(1).ok() && list.Append().ok(), "a seed is valid");
  add(ArrayOf(list));
  auto keys = std::make_shared<arrow::StringBuilder>(), items = std::make_shared<arrow::StringBuilder>();
  arrow::MapBuilder map(pool, keys, items);
  CHECK(map.Append().ok() && keys->Append("k").ok() && items->Append("v").ok(), "a seed is valid");
  add(*map.Finish());
  return seeds;
}

const base::FuzzRegistration kRegistration({"worker_rows", Run, Seeds});

}  // namespace
}  // namespace sluice::query
