// SPDX-License-Identifier: Apache-2.0
#include "io/metrics.h"

#include <gtest/gtest.h>

namespace sluice::io {
namespace {

constexpr MetricFamily kEvents{"sluice_test_events_total", "Events seen.", MetricType::kCounter};
constexpr MetricFamily kDepth{"sluice_test_queue_depth", "Items in the queue.", MetricType::kGauge};
constexpr MetricFamily kWait{"sluice_test_wait_seconds", "Time in the queue.", MetricType::kHistogram};

TEST(Metrics, CounterShowsTypeHelpLabelsAndValue) {
  Metrics metrics;
  metrics.GetCounter(kEvents, {{"topic", "raw-events"}}).Add(3);
  metrics.GetCounter(kEvents, {{"topic", "raw-events"}}).Add();
  auto text = metrics.Expose();
  EXPECT_NE(text.find("# HELP sluice_test_events_total Events seen.\n"), std::string::npos);
  EXPECT_NE(text.find("# TYPE sluice_test_events_total counter\n"), std::string::npos);
  EXPECT_NE(text.find("sluice_test_events_total{topic=\"raw-events\"} 4\n"), std::string::npos) << text;
}

TEST(Metrics, SameLabelsAreTheSameSeries) {
  Metrics metrics;
  EXPECT_EQ(&metrics.GetGauge(kDepth, {{"a", "1"}}), &metrics.GetGauge(kDepth, {{"a", "1"}}));
  EXPECT_NE(&metrics.GetGauge(kDepth, {{"a", "1"}}), &metrics.GetGauge(kDepth, {{"a", "2"}}));
}

TEST(Metrics, HistogramBucketsAreCumulativeAndHaveTheirBound) {
  Metrics metrics;
  auto& wait = metrics.GetHistogram(kWait);
  wait.Observe(50e-6);      // on the first bound: inside
  wait.Observe(50.001e-6);  // just behind it
  wait.Observe(100);        // on the last bound
  wait.Observe(100.1);      // above all
  EXPECT_EQ(wait.Buckets().size(), Histogram::Bounds().size() + 1);
  EXPECT_EQ(wait.Buckets().front(), 1u);
  EXPECT_EQ(wait.Buckets()[1], 1u);
  EXPECT_EQ(wait.Buckets()[Histogram::Bounds().size() - 1], 1u);
  EXPECT_EQ(wait.Buckets().back(), 1u);
  auto text = metrics.Expose();
  EXPECT_NE(text.find("sluice_test_wait_seconds_bucket{le=\"100\"} 3\n"), std::string::npos) << text;
  EXPECT_NE(text.find("sluice_test_wait_seconds_bucket{le=\"+Inf\"} 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("sluice_test_wait_seconds_count 4\n"), std::string::npos) << text;
}

// Goal: a family never has more than kSeriesMax series; what comes too late is counted under "other".
TEST(Metrics, TooManyLabelValuesShareOneSeries) {
  Metrics metrics;
  for (size_t i = 0; i < Metrics::kSeriesMax - 1; i++) metrics.GetCounter(kEvents, {{"topic", std::to_string(i)}}).Add();
  auto before = metrics.Expose();
  EXPECT_EQ(before.find("other"), std::string::npos);
  metrics.GetCounter(kEvents, {{"topic", "one too many"}}).Add();
  metrics.GetCounter(kEvents, {{"topic", "two too many"}}).Add();
  metrics.GetCounter(kEvents, {{"topic", "0"}}).Add();
  auto text = metrics.Expose();
  EXPECT_NE(text.find("{topic=\"other\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("{topic=\"0\"} 2\n"), std::string::npos);
  EXPECT_EQ(text.find("too many"), std::string::npos);
}

TEST(Metrics, LabelValuesAreEscaped) {
  Metrics metrics;
  metrics.GetCounter(kEvents, {{"topic", "a\"b\\c\nd"}}).Add();
  EXPECT_NE(metrics.Expose().find("{topic=\"a\\\"b\\\\c\\nd\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace sluice::io
