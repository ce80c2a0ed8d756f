// SPDX-License-Identifier: Apache-2.0
#include "load/workload.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/time.h"

namespace sluice::bench {
namespace {

struct WeightedType {
  const char* name;
  int percent;
};
// Eight types, as unequal as they are in life. The default routing sends all of the first list to one topic, the second to five.
constexpr WeightedType kShopTypes[] = {{"shop.page.viewed", 50},  {"shop.search.performed", 25}, {"shop.cart.updated", 10},
                                       {"shop.user.login", 5},    {"shop.order.created", 4},     {"shop.order.paid", 3},
                                       {"shop.order.shipped", 2}, {"shop.review.posted", 1}};
constexpr WeightedType kRoutedTypes[] = {{"user_action", 50}, {"metric_event", 25},   {"log_event", 10},         {"transaction", 5},
                                         {"system_event", 4}, {"shop.order.paid", 3}, {"shop.order.shipped", 2}, {"shop.review.posted", 1}};

constexpr const char* kActions[] = {"click", "view", "submit", "scroll", "hover", "purchase"};
constexpr const char* kCurrencies[] = {"EUR", "USD", "GBP", "SEK"};
constexpr const char* kDevices[] = {"ios", "android", "web", "desktop"};
constexpr const char* kCountries[] = {"DE", "US", "GB", "SE", "FR", "NL", "ES", "IT"};
constexpr const char* kServices[] = {"web", "app", "api", "pos", "edge"};

constexpr double kUsers = 1'000'000, kParetoShape = 1.1;
constexpr int64_t kDisorderUs = 500'000;
constexpr uint64_t kLateOneIn = 100;
constexpr int64_t kLateUs = 6 * 60 * kMicrosPerSecond;

void PutHex(char* to, uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kDigits[value >> shift & 15];
}

const char* ContentType(const WorkloadOptions& options) {
  if (options.format == BodyFormat::kNdjson) return "application/x-ndjson";
  return options.events_per_request == 1 ? "application/cloudevents+json" : "application/cloudevents-batch+json";
}

}  // namespace

Workload::Workload(const WorkloadOptions& options, uint64_t run) : options_(options), random_(options.seed), next_id_(run << 32) {
  now_us_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count() -
            static_cast<int64_t>(options.seconds_ago * kMicrosPerSecond);
  const bool array = options.format == BodyFormat::kBatch && options.events_per_request > 1;
  for (size_t i = 0; i < options.requests; i++) {
    Request request;
    std::string body = array ? "[" : "";
    for (size_t e = 0; e < options.events_per_request; e++) {
      if (e > 0 && array) body += ',';
      AppendEvent(body, request.ids);
      if (options.format == BodyFormat::kNdjson) body += '\n';
    }
    if (array) body += ']';
    request.bytes = "POST " + options.path + " HTTP/1.1\r\nHost: " + options.host + "\r\nContent-Type: " + ContentType(options) +
                    "\r\nPrefer: return=minimal\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    for (auto& id : request.ids) id += static_cast<uint32_t>(request.bytes.size());
    request.bytes += body;
    body_bytes_ += body.size();
    requests_.push_back(std::move(request));
  }
}

void Workload::AppendEvent(std::string& body, std::vector<uint32_t>& ids) {
  auto below = [this](uint64_t n) { return static_cast<unsigned>(random_() % n); };
  auto pick = [&](auto& list) { return list[below(std::size(list))]; };
  const auto& types = options_.spread == Spread::kOneTopic ? kShopTypes : kRoutedTypes;
  int percent = static_cast<int>(below(100));
  size_t type = 0;
  while (percent >= types[type].percent) percent -= types[type++].percent;
  const double uniform = std::max(1e-9, static_cast<double>(random_() >> 11) * 0x1p-53);
  const auto user = static_cast<unsigned>(std::min(kUsers - 1, std::pow(uniform, -1 / kParetoShape)));
  int64_t time = now_us_ + static_cast<int64_t>(below(2 * kDisorderUs)) - kDisorderUs;
  if (below(kLateOneIn) == 0) time -= kLateUs;
  char id[33];
  PutHex(id, 0);
  PutHex(id + 16, random_());
  id[32] = 0;
  char text[1024];
  const int n = std::snprintf(
      text, sizeof text,
      R"({"specversion":"1.0","id":"%s","source":"/svc/%s/%02u","type":"%s","time":"%s","subject":"user/u%06u","datacontenttype":"application/json",)"
      R"("data":{"user_id":"u%06u","action":"%s","amount":%u.%02u,"currency":"%s","device":"%s","country":"%s","session":"%016llx","item_id":%u,)"
      R"("quantity":%u,"url":"https://shop.example.com/products/%06u?ref=%08x","ok":%s,"referrer":"https://search.example.com/?q=%06u",)"
      R"("duration_ms":%u,"latitude":%u.%05u,"longitude":%u.%05u}})",
      id, pick(kServices), below(10), types[type].name, base::FormatRfc3339(Timestamp{time}).c_str(), user, user, pick(kActions),
      below(1000), below(100), pick(kCurrencies), pick(kDevices), pick(kCountries), static_cast<unsigned long long>(random_()),
      below(1'000'000), 1 + below(9), below(1'000'000), below(UINT32_MAX), below(16) != 0 ? "true" : "false", below(1'000'000),
      below(100'000), below(90), below(100'000), below(90), below(100'000));
  const auto place = std::string_view(text, static_cast<size_t>(n)).find(id);
  ids.push_back(static_cast<uint32_t>(body.size() + place));
  body.append(text, static_cast<size_t>(n));
}

const Request& Workload::Next() {
  Request& request = requests_[next_];
  next_ = next_ + 1 == requests_.size() ? 0 : next_ + 1;
  request.first_id = next_id_;
  for (uint32_t at : request.ids) PutHex(request.bytes.data() + at, next_id_++);
  return request;
}

}  // namespace sluice::bench
