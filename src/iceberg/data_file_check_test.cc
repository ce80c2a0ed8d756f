// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_check.h"

#include "iceberg/internal/data_file_testing.h"

namespace sluice::iceberg {
namespace {

using namespace testing;

constexpr char kUri[] = "file:///t/x.parquet";

// Two columns; one with a dictionary, one without. As of another writer: without a seal.
std::string WholeFile(MemoryObjects& objects) {
  NestedField id{1, "id", TypeId::kLong}, kind{2, "kind", TypeId::kString};
  DataFileOptions options;
  options.columns[2].dictionary = DictionaryUse::kOn;
  options.seal = false;
  Must(WriteFile(objects, kUri, SchemaOf({id, kind}), MakeColumns({{id, "[1, 2, 3, 400]"}, {kind, R"(["a", "a", "bc", "a"])"}}), options));
  return objects.objects.at(kUri);
}

TEST(CheckDataFile, CountsTheRowsOfAWholeFile) {
  MemoryObjects objects;
  WholeFile(objects);
  EXPECT_EQ(Must(CheckDataFile(Must(objects.Open(kUri)))), 4);
}

// Goal: no page of a file without a seal can rot unnoticed.
// Method: pages of numbers that do not compress, and one flipped bit in each of 500 places spread over them. (Page headers, which
// have no checksum, are so small a part that none of the places lies in one.)
TEST(CheckDataFile, FindsAFlippedBitInAnyPage) {
  MemoryObjects objects;
  NestedField id{1, "id", TypeId::kLong};
  std::string numbers = "[0";
  uint64_t n = 1;
  for (int i = 1; i < 5'000; i++)
    numbers += "," + std::to_string(static_cast<int64_t>(n = n * 6364136223846793005u + 1442695040888963407u));
  DataFileOptions options;
  options.compression = Compression::kNone;
  options.seal = false;
  Must(WriteFile(objects, kUri, SchemaOf({id}), MakeColumns({{id, numbers + "]"}}), options));
  const std::string whole = objects.objects.at(kUri);
  constexpr size_t kPlaces = 500, kData = 39'000;
  ASSERT_GT(whole.size(), kData);
  for (size_t i = 0; i < kPlaces; i++) {
    std::string flipped = whole;
    const size_t at = 200 + i * (kData - 200) / kPlaces;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << i % 8));
    objects.objects["flipped"] = flipped;
    auto checked = CheckDataFile(Must(objects.Open("flipped")));
    ASSERT_FALSE(checked.ok()) << "byte " << at;
    EXPECT_EQ(checked.error().code, ErrorCode::kCorruption);
  }
}

TEST(CheckDataFile, SaysWhereTheDamageIs) {
  MemoryObjects objects;
  std::string bytes = WholeFile(objects);
  const size_t at = bytes.find("bc");
  ASSERT_NE(at, std::string::npos) << "small pages are stored as they are";
  bytes[at] ^= 1;
  objects.objects["flipped"] = bytes;
  auto checked = CheckDataFile(Must(objects.Open("flipped")));
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.error().message.find("row group 0, column kind, at byte "), std::string::npos) << checked.error().message;
}

TEST(CheckDataFile, AnErrorOfTheObjectIsNoDamage) {
  MemoryObjects objects;
  WholeFile(objects);
  auto object = Must(objects.Open(kUri));
  objects.fail_reads = true;
  objects.failure = Error{ErrorCode::kUnavailable, "later"};
  EXPECT_EQ(CheckDataFile(std::move(object)).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace sluice::iceberg
