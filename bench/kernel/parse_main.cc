// SPDX-License-Identifier: Apache-2.0
//
// sluice_parse: JSON arrays of 200 events become columns, on one core. By Sluice's decoder, or by the loop that simdjson's documentation
// shows, which fills the same columns. Prints one JSON object; what was read is summed up, so that the two can be compared.

#include <simdjson.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "event/cloudevents_json.h"
#include "kernel/kernel_clock.h"

namespace sluice::bench {
namespace {

using event::Attribute;
namespace ondemand = simdjson::ondemand;

constexpr size_t kEventsPerBody = 200, kPadding = 64;

struct Body {
  std::string text;  // padded
  size_t size = 0;
  std::string_view view() const { return {text.data(), size}; }
};

// What came out of a body: enough to see that two ways read the same.
struct Read {
  uint64_t events = 0, value_bytes = 0;
  int64_t times = 0;
};

std::vector<Body> ReadBodies(const std::string& path) {
  std::vector<Body> bodies;
  std::ifstream in(path);
  std::string line, text;
  size_t events = 0;
  while (std::getline(in, line)) {
    text += (events++ == 0 ? '[' : ',') + line;
    if (events < kEventsPerBody) continue;
    text += ']';
    bodies.push_back({text, text.size()});
    bodies.back().text.append(kPadding, '\0');
    text.clear();
    events = 0;
  }
  return bodies;
}

class SluiceParser {
 public:
  Read operator()(const Body& body) {
    if (!decoder_.DecodeBatch(body.view(), batch_).ok()) std::abort();
    return {batch_.rows(), 0, 0};
  }
  // Outside of the measurement: looks at every value.
  Read Check(const Body& body) {
    Read read = (*this)(body);
    for (size_t row = 0; row < batch_.rows(); row++) {
      read.value_bytes += batch_.value_bytes(row);
      read.times += batch_.time_us(row);
    }
    return read;
  }

 private:
  event::JsonEventDecoder decoder_;
  event::EventBatch batch_;
};

// Columns of string views, as the decoder's are slices. `kChecksData`: every value below `data` is read, as the decoder does; without it
// simdjson only looks for the end of `data` and takes broken JSON there.
template <bool kChecksData>
class SimdjsonParser {
 public:
  Read operator()(const Body& body) {
    for (auto& column : columns_) column.clear();
    times_.clear();
    ondemand::document document;
    if (parser_.iterate(body.text.data(), body.size, body.text.size()).get(document)) std::abort();
    for (auto element : document.get_array()) {
      ondemand::object event;
      if (element.get_object().get(event)) std::abort();
      ReadEvent(event);
    }
    return {columns_[0].size(), 0, 0};
  }
  Read Check(const Body& body) {
    Read read = (*this)(body);
    for (auto& column : columns_)
      for (auto text : column) read.value_bytes += text.size();
    for (auto time : times_) read.times += time;
    return read;
  }

 private:
  static constexpr std::array<std::string_view, 7> kNames = {"id", "source", "type", "time", "subject", "datacontenttype", "data"};
  static constexpr size_t kTime = 3, kData = 6;

  void ReadEvent(ondemand::object event) {
    std::array<std::string_view, kNames.size()> row;
    int64_t time = 0;
    for (auto field : event) {
      ondemand::raw_json_string key;
      ondemand::value value;
      if (field.key().get(key) || field.value().get(value)) std::abort();
      size_t column = 0;
      while (column < kNames.size() && !(key == kNames[column])) column++;
      std::string_view text;
      if (column == kData) {
        ondemand::object data;
        if (value.get_object().get(data) || data.raw_json().get(text)) std::abort();
        if constexpr (kChecksData) {
          if (data.reset().error()) std::abort();
          Visit(data);
        }
      } else if (value.get_string().get(text)) {
        std::abort();
      }
      if (column == kTime) {
        Timestamp parsed;
        if (!base::ParseRfc3339(text, parsed)) std::abort();
        time = parsed.us;
      }
      if (column < kNames.size()) row[column] = text;
      else if (text != "1.0") std::abort();  // specversion
    }
    for (size_t i = 0; i < kNames.size(); i++) columns_[i].push_back(row[i]);
    times_.push_back(time);
  }
  void Visit(ondemand::object object) {
    for (auto field : object) {
      ondemand::value value;
      if (field.unescaped_key().error() || field.value().get(value)) std::abort();
      Visit(value);
    }
  }
  void Visit(ondemand::value value) {
    ondemand::json_type type;
    if (value.type().get(type)) std::abort();
    simdjson::error_code error = simdjson::SUCCESS;
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        if (value.get_object().get(object)) std::abort();
        return Visit(object);
      }
      case ondemand::json_type::array:
        for (auto element : value.get_array()) {
          ondemand::value inner;
          if (element.get(inner)) std::abort();
          Visit(inner);
        }
        return;
      case ondemand::json_type::number: error = value.get_double().error(); break;
      case ondemand::json_type::string: error = value.get_string().error(); break;
      case ondemand::json_type::boolean: error = value.get_bool().error(); break;
      case ondemand::json_type::null:
        if (!value.is_null()) std::abort();
    }
    if (error) std::abort();
  }

  ondemand::parser parser_;
  std::array<std::vector<std::string_view>, kNames.size()> columns_;
  std::vector<int64_t> times_;
};

template <typename Parser>
Json Measure(const std::vector<Body>& bodies, double seconds) {
  Parser parser;
  Read sum;
  uint64_t bytes = 0;
  for (const auto& body : bodies) {
    const Read read = parser.Check(body);
    sum.events += read.events;
    sum.value_bytes += read.value_bytes;
    sum.times += read.times;
    bytes += body.size;
  }
  const double begin = WallSeconds(), cpu = ThreadCpuSeconds();
  uint64_t rounds = 0;
  for (; WallSeconds() - begin < seconds; rounds++)
    for (const auto& body : bodies) parser(body);
  const double used = ThreadCpuSeconds() - cpu;
  Json out;
  out.Set("events_per_second", static_cast<double>(rounds * sum.events) / used);
  out.Set("bytes_per_second", static_cast<double>(rounds * bytes) / used);
  out.Set("ns_per_event", used * 1e9 / static_cast<double>(rounds * sum.events));
  out.Set("event_bytes", static_cast<double>(bytes) / static_cast<double>(sum.events));
  out.Set("events_read", sum.events);
  out.Set("value_bytes_read", sum.value_bytes);
  out.Set("times_read", sum.times);
  return out;
}

int Run(int argc, char** argv) {
  const std::map<std::string, std::function<Json(const std::vector<Body>&, double)>> ways = {
      {"sluice", Measure<SluiceParser>},
      {"simdjson", Measure<SimdjsonParser<true>>},
      {"simdjson-skips-data", Measure<SimdjsonParser<false>>}};
  std::string way, events;
  double seconds = 3;
  CLI::App app("Parses events on one core and prints what it cost as JSON.");
  app.add_option("--with", way, "sluice, simdjson or simdjson-skips-data")->required()->check(CLI::IsMember(ways));
  app.add_option("--events", events, "a file with an event a line")->required();
  app.add_option("--seconds", seconds, "measured")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const auto bodies = ReadBodies(events);
  if (bodies.empty()) {
    std::fprintf(stderr, "sluice_parse: %s holds fewer than %zu events\n", events.c_str(), kEventsPerBody);
    return 1;
  }
  std::printf("%s\n", ways.at(way)(bodies, seconds).Dump().c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
