// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_seal.h"

#include "base/bytes.h"
#include "iceberg/data_file_check.h"
#include "iceberg/internal/data_file_testing.h"

namespace sluice::iceberg {
namespace {

using namespace testing;

constexpr char kUri[] = "file:///t/x.parquet";
const NestedField kId{1, "id", TypeId::kLong}, kKind{2, "kind", TypeId::kString};

// Dictionary, statistics and Bloom filter: all kinds of bytes that a file has.
std::string WholeFile(const std::string& ids, const std::string& kinds, bool seal = true) {
  MemoryObjects objects;
  DataFileOptions options;
  options.columns[1].dictionary = DictionaryUse::kOff;
  options.columns[2].dictionary = DictionaryUse::kOn;
  options.columns[1].bloom_filter = true;
  options.seal = seal;
  auto written = Must(WriteFile(objects, kUri, SchemaOf({kId, kKind}), MakeColumns({{kId, ids}, {kKind, kinds}}), options));
  const auto& bytes = objects.objects.at(kUri);
  EXPECT_EQ(written.file.file_size_bytes, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(written.footer_bytes, base::GetLittle<uint32_t>(bytes.data() + bytes.size() - 8));
  return bytes;
}
std::string SmallFile(bool seal = true) { return WholeFile("[1, 2, 3, 400]", R"(["a", "a", "bc", "a"])", seal); }
// Several blocks.
std::string LargeFile() {
  std::string numbers = "[0", kinds = "[\"a\"";
  uint64_t n = 1;
  for (int i = 1; i < 10'000; i++) {
    numbers += "," + std::to_string(static_cast<int64_t>(n = n * 6364136223846793005u + 1442695040888963407u));
    kinds += ",\"bc\"";
  }
  return WholeFile(numbers + "]", kinds + "]");
}

Result<void> ReadAsRows(MemoryObjects& objects) {
  ASSIGN_OR_RETURN(auto reader, DataFileReader::Open(Must(objects.Open(kUri)), SchemaOf({kId, kKind})));
  for (int group = 0; group < reader->row_groups(); group++) {
    ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
    if (columns.empty()) return Error{ErrorCode::kInvalid, "no columns"};
  }
  return {};
}

// Goal: no bit of a data file can rot unnoticed, be it in a page, its header, a Bloom filter, the seal or the footer.
// Method: each of them in turn; the file is one block, so that whoever reads a row has to hear of it.
TEST(DataFileSeal, FindsEveryFlippedBitOfAFile) {
  MemoryObjects objects;
  const std::string whole = SmallFile();
  objects.objects[kUri] = whole;
  ASSERT_TRUE(ReadAsRows(objects).ok());
  ASSERT_EQ(Must(CheckDataFile(Must(objects.Open(kUri)))), 4);
  for (size_t bit = 0; bit < whole.size() * 8; bit++) {
    auto& bytes = objects.objects[kUri] = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(CheckDataFile(Must(objects.Open(kUri))).ok()) << "bit " << bit % 8 << " of byte " << bit / 8;
    ASSERT_FALSE(ReadAsRows(objects).ok()) << "bit " << bit % 8 << " of byte " << bit / 8;
  }
}

// Why there is a seal: what happens without one.
TEST(DataFileSeal, WithoutOneFlippedBitsAreBelieved) {
  MemoryObjects objects;
  const std::string whole = SmallFile(false);
  size_t believed = 0;
  for (size_t bit = 0; bit < whole.size() * 8; bit++) {
    auto& bytes = objects.objects[kUri] = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    believed += CheckDataFile(Must(objects.Open(kUri))).ok();
  }
  EXPECT_GT(believed, whole.size());
}

TEST(DataFileSeal, EveryPieceIsReadAsItIs) {
  MemoryObjects objects;
  const std::string whole = objects.objects[kUri] = LargeFile();
  ASSERT_GT(whole.size(), 4 * kSealBlockBytes);
  for (size_t length : {size_t{1}, size_t{100}, kSealBlockBytes, kSealBlockBytes + 1, 3 * kSealBlockBytes, whole.size()}) {
    for (size_t at :
         {size_t{0}, size_t{1}, kSealBlockBytes - 1, kSealBlockBytes, 2 * kSealBlockBytes + 7, whole.size() - 1, whole.size()}) {
      bool sealed = false;
      auto object = Must(VerifySeal(Must(objects.Open(kUri)), &sealed));
      ASSERT_TRUE(sealed);
      std::string read(length, '?');
      for (int again = 0; again < 2; again++) {  // the second time its blocks are known
        const size_t n = Must(object->Read(at, read));
        ASSERT_EQ(read.substr(0, n), whole.substr(at, length)) << length << " at " << at;
      }
    }
  }
}

// Goal: the damaged block is named, and only who reads it hears of it.
TEST(DataFileSeal, NamesTheDamagedBlockAndGivesTheOthers) {
  MemoryObjects objects;
  std::string bytes = LargeFile();
  bytes[kSealBlockBytes + 5] ^= 1;
  objects.objects[kUri] = bytes;
  auto object = Must(VerifySeal(Must(objects.Open(kUri))));
  std::string one(1, '?');
  EXPECT_TRUE(object->Read(0, one).ok());
  EXPECT_TRUE(object->Read(2 * kSealBlockBytes, one).ok());
  for (int again = 0; again < 2; again++) {
    auto read = object->Read(kSealBlockBytes + 6, one);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kCorruption);
    EXPECT_EQ(read.error().message, "bytes 16384 to 32768 are not what was written");
  }
}

TEST(DataFileSeal, AFileOfAnotherWriterIsReadAsItIs) {
  MemoryObjects objects;
  for (const std::string& bytes : {SmallFile(false), std::string("PAR1"), std::string(100, 'x'), std::string()}) {
    objects.objects[kUri] = bytes;
    bool sealed = true;
    auto object = VerifySeal(Must(objects.Open(kUri)), &sealed);
    ASSERT_TRUE(object.ok());
    EXPECT_FALSE(sealed);
    EXPECT_EQ((*object)->size(), bytes.size());
  }
}

TEST(DataFileSeal, ALostSealIsNoFileOfAnotherWriter) {
  MemoryObjects objects;
  std::string bytes = SmallFile();
  const size_t seal = bytes.find("SLUICE\x1aS");
  ASSERT_NE(seal, std::string::npos);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(seal), 32, '\0');
  objects.objects[kUri] = bytes;
  auto object = VerifySeal(Must(objects.Open(kUri)));
  ASSERT_FALSE(object.ok());
  EXPECT_EQ(object.error().code, ErrorCode::kCorruption);
}

TEST(DataFileSeal, AnErrorOfTheObjectIsNoDamage) {
  MemoryObjects objects;
  objects.objects[kUri] = SmallFile();
  auto object = Must(objects.Open(kUri));
  objects.fail_reads = true;
  objects.failure = Error{ErrorCode::kUnavailable, "later"};
  EXPECT_EQ(VerifySeal(std::move(object)).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace sluice::iceberg
