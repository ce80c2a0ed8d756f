// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include "base/json.h"
#include "ingest/gzip.h"

namespace sluice::sim {
namespace {

constexpr size_t kReadableBehind = 64;
constexpr const char* kTypes[] = {"user_action", "transaction", "order.created"};
constexpr const char* kFixedTopic = "silver-orders";

// As ingest/router.h has it by default.
std::string TopicOf(const std::string& type) { return type == "transaction" ? "raw-transactions" : "raw-events"; }

// The text of an event that is JSON and no CloudEvent. A whole body that is no object is malformed, which is another matter.
std::string Invalid(Dice& dice, bool is_whole_body) {
  constexpr const char* kTexts[] = {
      R"({"specversion":"1.0","source":"/invalid","type":"user_action"})",
      R"({"specversion":"1.0","id":"","source":"/invalid","type":"user_action"})",
      R"({"specversion":"1.0","id":"i","source":"/invalid","type":"user_action","time":"yesterday"})",
      R"({"specversion":"0.3","id":"i","source":"/invalid","type":"user_action"})",
      R"({"specversion":"1.0","id":"i","source":"/invalid","type":"user_action","Bad_Name":1})",
      R"("not an event")",
  };
  return kTexts[dice.Below(std::size(kTexts) - (is_whole_body ? 1 : 0))];
}

}  // namespace

Workload::Workload(uint64_t seed, int sender, const WorkloadOptions& options, const Ledger& ledger)
    : dice_(seed, 100 + static_cast<uint64_t>(sender)), sender_(sender), options_(options), ledger_(ledger) {}

void Workload::AddAttributes(EventSpec& event) {
  auto maybe = [&](const char* name, std::string value) {
    if (dice_.OneIn(4)) event.attributes[name] = std::move(value);
  };
  maybe("subject", "customer-" + std::to_string(dice_.Below(5)));
  maybe("dataschema", "https://example.com/schemas/order/1");
  maybe("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  maybe("partitionkey", "key-" + std::to_string(dice_.Below(4)));
  maybe("sequence", std::to_string(next_id_));
  maybe("correlationid", "c" + std::to_string(dice_.Below(1000)));
  maybe("schemaversion", "1." + std::to_string(dice_.Below(3)));
  maybe("region", "eu-" + std::to_string(dice_.Below(3)));
  maybe("channel", dice_.Coin() ? "web" : "a channel whose name does not fit into a view");
}

void Workload::AddData(EventSpec& event) {
  const auto size = dice_.Below(static_cast<uint64_t>(options_.data_bytes_max));
  switch (dice_.Below(8)) {
    case 0: return;
    case 1:
      event.attributes["datacontenttype"] = "application/octet-stream";
      event.binary = std::string(1 + size, '\xfe');
      return;
    case 2: event.data = R"({"n": 1.50, "list" : [1, 2 ,3], "text":"\u00e4\n"})"; return;  // kept byte for byte
    default:
      if (dice_.Coin()) event.attributes["datacontenttype"] = "application/json";
      event.data = "{\"n\":" + std::to_string(next_id_) + ",\"pad\":\"" + std::string(size, 'x') + "\"}";
  }
}

EventSpec Workload::NewEvent(Timestamp now) {
  EventSpec event;
  event.id = "s" + std::to_string(sender_) + "-" + std::to_string(next_id_++);
  if (dice_.OneIn(5)) event.id += "-\xc3\xa4\"\\ and a long tail";
  event.source = "/sender/" + std::to_string(sender_) + "/" + std::to_string(dice_.Below(static_cast<uint64_t>(options_.sources)));
  event.type = dice_.Pick(kTypes);
  AddAttributes(event);
  AddData(event);
  // Some have no time, some are late, some too early, some of another hour: another Iceberg partition.
  if (!dice_.OneIn(3)) {
    static constexpr int64_t kShiftSeconds[] = {0, -1, -30, -240, -400, -3'600, 60, 900};
    event.time_us = now.us + dice_.Pick(kShiftSeconds) * kMicrosPerSecond + dice_.Between(0, 999'999);
  }
  return event;
}

// An event that somebody sent before, with the content of then or other content.
std::optional<EventSpec> Workload::Repeat(const std::string& tenant, const std::string& fixed_topic, Timestamp now) {
  auto& events = ledger_.events();
  if (events.empty()) return std::nullopt;
  auto at = events.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(dice_.Below(events.size())));
  auto& key = at->first;
  if (key.tenant != tenant) return std::nullopt;
  auto event = NewEvent(now);
  event.id = key.id;
  event.source = key.source;
  event.type = *Cell(at->second.variants.front(), table::EventColumn::kType);
  if ((fixed_topic.empty() ? TopicOf(event.type) : fixed_topic) != key.topic) return std::nullopt;
  return event;
}

Request Workload::Next(Timestamp now) {
  Request out;
  out.tenant = options_.tenants > 1 && dice_.OneIn(4) ? "other" : "default";
  if (dice_.OneIn(6)) out.topic = kFixedTopic;
  out.lenient = dice_.OneIn(3);

  enum class Mode : uint8_t { kBatch, kLines, kStructured, kBinary };
  const auto mode = static_cast<Mode>(dice_.Below(4));
  const bool many = mode == Mode::kBatch || mode == Mode::kLines;
  const auto count = many ? dice_.Between(1, options_.events_max) : 1;
  std::vector<std::string> texts;
  const auto add = [&](const EventSpec& event) {
    texts.push_back(event.ToJson());
    out.keys.push_back({out.tenant, out.topic.empty() ? TopicOf(event.type) : out.topic, event.source, event.id});
    out.rows.push_back(event.ToRow());
  };
  for (int64_t i = 0; i < count; i++) {
    auto event = NewEvent(now);
    if (dice_.OneIn(options_.duplicate_one_in))
      if (auto repeated = Repeat(out.tenant, out.topic, now)) event = *repeated;
    if (mode == Mode::kBinary) {
      out.headers = event.ToHeaders();
      out.body = event.binary.empty() ? event.data : event.binary;
      // The header names the type of the data; without one there is no way to say that it is JSON.
      auto type = event.attributes.find("datacontenttype");
      if (type == event.attributes.end() && !out.body.empty()) type = event.attributes.emplace("datacontenttype", "application/json").first;
      out.content_type = type == event.attributes.end() ? "" : type->second;
    }
    add(event);
    if (many && dice_.OneIn(8)) add(event);  // twice in one request
  }
  if (mode != Mode::kBinary && dice_.OneIn(options_.invalid_one_in)) {
    out.has_invalid = true;
    const auto at = static_cast<std::ptrdiff_t>(many ? dice_.Below(texts.size() + 1) : 0);
    if (!many) texts.clear(), out.keys.clear(), out.rows.clear();
    texts.insert(texts.begin() + at, Invalid(dice_, !many));
    out.keys.insert(out.keys.begin() + at, EventKey());
    out.rows.insert(out.rows.begin() + at, Row());
  }

  if (mode == Mode::kBatch) {
    out.content_type = "application/cloudevents-batch+json";
    for (size_t i = 0; i < texts.size(); i++) out.body += (i == 0 ? "[" : ",") + texts[i];
    out.body += "]";
  } else if (mode == Mode::kLines) {
    out.content_type = "application/x-ndjson";
    for (auto& text : texts) out.body += text + "\n";
  } else if (mode == Mode::kStructured) {
    out.content_type = "application/cloudevents+json; charset=utf-8";
    out.body = texts.front();
  }
  if (dice_.OneIn(4)) {
    out.content_encoding = "gzip";
    out.body = ingest::Gzip(out.body);
  }
  out.body_bytes = out.body.size();
  out.body.append(kReadableBehind, ' ');
  return out;
}

}  // namespace sluice::sim
