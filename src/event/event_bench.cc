// SPDX-License-Identifier: Apache-2.0
//
// Parsing and encoding of arrays of 200 events of about 446 bytes, on one core. The counter ns_per_event is to be compared within a run;
// BM_OnDemand is simdjson as its documentation shows it, which reads the same attributes and does not validate `data`.

#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "event/cloudevents_json.h"
#include "event/partitioner.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"

namespace sluice::event {
namespace {

constexpr size_t kEvents = 200, kPadding = 64, kBodies = 64;

std::string MakeBody(size_t seed, bool array) {
  std::string body = array ? "[" : "";
  for (size_t i = 0; i < kEvents; i++) {
    char event[1024];
    size_t n = seed * kEvents + i;
    std::snprintf(event, sizeof event,
                  R"({"specversion":"1.0","id":"f79c3e09-677c-4bbd-a479-%012zx","source":"https://shop.example.com/web","type":"com.example.order.placed",)"
                  R"("time":"2026-01-15T10:%02zu:%02zu.%06zuZ","subject":"user-%zu","datacontenttype":"application/json",)"
                  R"("data":{"user_id":"user-%zu","order_id":%zu,"amount":%zu.%02zu,"currency":"EUR","items":[{"sku":"A-%zu","quantity":%zu}],)"
                  R"("page":"/checkout/confirm","session":"%016zx","agent":"Mozilla/5.0 X11 Linux x86_64","ok":true}})",
                  n * 7919, n / 60 % 60, n % 60, n * 31 % 1000000, n % 1000, n % 1000, n, n % 500, n % 100, n % 97, n % 9, n * 104729);
    if (i > 0 && array) body += ',';
    body += event;
    if (!array) body += '\n';
  }
  if (array) body += ']';
  return body;
}

struct Bodies {
  explicit Bodies(bool array) {
    for (size_t i = 0; i < kBodies; i++) {
      text.push_back(MakeBody(i, array));
      size.push_back(text.back().size());
      text.back().append(kPadding, '\0');
    }
  }
  std::string_view view(size_t i) const { return {text[i % kBodies].data(), size[i % kBodies]}; }
  std::vector<std::string> text;
  std::vector<size_t> size;
};

void Count(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kEvents));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  state.counters["ns_per_event"] = benchmark::Counter(static_cast<double>(state.iterations() * kEvents) / 1e9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes_per_event"] = static_cast<double>(bytes) / kEvents;
}

void BM_ParseArray(benchmark::State& state) {
  Bodies bodies(true);
  JsonEventDecoder decoder;
  EventBatch batch;
  size_t i = 0;
  for (auto _ : state)
    if (!decoder.DecodeBatch(bodies.view(i++), batch).ok()) state.SkipWithError("not decoded");
  Count(state, bodies.size[0]);
}
BENCHMARK(BM_ParseArray);

void BM_ParseNdjson(benchmark::State& state) {
  Bodies bodies(false);
  JsonEventDecoder decoder;
  EventBatch batch;
  size_t i = 0;
  for (auto _ : state)
    if (!decoder.DecodeNdjson(bodies.view(i++), batch).ok()) state.SkipWithError("not decoded");
  Count(state, bodies.size[0]);
}
BENCHMARK(BM_ParseNdjson);

void BM_OnDemand(benchmark::State& state) {
  Bodies bodies(true);
  simdjson::ondemand::parser parser;
  size_t i = 0;
  for (auto _ : state) {
    auto body = bodies.view(i++);
    size_t bytes = 0;
    simdjson::ondemand::document document;
    if (parser.iterate(body.data(), body.size(), body.size() + kPadding).get(document)) state.SkipWithError("not parsed");
    for (auto element : document.get_array()) {
      simdjson::ondemand::object event;
      if (element.get_object().get(event)) state.SkipWithError("not an object");
      for (auto field : event) {
        simdjson::ondemand::raw_json_string key;
        simdjson::ondemand::value value;
        if (field.key().get(key) || field.value().get(value)) state.SkipWithError("not a field");
        std::string_view text;
        simdjson::ondemand::object data;
        if (key == "data") {
          if (value.get_object().get(data) || data.raw_json().get(text)) state.SkipWithError("no data");
        } else if (value.get_string().get(text)) {
          state.SkipWithError("not a string");
        }
        bytes += text.size();
      }
    }
    benchmark::DoNotOptimize(bytes);
  }
  Count(state, bodies.size[0]);
}
BENCHMARK(BM_OnDemand);

void BM_Encode(benchmark::State& state) {
  Bodies bodies(true);
  JsonEventDecoder decoder;
  std::vector<EventBatch> batches(kBodies);
  for (size_t i = 0; i < kBodies; i++)
    if (!decoder.DecodeBatch(bodies.view(i), batches[i]).ok()) state.SkipWithError("not decoded");
  std::vector<uint32_t> rows(kEvents);
  std::iota(rows.begin(), rows.end(), 0u);
  std::vector<char> out(RecordBatchBound(batches[0], rows) + (size_t{1} << 16));
  size_t i = 0, bytes = 0;
  for (auto _ : state) bytes = static_cast<size_t>(EncodeRecordBatch(batches[i++ % kBodies], rows, {}, 0, 0, out.data()) - out.data());
  Count(state, bytes);
}
BENCHMARK(BM_Encode);

void BM_Decode(benchmark::State& state) {
  Bodies bodies(true);
  JsonEventDecoder decoder;
  EventBatch batch, back;
  if (!decoder.DecodeBatch(bodies.view(0), batch).ok()) state.SkipWithError("not decoded");
  std::vector<uint32_t> rows(kEvents);
  std::iota(rows.begin(), rows.end(), 0u);
  std::vector<char> out(RecordBatchBound(batch, rows) + kPadding);
  auto bytes = static_cast<size_t>(EncodeRecordBatch(batch, rows, {}, 0, 0, out.data()) - out.data());
  RecordPlaces places;
  for (auto _ : state)
    if (!DecodeRecordBatch({out.data(), bytes}, back, places).ok()) state.SkipWithError("not decoded");
  Count(state, bytes);
}
BENCHMARK(BM_Decode);

void BM_KeyFromData(benchmark::State& state) {
  Bodies bodies(true);
  JsonEventDecoder decoder;
  EventBatch batch;
  if (!decoder.DecodeBatch(bodies.view(0), batch).ok()) state.SkipWithError("not decoded");
  auto extractor = KeyExtractor::Make({"/data/session"});
  for (auto _ : state) {
    int32_t sum = 0;
    for (size_t row = 0; row < batch.rows(); row++) sum += PartitionOf(batch.View(extractor->Extract(batch, row)), 6);
    benchmark::DoNotOptimize(sum);
  }
  Count(state, bodies.size[0]);
}
BENCHMARK(BM_KeyFromData);

}  // namespace
}  // namespace sluice::event
