// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "iceberg/internal/avro_reader.h"
#include "iceberg/internal/avro_writer.h"
#include "iceberg/internal/compression.h"
#include "iceberg/internal/table_testing.h"
#include "iceberg/manifest_cache.h"
#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/manifest_writer.h"
#include "io/process_memory.h"
#include "io/simulated_world.h"

namespace sluice::iceberg {
namespace {

ManifestEntry Entry(EntryStatus status, const std::string& path, int64_t hour) {
  ManifestEntry entry;
  entry.status = status;
  entry.file = TestFile(path, "order", hour, 1, 10);
  if (status != EntryStatus::kAdded) entry.snapshot_id = 7, entry.sequence_number = 3, entry.file_sequence_number = 2;
  return entry;
}

WrittenManifest Write(const TableMetadata& table, const std::vector<ManifestEntry>& entries) {
  ManifestWriter writer(table, 0, ManifestContent::kData, 42, kTestSync);
  for (const ManifestEntry& entry : entries) writer.Add(entry);
  return writer.Finish();
}

std::vector<ManifestEntry> Parse(const TableMetadata& table, const WrittenManifest& written) {
  ManifestFile file = written.file;
  file.sequence_number = 9;
  auto entries = ParseManifest(written.bytes, file, table.PartitionTypeOf(table.spec()));
  EXPECT_TRUE(entries.ok()) << entries.error().message;
  return entries.ok() ? *entries : std::vector<ManifestEntry>();
}

TEST(Manifest, GivesBackEveryFieldOfAFile) {
  TableMetadata table = TestMetadata();
  ManifestEntry entry = Entry(EntryStatus::kAdded, "file:///a", -1);
  entry.file.metrics.column_sizes = {{1, 100}, {2, 200}};
  entry.file.metrics.nan_value_counts = {{1, 0}};
  entry.file.key_metadata = std::string("k\0y", 3);
  entry.file.split_offsets = {4, 1000};
  entry.file.sort_order_id = 0;
  entry.file.referenced_data_file = "file:///x";
  auto read = Parse(table, Write(table, {entry}));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].file, entry.file);
}

TEST(Manifest, AddedEntriesInheritAndOthersKeepTheirNumbers) {
  TableMetadata table = TestMetadata();
  auto read = Parse(table, Write(table, {Entry(EntryStatus::kAdded, "a", 1), Entry(EntryStatus::kExisting, "b", 1), Entry(EntryStatus::kDeleted, "c", 1)}));
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].snapshot_id, 42);
  EXPECT_EQ(read[0].sequence_number, 9);
  EXPECT_EQ(read[0].file_sequence_number, 9);
  EXPECT_EQ(read[1].snapshot_id, 7);
  EXPECT_EQ(read[1].sequence_number, 3);
  EXPECT_EQ(read[1].file_sequence_number, 2);
  EXPECT_FALSE(read[2].is_live());
}

TEST(Manifest, CountsAndSummariesCoverDeletedEntriesToo) {
  TableMetadata table = TestMetadata();
  ManifestEntry null_type = Entry(EntryStatus::kExisting, "b", 5);
  null_type.file.partition[0] = Value();
  WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "a", 1), null_type, Entry(EntryStatus::kDeleted, "c", 9)});
  EXPECT_EQ(written.file.added_files_count, 1);
  EXPECT_EQ(written.file.existing_rows_count, 10);
  EXPECT_EQ(written.file.deleted_files_count, 1);
  EXPECT_EQ(written.file.min_sequence_number, 3);
  EXPECT_EQ(written.file.length, static_cast<int64_t>(written.bytes.size()));
  ASSERT_EQ(written.file.partitions.size(), 2U);
  EXPECT_TRUE(written.file.partitions[0].contains_null);
  EXPECT_EQ(written.file.partitions[1].upper_bound, ValueToBytes(Value(int64_t{9}), TypeId::kInt));
}

TEST(Manifest, HeaderCarriesTheKeysOfTheFormat) {
  TableMetadata table = TestMetadata();
  WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "a", 1)});
  auto reader = AvroReader::Open(written.bytes);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->metadata().at("content"), "data");
  EXPECT_EQ(reader->metadata().at("format-version"), "2");
  EXPECT_EQ(reader->metadata().at("partition-spec-id"), "0");
  EXPECT_TRUE(Json::Parse(reader->metadata().at("partition-spec"))->is_array());
  EXPECT_EQ(*SchemaFromJson(*Json::Parse(reader->metadata().at("schema"))), table.schema());
  ManifestWriter deletes(table, 0, ManifestContent::kDeletes, 42, kTestSync);
  EXPECT_EQ(AvroReader::Open(deletes.Finish().bytes)->metadata().at("content"), "deletes");
}

// Goal: no damage is read as something else or outside the bytes.
// Method: cut a manifest and flip its bytes: all of them behind the header, some of them in it (its schema is most of the file).
TEST(Manifest, DamageNeverReadsOutOfBounds) {
  TableMetadata table = TestMetadata();
  WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "a", 1), Entry(EntryStatus::kExisting, "b", 2)});
  Type partition = table.PartitionTypeOf(table.spec());
  size_t header = written.bytes.find(kTestSync);
  auto step = [&](size_t at) { return at < header ? 37 : 1; };
  for (size_t size = 0; size < written.bytes.size(); size += step(size)) {
    auto entries = ParseManifest(std::string_view(written.bytes).substr(0, size), written.file, partition);
    EXPECT_TRUE(!entries.ok() || entries->empty()) << size;
  }
  for (size_t at = 0; at < written.bytes.size(); at += step(at)) {
    std::string damaged = written.bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    (void)ParseManifest(damaged, written.file, partition).ok();
  }
}

// Goal: no bit that a disk flips changes what a table holds. Avro has no checksums; those written here have one in their header, and
// say so in another place, because the name of the checksum may rot as well: a flip there once made a manifest one of others.
TEST(Manifest, EveryFlippedBitIsDamage) {
  TableMetadata table = TestMetadata();
  const WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "file:///a", 1), Entry(EntryStatus::kExisting, "file:///b", 2)});
  const Type partition = table.PartitionTypeOf(table.spec());
  ASSERT_TRUE(ParseManifest(written.bytes, written.file, partition).ok());
  for (size_t bit = 0; bit < written.bytes.size() * 8; bit++) {
    std::string damaged = written.bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(ParseManifest(damaged, written.file, partition).ok()) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
}

// Goal: files that were swapped by a careless restore are named, not read as each other.
TEST(Manifest, UnderTheNameOfAnotherOneIsDamage) {
  io::SimulatedWorld world(1);
  io::Env env = world.env();
  TableMetadata table = TestMetadata();
  WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "file:///a", 1)});
  ASSERT_TRUE(env.files.CreateDirectories("/t").ok() && io::WriteObject(env.objects, "file:///t/m.avro", written.bytes).ok());
  ManifestFile line = written.file;
  line.path = "file:///t/m.avro";
  EXPECT_TRUE(ReadManifest(env.objects, line, table).ok());
  line.added_snapshot_id = 43;
  EXPECT_EQ(ReadManifest(env.objects, line, table).error().code, ErrorCode::kCorruption);
  line.added_snapshot_id = 42;
  line.length++;
  EXPECT_EQ(ReadManifest(env.objects, line, table).error().code, ErrorCode::kCorruption);
}

TEST(ManifestList, UnderTheNameOfAnotherOneIsDamage) {
  io::SimulatedWorld world(1);
  io::Env env = world.env();
  Snapshot snapshot;
  snapshot.snapshot_id = 42;
  snapshot.manifest_list = "file:///t/l.avro";
  ASSERT_TRUE(env.files.CreateDirectories("/t").ok() &&
              io::WriteObject(env.objects, snapshot.manifest_list, SerializeManifestList(snapshot, {}, kTestSync)).ok());
  EXPECT_TRUE(ReadManifestList(env.objects, snapshot).ok());
  snapshot.snapshot_id = 43;
  EXPECT_EQ(ReadManifestList(env.objects, snapshot).error().code, ErrorCode::kCorruption);
}

TEST(ManifestList, GivesBackWhatItWasGivenAndNumbersNewManifests) {
  Snapshot snapshot;
  snapshot.snapshot_id = 42;
  snapshot.sequence_number = 9;
  ManifestFile old = Write(TestMetadata(), {Entry(EntryStatus::kExisting, "b", 2)}).file;
  old.path = "file:///old";
  old.sequence_number = 4;
  ManifestFile fresh = Write(TestMetadata(), {Entry(EntryStatus::kAdded, "a", 1)}).file;
  fresh.path = "file:///fresh";
  std::string bytes = SerializeManifestList(snapshot, {fresh, old}, kTestSync);
  auto read = ParseManifestList(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].sequence_number, 9);
  EXPECT_EQ((*read)[0].min_sequence_number, 9);
  EXPECT_EQ((*read)[1], old);
  EXPECT_EQ(AvroReader::Open(bytes)->metadata().at("parent-snapshot-id"), "null");
}

// BigQuery writes lists and manifests without ids of map fields, every field nullable and in alphabetical order.
TEST(ManifestList, FindsFieldsByIdWhateverTheirNameAndOrder) {
  std::string schema = R"({"type":"record","name":"m","fields":[
    {"name":"added_data_files_count","type":["null","int"],"field-id":"504"},
    {"name":"manifest_path","type":["null","string"],"field-id":500},
    {"name":"manifest_length","type":["null","long"]}]})";
  AvroWriter writer(schema, {}, AvroCodec::kNull, kTestSync);
  writer.object().PutPresent();
  writer.object().PutLong(3);
  writer.object().PutPresent();
  writer.object().PutBytes("file:///m");
  writer.object().PutPresent();
  writer.object().PutLong(77);
  writer.EndObject();
  auto read = ParseManifestList(writer.Finish());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ((*read)[0].path, "file:///m");
  EXPECT_EQ((*read)[0].added_files_count, 3);
  EXPECT_EQ((*read)[0].length, 77) << "found by name, since it carries no id";
  EXPECT_EQ((*read)[0].existing_files_count, std::nullopt);
  EXPECT_TRUE((*read)[0].has_live_files());
}

TEST(Avro, SplitsIntoBlocksAndReadsThemAll) {
  AvroWriter writer(R"({"type":"record","name":"r","fields":[{"name":"a","type":"string","field-id":1}]})", {}, AvroCodec::kDeflate, kTestSync);
  for (int i = 0; i < 5000; i++) {
    writer.object().PutBytes(std::string(50, static_cast<char>('a' + i % 26)));
    writer.EndObject();
  }
  std::string file = writer.Finish();
  int64_t count = 0;
  auto reader = AvroReader::Open(file);
  ASSERT_TRUE(reader->ForEach([&](const AvroValue& value) -> Result<void> {
    EXPECT_EQ(value.Field(1, "").AsBytes(), std::string(50, static_cast<char>('a' + count % 26)));
    count++;
    return {};
  }).ok());
  EXPECT_EQ(count, 5000);
}

TEST(Avro, RefusesSchemasThatUseThemselvesAndUnknownCodecs) {
  std::string self = R"({"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]})";
  EXPECT_EQ(AvroReader::Open(AvroWriter(self, {}, AvroCodec::kNull, kTestSync).Finish()).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(AvroReader::Open("Obx").error().code, ErrorCode::kCorruption);
}

TEST(Snappy, DecodesLiteralsAndOverlappingCopies) {
  // Length 9, literal "abc", then a copy of six bytes from three back.
  EXPECT_EQ(*DecompressSnappy(std::string("\x09\x08" "abc" "\x09\x03", 7), 100), "abcabcabc");
  EXPECT_FALSE(DecompressSnappy(std::string("\x09\x08" "abc" "\x09\x04", 7), 100).ok()) << "a copy from before the start";
  EXPECT_FALSE(DecompressSnappy(std::string("\x08\x08" "abc" "\x09\x03", 7), 100).ok()) << "more than announced";
  EXPECT_EQ(DecompressSnappy(std::string("\x09\x08" "abc" "\x09\x03", 7), 8).error().code, ErrorCode::kExhausted);
}

TEST(Deflate, RefusesMoreThanItsBound) {
  std::string packed = DeflateRaw(std::string(100'000, 'x'));
  EXPECT_EQ(InflateRaw(packed, 100'000)->size(), 100'000U);
  EXPECT_EQ(InflateRaw(packed, 99'999).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(InflateRaw(packed.substr(0, packed.size() - 3), 100'000).error().code, ErrorCode::kCorruption);
}

TEST(ManifestCache, ReadsAManifestOnceAndForgetsTheOldest) {
  TestWorld world;
  TableMetadata table = TestMetadata();
  std::vector<ManifestFile> files;
  for (int i = 0; i < 3; i++) {
    WrittenManifest written = Write(table, {Entry(EntryStatus::kAdded, "a", 1), Entry(EntryStatus::kAdded, "b", 1)});
    written.file.path = "file:///m" + std::to_string(i);
    world.objects.objects[written.file.path] = written.bytes;
    files.push_back(written.file);
  }
  ManifestCache one;
  ASSERT_TRUE(one.Get(world.objects, files[0], table).ok());
  world.objects.reads.clear();
  ManifestCache cache(2 * one.bytes());
  for (int round = 0; round < 2; round++) {
    ASSERT_TRUE(cache.Get(world.objects, files[0], table).ok());
    ASSERT_TRUE(cache.Get(world.objects, files[1], table).ok());
  }
  EXPECT_EQ(cache.hits(), 2U);
  EXPECT_EQ(world.objects.reads["file:///m0"], 1);
  ASSERT_TRUE(cache.Get(world.objects, files[2], table).ok());
  EXPECT_EQ(cache.bytes(), 2 * one.bytes());
  ASSERT_TRUE(cache.Get(world.objects, files[0], table).ok());
  EXPECT_EQ(world.objects.reads["file:///m0"], 2) << "it was the least recently used";
}

// Found by looking at what grows: it was bounded by a number of files, each of which took six times what was thought.
TEST(ManifestCache, KnowsWhatItTakes) {
  constexpr int kManifests = 20, kFiles = 100, kColumns = 13;
  TestWorld world;
  TableMetadata table = TestMetadata();
  std::vector<ManifestFile> manifests;
  for (int i = 0; i < kManifests; i++) {
    std::vector<ManifestEntry> entries;
    for (int k = 0; k < kFiles; k++) {
      auto& entry = entries.emplace_back(Entry(EntryStatus::kAdded, "file:///warehouse/bronze/events/data/" + std::to_string(k) + ".parquet", 1));
      for (FieldId column = 1; column <= kColumns; column++) {
        auto& m = entry.file.metrics;
        m.column_sizes[column] = m.value_counts[column] = 1'000, m.null_value_counts[column] = 0;
        m.lower_bounds[column] = "a bound", m.upper_bounds[column] = "a bound of 16 by";
      }
    }
    WrittenManifest written = Write(table, entries);
    written.file.path = "file:///m" + std::to_string(i);
    world.objects.objects[written.file.path] = written.bytes;
    manifests.push_back(written.file);
  }
  const auto fill = [&](ManifestCache& cache) {
    for (auto& manifest : manifests) CHECK(cache.Get(world.objects, manifest, table).ok(), "a manifest");
  };
  ManifestCache cache;
  const auto before = static_cast<double>(io::UsedHeapBytes());
  fill(cache);
  const auto grown = static_cast<double>(io::UsedHeapBytes()) - before;
  if (grown > 0) {  // a sanitizer's heap tells nothing
    EXPECT_NEAR(static_cast<double>(cache.bytes()), grown, grown / 10);
  }
  ManifestCache small(cache.bytes() / 3);
  fill(small);
  EXPECT_LE(small.bytes(), cache.bytes() / 3);
  EXPECT_GT(small.bytes(), cache.bytes() / 4);
}

}  // namespace
}  // namespace sluice::iceberg
