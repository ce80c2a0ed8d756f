// SPDX-License-Identifier: Apache-2.0
#include "io/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <sstream>

#include "base/check.h"

namespace sluice::io {
namespace {

struct Series {
  Counter counter;
  Gauge gauge;
  Histogram histogram;
};

struct Family {
  std::string help;
  MetricType type;
  std::map<MetricLabels, std::unique_ptr<Series>> series;
};

MetricLabels OtherLabels(const MetricLabels& labels) {
  MetricLabels other;
  for (auto& [name, value] : labels) other[name] = "other";
  return other;
}

prometheus::MetricType TypeOf(MetricType type) {
  switch (type) {
    case MetricType::kCounter: return prometheus::MetricType::Counter;
    case MetricType::kGauge: return prometheus::MetricType::Gauge;
    case MetricType::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

void FillHistogram(const Histogram& from, prometheus::ClientMetric::Histogram& to) {
  auto counts = from.Buckets();
  auto& bounds = Histogram::Bounds();
  uint64_t below = 0;
  for (size_t i = 0; i < counts.size(); i++) {
    below += counts[i];
    to.bucket.push_back({below, i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity()});
  }
  to.sample_count = below;
  to.sample_sum = from.sum();
}

prometheus::ClientMetric Snapshot(const MetricLabels& labels, MetricType type, const Series& series) {
  prometheus::ClientMetric out;
  for (auto& [name, value] : labels) out.label.push_back({name, value});
  if (type == MetricType::kCounter) out.counter.value = static_cast<double>(series.counter.value());
  if (type == MetricType::kGauge) out.gauge.value = series.gauge.value();
  if (type == MetricType::kHistogram) FillHistogram(series.histogram, out.histogram);
  return out;
}

}  // namespace

const std::vector<double>& Histogram::Bounds() {
  static const std::vector<double> kBounds = {50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3,
                                              0.1,   0.25,   0.5,    1,      2.5,  5,      10,   25,    50,    100};
  return kBounds;
}

void Histogram::Observe(double seconds) {
  auto& bounds = Bounds();
  auto at = static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), seconds) - bounds.begin());
  buckets_[at].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::Buckets() const {
  std::vector<uint64_t> counts;
  for (auto& bucket : buckets_) counts.push_back(bucket.load(std::memory_order_relaxed));
  return counts;
}

struct Metrics::State {
  mutable std::mutex mutex;
  std::map<std::string, Family> families;

  Series& Get(const MetricFamily& wanted, MetricType type, const MetricLabels& labels) {
    CHECK(wanted.type == type, "a metric was asked for as another type than its family has");
    std::lock_guard lock(mutex);
    auto [at, is_new] = families.try_emplace(wanted.name, Family{wanted.help, type, {}});
    Family& family = at->second;
    CHECK(family.type == type, "two metric families share a name");
    if (auto known = family.series.find(labels); known != family.series.end()) return *known->second;
    // The last place is kept for the one that all further label values share.
    bool full = !labels.empty() && family.series.size() + 1 >= kSeriesMax;
    auto& series = family.series[full ? OtherLabels(labels) : labels];
    if (series == nullptr) series = std::make_unique<Series>();
    return *series;
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(const MetricFamily& family, const MetricLabels& labels) {
  return state_->Get(family, MetricType::kCounter, labels).counter;
}
Gauge& Metrics::GetGauge(const MetricFamily& family, const MetricLabels& labels) {
  return state_->Get(family, MetricType::kGauge, labels).gauge;
}
Histogram& Metrics::GetHistogram(const MetricFamily& family, const MetricLabels& labels) {
  return state_->Get(family, MetricType::kHistogram, labels).histogram;
}

std::string Metrics::Expose() const {
  std::vector<prometheus::MetricFamily> out;
  {
    std::lock_guard lock(state_->mutex);
    for (auto& [name, family] : state_->families) {
      auto& to = out.emplace_back(prometheus::MetricFamily{name, family.help, TypeOf(family.type), {}});
      for (auto& [labels, series] : family.series) to.metric.push_back(Snapshot(labels, family.type, *series));
    }
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, out);
  return text.str();
}

}  // namespace sluice::io
