// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_options.h"

#include <gtest/gtest.h>

namespace sluice::iceberg {
namespace {

TableSchema TwoColumns() {
  TableSchema schema;
  schema.fields = {{1, "id", TypeId::kString, true}, {2, "s", Type::Struct({{3, "x", TypeId::kLong}})}, {4, "z", TypeId::kLong}};
  return schema;
}

TEST(DataFileOptions, ReadsTableProperties) {
  auto options = DataFileOptions::FromProperties(TwoColumns(), {{"write.parquet.row-group-size-bytes", "1000"},
                                                                {"write.parquet.page-size-bytes", "2000"},
                                                                {"write.parquet.page-row-limit", "30"},
                                                                {"write.parquet.dict-size-bytes", "40"},
                                                                {"write.parquet.compression-codec", "gzip"},
                                                                {"write.parquet.compression-level", "9"},
                                                                {"write.parquet.bloom-filter-enabled.column.id", "true"},
                                                                {"write.parquet.bloom-filter-fpp.column.id", "0.05"},
                                                                {"write.parquet.stats-enabled.column.s.x", "false"},
                                                                {"write.parquet.stats-enabled.column.dropped", "false"},
                                                                {"write.metadata.metrics.default", "counts"},
                                                                {"write.metadata.metrics.column.s.x", "full"},
                                                                {"other", "x"}});
  ASSERT_TRUE(options.ok()) << options.error().ToString();
  EXPECT_EQ(options->row_group_bytes_max, 1000);
  EXPECT_EQ(options->page_bytes, 2000);
  EXPECT_EQ(options->page_rows_max, 30);
  EXPECT_EQ(options->dictionary_bytes_max, 40);
  EXPECT_EQ(options->compression, Compression::kGzip);
  EXPECT_EQ(options->compression_level, 9);
  EXPECT_TRUE(options->column(1).bloom_filter);
  EXPECT_EQ(options->column(1).bloom_filter_fpp, 0.05);
  EXPECT_EQ(options->column(1).metrics.kind, MetricsMode::Kind::kCounts);
  EXPECT_FALSE(options->column(3).statistics);
  EXPECT_EQ(options->column(3).metrics.kind, MetricsMode::Kind::kFull);
}

TEST(DataFileOptions, KeepsOfTheBaseWhatNoPropertyNames) {
  DataFileOptions base;
  base.compression_level = 7;
  base.row_group_rows_max = 11;
  auto options = DataFileOptions::FromProperties(
      TwoColumns(), {{"write.parquet.compression-codec", "zstd"}, {"write.parquet.page-row-limit", "30"}}, base);
  ASSERT_TRUE(options.ok()) << options.error().ToString();
  EXPECT_EQ(options->compression_level, 7);
  EXPECT_EQ(options->row_group_rows_max, 11);
  EXPECT_EQ(options->page_rows_max, 30);
}

TEST(DataFileOptions, GivesMetricsToTheFirstColumnsTopLevelFirst) {
  auto options = DataFileOptions::FromProperties(TwoColumns(), {{"write.metadata.metrics.max-inferred-column-defaults", "2"}});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->column(1).metrics, MetricsMode{});
  EXPECT_EQ(options->column(4).metrics, MetricsMode{});
  EXPECT_EQ(options->column(3).metrics.kind, MetricsMode::Kind::kNone);
}

TEST(DataFileOptions, RefusesUnreadableProperties) {
  const std::pair<const char*, const char*> kBad[] = {
      {"write.parquet.page-size-bytes", "1k"},           {"write.parquet.page-size-bytes", "0"},
      {"write.parquet.compression-codec", "brotli"},     {"write.parquet.compression-level", "23"},
      {"write.parquet.bloom-filter-fpp.column.id", "1"}, {"write.parquet.stats-enabled.column.id", "yes"},
      {"write.metadata.metrics.default", "truncate(0)"}, {"write.metadata.metrics.column.id", "most"}};
  for (auto [key, value] : kBad) {
    auto options = DataFileOptions::FromProperties(TwoColumns(), {{key, value}});
    ASSERT_FALSE(options.ok()) << key << "=" << value;
    EXPECT_EQ(options.error().code, ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace sluice::iceberg
