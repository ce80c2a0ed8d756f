// SPDX-License-Identifier: Apache-2.0
//
// What DataFileWriter::Finish says about a file: the manifest entry's metrics, and the footer that readers of other projects see.

#include <arrow/io/memory.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include "base/bytes.h"
#include "iceberg/internal/data_file_testing.h"
#include "iceberg/value.h"

namespace sluice::iceberg {
namespace {

using namespace testing;  // NOLINT: the fakes of these tests

const std::string kUri = "mem:///t/data/m.parquet";

// Metrics of a file that holds one column with these values.
ColumnMetrics MetricsOf(const NestedField& field, const std::string& json, MetricsMode mode = {}) {
  MemoryObjects objects;
  DataFileOptions options;
  options.columns[field.id].metrics = mode;
  return Must(WriteFile(objects, kUri, SchemaOf({field}), MakeColumns({{field, json}}), options)).file.metrics;
}

std::pair<Value, Value> BoundsOf(Type type, const std::string& json) {
  NestedField field{1, "c", type};
  ColumnMetrics metrics = MetricsOf(field, json);
  return {Must(ValueFromBytes(metrics.lower_bounds.at(1), type)), Must(ValueFromBytes(metrics.upper_bounds.at(1), type))};
}

TEST(DataFileMetrics, CountsValuesAndNulls) {
  ColumnMetrics metrics = MetricsOf({1, "c", TypeId::kLong}, "[5, null, -3, null, 4]");
  EXPECT_EQ(metrics.value_counts.at(1), 5);
  EXPECT_EQ(metrics.null_value_counts.at(1), 2);
  EXPECT_GT(metrics.column_sizes.at(1), 0);
  EXPECT_TRUE(metrics.nan_value_counts.empty());
}

TEST(DataFileMetrics, BoundsNumbersInTheirOwnOrder) {
  EXPECT_EQ(BoundsOf(TypeId::kLong, "[5, null, -3, 4]"), (std::pair<Value, Value>(int64_t{-3}, int64_t{5})));
  EXPECT_EQ(BoundsOf(TypeId::kInt, "[7]"), (std::pair<Value, Value>(int64_t{7}, int64_t{7})));
  EXPECT_EQ(BoundsOf(TypeId::kBoolean, "[true, true]"), (std::pair<Value, Value>(true, true)));
  EXPECT_EQ(BoundsOf(TypeId::kBoolean, "[true, false]"), (std::pair<Value, Value>(false, true)));
  EXPECT_EQ(BoundsOf(TypeId::kTimestampTz, "[1768435200000001, -1]"), (std::pair<Value, Value>(int64_t{-1}, int64_t{1768435200000001})));
  EXPECT_EQ(BoundsOf(Type::Decimal(9, 2), R"(["-1.00", "2.00"])"), (std::pair<Value, Value>(Int128{-100}, Int128{200})));
  EXPECT_EQ(BoundsOf(Type::Decimal(38, 0), R"(["-1", "18446744073709551616"])"), (std::pair<Value, Value>(Int128{-1}, Int128{1} << 64)));
}

TEST(DataFileMetrics, LeavesNanOutOfBoundsAndOrdersZeros) {
  ColumnMetrics metrics = MetricsOf({1, "c", TypeId::kDouble}, "[NaN, 0.0, -0.0, null, NaN]");
  EXPECT_EQ(metrics.nan_value_counts.at(1), 2);
  EXPECT_EQ(metrics.value_counts.at(1), 5);
  EXPECT_EQ(metrics.lower_bounds.at(1), std::string("\0\0\0\0\0\0\0\x80", 8));
  EXPECT_EQ(metrics.upper_bounds.at(1), std::string(8, '\0'));
  ColumnMetrics only = MetricsOf({1, "c", TypeId::kFloat}, "[NaN, NaN]");
  EXPECT_EQ(only.nan_value_counts.at(1), 2);
  EXPECT_FALSE(only.lower_bounds.contains(1));
  EXPECT_FALSE(only.upper_bounds.contains(1));
}

TEST(DataFileMetrics, CutsTextBetweenCharactersAndRoundsUp) {
  auto [low, high] = BoundsOf(TypeId::kString, R"(["", "b"])");
  EXPECT_EQ(low, Value(std::string()));
  EXPECT_EQ(high, Value(std::string("b")));
  std::string face = "😀", faces;
  for (int i = 0; i < 17; i++) faces += face;
  auto [face_low, face_high] = BoundsOf(TypeId::kString, "[\"" + faces + "\"]");
  EXPECT_EQ(face_low, Value(faces.substr(0, 64)));
  EXPECT_EQ(face_high, Value(faces.substr(0, 60) + "😁"));
  std::string top;
  for (int i = 0; i < 17; i++) top += "\xf4\x8f\xbf\xbf";  // U+10FFFF: nothing is above it
  EXPECT_FALSE(MetricsOf({1, "c", TypeId::kString}, "[\"" + top + "\"]").upper_bounds.contains(1));
  EXPECT_EQ(MetricsOf({1, "c", TypeId::kString}, R"(["0123456789abcdef"])").upper_bounds.at(1), "0123456789abcdef");
  EXPECT_EQ(MetricsOf({1, "c", TypeId::kString}, R"(["0123456789abcdefg"])").upper_bounds.at(1), "0123456789abcdeg");
}

// Goal: bounds over many runs are those of all values, whatever prefixes values share.
TEST(DataFileMetrics, BoundsManyStringsAsAPlainLoopDoes) {
  NestedField field{1, "c", TypeId::kString};
  std::string json = "[", low, high;
  for (uint32_t i = 0; i < 5000; i++) {
    std::string value = "prefix-" + std::to_string((i * 2654435761u) % 100000u).substr(0, 1 + i % 5);
    if (i == 0 || value < low) low = value;
    if (i == 0 || value > high) high = value;
    json += (i == 0 ? "\"" : ",\"") + value + "\"";
  }
  ColumnMetrics metrics = MetricsOf(field, json + "]", {MetricsMode::Kind::kFull, 0});
  EXPECT_EQ(metrics.lower_bounds.at(1), low);
  EXPECT_EQ(metrics.upper_bounds.at(1), high);
}

TEST(DataFileMetrics, FollowsTheMode) {
  NestedField field{1, "c", TypeId::kString};
  const std::string json = R"(["abcdef"])";
  EXPECT_EQ(MetricsOf(field, json, {MetricsMode::Kind::kNone, 0}), ColumnMetrics{});
  ColumnMetrics counts = MetricsOf(field, json, {MetricsMode::Kind::kCounts, 0});
  EXPECT_EQ(counts.value_counts.at(1), 1);
  EXPECT_TRUE(counts.lower_bounds.empty());
  EXPECT_EQ(MetricsOf(field, json, {MetricsMode::Kind::kTruncate, 3}).upper_bounds.at(1), "abd");
  EXPECT_EQ(MetricsOf(field, json, {MetricsMode::Kind::kFull, 0}).upper_bounds.at(1), "abcdef");
  NestedField binary{1, "c", TypeId::kBinary};
  EXPECT_EQ(MetricsOf(binary, json, {MetricsMode::Kind::kTruncate, 3}).lower_bounds.at(1), "abc");
}

// Found by the simulator, seed 1304818 with visits of another engine: where bounds are short, a bound of a UUID was cut before it became bytes,
// and ended the process.
TEST(DataFileMetrics, BoundsOfFixedLengthAreCutAtTheEndOnly) {
  const std::string uuid = "0123456789abcdef", fixed(100, 'x');
  const auto json = [](const std::string& value) { return "[\"" + value + "\"]"; };
  EXPECT_EQ(MetricsOf({1, "c", TypeId::kUuid}, json(uuid), {MetricsMode::Kind::kTruncate, 1}).lower_bounds.at(1), uuid);
  const ColumnMetrics metrics = MetricsOf({1, "c", Type::Fixed(100)}, json(fixed), {MetricsMode::Kind::kTruncate, 16});
  EXPECT_EQ(metrics.lower_bounds.at(1), fixed.substr(0, 16));
  EXPECT_EQ(metrics.upper_bounds.at(1), fixed.substr(0, 15) + "y");
}

TEST(DataFileMetrics, BoundsLeavesOfStructsButNotOfListsAndMaps) {
  ColumnMetrics in_struct = MetricsOf({1, "s", Type::Struct({{2, "x", TypeId::kLong}})}, R"([{"x": 4}, null, {"x": null}])");
  EXPECT_EQ(in_struct.value_counts.at(2), 3);
  EXPECT_EQ(in_struct.null_value_counts.at(2), 2);
  EXPECT_TRUE(in_struct.lower_bounds.contains(2));
  EXPECT_FALSE(in_struct.value_counts.contains(1));
  ColumnMetrics in_list = MetricsOf({1, "l", Type::List(2, TypeId::kLong, false)}, "[[4, 5], [], null]");
  EXPECT_EQ(in_list.value_counts.at(2), 4);  // as Parquet counts: an empty list and null take a place
  EXPECT_TRUE(in_list.lower_bounds.empty());
}

// ---- the file itself, by Parquet's own reader ----

std::shared_ptr<::parquet::FileMetaData> FooterOf(const std::string& bytes) {
  return ::parquet::ParquetFileReader::Open(std::make_shared<::arrow::io::BufferReader>(::arrow::Buffer::FromString(bytes)))->metadata();
}

TEST(DataFileMetrics, TellsExactSizesAndOffsets) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong, true}, text{2, "t", TypeId::kString};
  DataFileOptions options;
  options.row_group_rows_max = 2;
  auto written = Must(WriteFile(objects, kUri, SchemaOf({id, text}), MakeColumns({{id, "[1, 2, 3, 4, 5]"}, {text, R"(["a", "b", "a", null, "c"])"}}), options));
  const std::string& bytes = objects.objects.at(kUri);
  EXPECT_EQ(written.file.file_size_bytes, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(written.footer_bytes, base::GetLittle<uint32_t>(bytes.data() + bytes.size() - 8));
  EXPECT_EQ(written.file.path, kUri);
  EXPECT_EQ(written.file.record_count, 5);
  auto footer = FooterOf(bytes);
  ASSERT_EQ(footer->num_row_groups(), 3);
  int64_t sizes = 0;
  for (int g = 0; g < 3; g++) {
    sizes += footer->RowGroup(g)->ColumnChunk(1)->total_compressed_size();
    auto first = footer->RowGroup(g)->ColumnChunk(0);
    EXPECT_EQ(written.file.split_offsets[static_cast<size_t>(g)], first->has_dictionary_page() ? first->dictionary_page_offset() : first->data_page_offset());
  }
  EXPECT_EQ(written.file.metrics.column_sizes.at(2), sizes);
}

TEST(DataFileMetrics, PutsFieldIdsOnEveryNode) {
  MemoryObjects objects;
  NestedField map{1, "m", Type::Map(2, TypeId::kString, 3, Type::List(4, TypeId::kInt, false), false)};
  Must(WriteFile(objects, kUri, SchemaOf({map}), MakeColumns({{map, "[null]"}})));
  auto footer = FooterOf(objects.objects.at(kUri));
  const ::parquet::SchemaDescriptor* schema = footer->schema();
  EXPECT_EQ(schema->group_node()->field(0)->field_id(), 1);
  EXPECT_EQ(schema->Column(0)->schema_node()->field_id(), 2);
  EXPECT_EQ(schema->Column(0)->path()->ToDotString(), "m.key_value.key");
  EXPECT_EQ(schema->Column(1)->schema_node()->field_id(), 4);
  EXPECT_EQ(schema->Column(1)->path()->ToDotString(), "m.key_value.value.list.element");
  EXPECT_EQ(schema->Column(1)->schema_node()->parent()->parent()->field_id(), 3);
}

TEST(DataFileMetrics, WritesBloomFiltersStatisticsAndDeltasWhereAsked) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kString, true}, at{2, "at", TypeId::kTimestampTz, true}, data{3, "data", TypeId::kString};
  DataFileOptions options;
  options.columns[1].bloom_filter = true;
  options.columns[2].delta = true;
  options.columns[3].statistics = false;
  options.file_metadata["iceberg.schema"] = "{}";
  Must(WriteFile(objects, kUri, SchemaOf({id, at, data}), MakeColumns({{id, R"(["a", "b"])"}, {at, "[1, 2]"}, {data, R"(["x", "y"])"}}), options));
  auto input = std::make_shared<::arrow::io::BufferReader>(::arrow::Buffer::FromString(objects.objects.at(kUri)));
  auto reader = ::parquet::ParquetFileReader::Open(input);
  auto group = reader->metadata()->RowGroup(0);
  EXPECT_TRUE(group->ColumnChunk(0)->is_stats_set());
  EXPECT_TRUE(group->ColumnChunk(0)->GetOffsetIndexLocation().has_value());
  EXPECT_FALSE(group->ColumnChunk(2)->statistics() != nullptr && group->ColumnChunk(2)->statistics()->HasMinMax());
  auto encodings = group->ColumnChunk(1)->encodings();
  EXPECT_NE(std::find(encodings.begin(), encodings.end(), ::parquet::Encoding::DELTA_BINARY_PACKED), encodings.end());
  EXPECT_EQ(*reader->metadata()->key_value_metadata()->Get("iceberg.schema"), "{}");
  auto bloom = reader->GetBloomFilterReader().RowGroup(0)->GetColumnBloomFilter(0);
  ASSERT_NE(bloom, nullptr);
  ::parquet::ByteArray a("a"), absent("never");
  EXPECT_TRUE(bloom->FindHash(bloom->Hash(&a)));
  EXPECT_FALSE(bloom->FindHash(bloom->Hash(&absent)));
  EXPECT_EQ(reader->GetBloomFilterReader().RowGroup(0)->GetColumnBloomFilter(2), nullptr);
}

TEST(DataFileMetrics, ChoosesDictionariesByWhatRepeats) {
  MemoryObjects objects;
  NestedField unique{1, "u", TypeId::kString}, few{2, "f", TypeId::kString}, off{3, "o", TypeId::kString};
  std::string unique_json = "[", few_json = "[";
  for (int i = 0; i < 2000; i++) {
    unique_json += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
    few_json += (i == 0 ? "\"" : ",\"") + std::to_string(i % 10) + "\"";
  }
  DataFileOptions options;
  options.columns[3].dictionary = DictionaryUse::kOff;
  Must(WriteFile(objects, kUri, SchemaOf({unique, few, off}), MakeColumns({{unique, unique_json + "]"}, {few, few_json + "]"}, {off, few_json + "]"}}), options));
  auto footer = FooterOf(objects.objects.at(kUri));
  auto group = footer->RowGroup(0);
  EXPECT_FALSE(group->ColumnChunk(0)->has_dictionary_page());
  EXPECT_TRUE(group->ColumnChunk(1)->has_dictionary_page());
  EXPECT_FALSE(group->ColumnChunk(2)->has_dictionary_page());
}

}  // namespace
}  // namespace sluice::iceberg
