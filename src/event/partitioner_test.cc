// SPDX-License-Identifier: Apache-2.0
#include "event/partitioner.h"

#include <gtest/gtest.h>

#include "event/cloudevents_json.h"
#include "event/test_bytes.h"

namespace sluice::event {
namespace {

// The vectors of Kafka's own tests (UtilsTest.testMurmur2).
TEST(Murmur2, AgreesWithKafka) {
  EXPECT_EQ(Murmur2("21"), -973932308);
  EXPECT_EQ(Murmur2("foobar"), -790332482);
  EXPECT_EQ(Murmur2("a-little-bit-long-string"), -985981536);
  EXPECT_EQ(Murmur2("a-little-bit-longer-string"), -1486304829);
  EXPECT_EQ(Murmur2("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  EXPECT_EQ(Murmur2("abc"), 479470107);
}

TEST(PartitionOf, ClearsTheSignBeforeTheModulo) {
  EXPECT_EQ(PartitionOf("21", 6), static_cast<int32_t>((-973932308 & 0x7fffffff) % 6));
  EXPECT_EQ(PartitionOf("abc", 7), 479470107 % 7);
  EXPECT_EQ(PartitionOf("", 1), 0);
}

class Keys : public ::testing::Test {
 protected:
  // The key of an event with `more` members under `pointers`.
  std::string Key(const std::vector<std::string>& pointers, std::string_view more) {
    PaddedBytes body(EventWith(more));
    auto outcome = decoder_.DecodeStructured(body.view(), batch_);
    EXPECT_TRUE(outcome.ok()) << outcome.message;
    auto extractor = KeyExtractor::Make(pointers);
    EXPECT_TRUE(extractor.ok());
    return std::string(batch_.View(extractor->Extract(batch_, 0)));
  }
  JsonEventDecoder decoder_;
  EventBatch batch_;
};

TEST_F(Keys, FallFromPartitionKeyToSubjectToSource) {
  EXPECT_EQ(Key({}, R"(,"partitionkey":"p","subject":"u")"), "p");
  EXPECT_EQ(Key({}, R"(,"subject":"u")"), "u");
  EXPECT_EQ(Key({}, ""), "/s");
}

TEST_F(Keys, ComeFromAttributesExtensionsAndData) {
  EXPECT_EQ(Key({"/type"}, ""), "t");
  EXPECT_EQ(Key({"/ext"}, R"(,"ext":5)"), "5");
  EXPECT_EQ(Key({"/data/user_id"}, R"(,"data":{"x":{"user_id":0},"y":"\"}","z":[1,"]"], "user_id" : "ann" })"), "ann");
  EXPECT_EQ(Key({"/data/user_id"}, R"(,"data":{"user_id":42})"), "42");
  EXPECT_EQ(Key({"/data/a/1/b"}, R"(,"data":{"a":[{"b":1},{"b":true}]})"), "true");
  EXPECT_EQ(Key({"/data/a"}, R"(,"data":{"a":"\u00e9\n"})"), "\xc3\xa9\n");
  EXPECT_EQ(Key({"/data/a"}, R"(,"data":{"\u0061":"x"})"), "x");
  EXPECT_EQ(Key({"/data/a~1b/c~0"}, R"(,"data":{"a/b":{"c~":"x"}})"), "x");
  EXPECT_EQ(Key({"/data"}, R"(,"data":"whole")"), "whole");
  EXPECT_EQ(Key({"/data/0"}, R"(,"data":[{"k": [1, 2]}])"), R"({"k": [1, 2]})");
  EXPECT_EQ(Key({"/data/a"}, R"(,"data":{"a":""})"), "");
  EXPECT_EQ(Key({"/data/"}, R"(,"data":{"":"empty name"})"), "empty name");
}

TEST_F(Keys, MissingValueFallsToTheNextRule) {
  for (std::string_view data : {R"({"b":1})", R"({"user_id":null})", "null", "[]", "[1]", "5", R"("user_id")", R"({"a":{"user_id":1}})", "{}"})
    EXPECT_EQ(Key({"/data/user_id"}, R"(,"subject":"u","data":)" + std::string(data)), "u") << data;
  EXPECT_EQ(Key({"/data/01"}, R"(,"data":[1,2])"), "/s");
  EXPECT_EQ(Key({"/data/2"}, R"(,"data":[1,2])"), "/s");
  EXPECT_EQ(Key({"/data/user_id"}, R"(,"data":"{\"user_id\":1}","datacontenttype":"text/plain")"), "/s");
  EXPECT_EQ(Key({"/data/user_id"}, R"(,"data_base64":"eyJ1c2VyX2lkIjoxfQ==")"), "/s");
  EXPECT_EQ(Key({"/subject/x"}, R"(,"subject":"u")"), "u");
}

TEST_F(Keys, SeveralPointersMakeACompactArray) {
  EXPECT_EQ(Key({"/type", "/data/n", "/data/s"}, R"(,"data":{ "n" : 5, "s" : "a\"\u00e9" })"), R"(["t",5,"a\")" "\xc3\xa9" R"("])");
  EXPECT_EQ(Key({"/type", "/data/missing"}, R"(,"data":{},"subject":"u")"), "u");
}

TEST_F(Keys, StayTrueWhileTheArenaGrows) {
  std::string body = "[";
  for (int i = 0; i < 50; i++) body += std::string(i > 0 ? "," : "") + EventWith(",\"data\":{\"k\":\"\\u0061" + std::to_string(i) + "\"}");
  PaddedBytes bytes(body + "]");
  ASSERT_TRUE(decoder_.DecodeBatch(bytes.view(), batch_).ok());
  auto extractor = KeyExtractor::Make({"/data/k"});
  std::vector<Slice> keys;
  for (size_t row = 0; row < 50; row++) keys.push_back(extractor->Extract(batch_, row));
  for (size_t row = 0; row < 50; row++) EXPECT_EQ(batch_.View(keys[row]), "a" + std::to_string(row));
}

TEST(KeyExtractor, RefusesWhatIsNoPointerIntoAnEvent) {
  for (const char* pointer : {"", "/", "subject", "/data/~2", "/data/~"}) EXPECT_FALSE(KeyExtractor::Make({pointer}).ok()) << pointer;
}

}  // namespace
}  // namespace sluice::event
