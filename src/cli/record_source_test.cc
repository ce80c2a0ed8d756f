// SPDX-License-Identifier: Apache-2.0
#include "cli/record_source.h"

#include <gtest/gtest.h>

#include "io/env.h"
#include "io/test_directory.h"

namespace sluice::cli {
namespace {

struct Records {
  std::vector<std::string> records;
  std::string error;
};

Records ReadRecords(const std::string& text, const char* pointer = nullptr) {
  io::RealWorld world(io::LogLevel::kError);
  io::TestDirectory directory(world.env().files);
  const Path path = directory / "records";
  EXPECT_TRUE(io::WriteFileAtomically(world.env().files, path, text).ok());
  auto input = ByteInput::Open(path, nullptr);
  EXPECT_TRUE(input.ok());
  RecordSource source(std::move(*input), pointer != nullptr ? std::optional(*JsonPointer::Parse(pointer)) : std::nullopt);
  Records out;
  for (std::string_view record;;) {
    auto status = source.Next(record);
    if (!status.ok()) return out.error = status.error().message, out;
    if (*status == RecordSource::Status::kEnd) return out;
    EXPECT_EQ(*status, RecordSource::Status::kRecord);
    out.records.emplace_back(record);
    EXPECT_GE(source.fraction(), 0);
    EXPECT_LE(source.fraction(), 1);
  }
}

using Lines = std::vector<std::string>;

TEST(RecordSource, LinesWithAndWithoutNewlineAtTheEnd) {
  EXPECT_EQ(ReadRecords("{\"a\":1}\n\n  {\"a\":2}\r\n{\"a\":3}").records, (Lines{"{\"a\":1}", "{\"a\":2}", "{\"a\":3}"}));
  EXPECT_EQ(ReadRecords("\xEF\xBB\xBF{}\n").records, (Lines{"{}"}));
  EXPECT_TRUE(ReadRecords("").records.empty());
  EXPECT_TRUE(ReadRecords("\n \n").records.empty());
}

TEST(RecordSource, LinesAcrossReads) {
  std::string text;
  Lines expected;
  for (size_t i = 0; text.size() < 3 * kReadBytes; i++) {
    expected.push_back("{\"n\":" + std::to_string(i) + ",\"x\":\"" + std::string(i % 997, 'x') + "\"}");
    text += expected.back() + "\n";
  }
  EXPECT_EQ(ReadRecords(text).records, expected);
}

TEST(RecordSource, ATopLevelArray) {
  EXPECT_EQ(ReadRecords(" [ {\"a\":[1]},\n {\"b\":2} ]\n").records, (Lines{"{\"a\":[1]}", "{\"b\":2}"}));
  EXPECT_TRUE(ReadRecords("[]").records.empty());
}

TEST(RecordSource, TheArrayAtAPointer) {
  EXPECT_EQ(ReadRecords("{\"type\":\"x\",\n\"features\":[{\"id\":1},{\"id\":2}]}", "/features").records,
            (Lines{"{\"id\":1}", "{\"id\":2}"}));
  EXPECT_EQ(ReadRecords("{\"features\":{}}", "/features").error, "there is no array at \"/features\"");
  EXPECT_EQ(ReadRecords("{}", "/features").error, "there is no array at \"/features\"");
}

TEST(RecordSource, ACutArrayIsSaidAfterWhatItHolds) {
  auto read = ReadRecords("[{\"a\":1},{\"b\":");
  EXPECT_EQ(read.records, (Lines{"{\"a\":1}"}));
  EXPECT_NE(read.error.find("cut"), std::string::npos);
}

TEST(RecordSource, ALineBeyondTheBoundIsRefused) {
  EXPECT_EQ(ReadRecords(std::string(kLineBytesMax, 'x') + "\n").records.size(), 1u);
  EXPECT_NE(ReadRecords(std::string(kLineBytesMax + 2 * kReadBytes, 'x') + "\n").error.find("16 MiB"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
