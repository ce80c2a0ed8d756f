// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Counters, gauges and histograms, in Prometheus' words. A family stands as a constant in its folder's `x_metrics.h`; the
// exposition and docs/reference/metrics.md come from those constants. Rendering is prometheus-cpp's.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::io {

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

struct MetricFamily {
  const char* name;  // sluice_<folder>_<noun>_<unit>[_total]
  const char* help;  // one sentence
  MetricType type = MetricType::kCounter;
};

using MetricLabels = std::map<std::string, std::string>;

// All thread-safe and cheap: one relaxed atomic each.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};
class Gauge {
 public:
  void Set(double v) { value_.store(v, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};
// Durations in seconds: buckets from 50 us to 100 s, three a decade (1, 2.5, 5).
class Histogram {
 public:
  static const std::vector<double>& Bounds();
  void Observe(double seconds);
  std::vector<uint64_t> Buckets() const;  // one per bound, and one for what is above
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kBuckets = 21;
  std::atomic<uint64_t> buckets_[kBuckets]{};
  std::atomic<double> sum_{0};
};

// Owns every series; references stay valid as long as it lives. Thread-safe, but takes a lock: get a series once, not per event.
// REQUIRES: one name means one type, and label names are Prometheus' ([a-zA-Z_][a-zA-Z0-9_]*). At most kSeriesMax series a family: further label values
// share one series with all labels "other".
class Metrics {
 public:
  static constexpr size_t kSeriesMax = 1000;
  Metrics();
  ~Metrics();
  Counter& GetCounter(const MetricFamily& family, const MetricLabels& labels = {});
  Gauge& GetGauge(const MetricFamily& family, const MetricLabels& labels = {});
  Histogram& GetHistogram(const MetricFamily& family, const MetricLabels& labels = {});
  // Prometheus text format 0.0.4.
  std::string Expose() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::io
