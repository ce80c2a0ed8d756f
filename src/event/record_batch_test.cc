// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

#include "base/bytes.h"
#include "base/time.h"
#include "event/cloudevents_json.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_encoder.h"
#include "event/record_batch_format.h"
#include "event/test_bytes.h"

namespace sluice::event {
namespace {

constexpr int64_t kAppendTimeUs = 1768435200123456;

// A second, strict reader of message format 2, written from the Kafka documentation without our constants.
struct PlainRecord {
  int64_t timestamp = 0, offset = 0;
  bool has_key = false, has_value = false;
  std::string key, value;
  std::vector<std::pair<std::string, std::string>> headers;
};

class PlainReader {
 public:
  explicit PlainReader(std::string_view bytes) : in_(bytes) {}
  bool Read(std::vector<PlainRecord>& records) {
    int64_t base_offset = Big(8), length = Big(4), epoch = Big(4), magic = Big(1);
    auto crc = static_cast<uint32_t>(Big(4));
    std::string_view covered = in_;
    int64_t attributes = Big(2), last_delta = Big(4), first_time = Big(8), max_time = Big(8), producer = Big(8), producer_epoch = Big(2), sequence = Big(4), count = Big(4);
    bool header = length + 12 == static_cast<int64_t>(covered.size()) + 21 && epoch == 0 && magic == 2 && attributes == 0 && producer == -1 && producer_epoch == -1 && sequence == -1;
    if (!header || crc != base::Crc32c(covered) || last_delta != count - 1) return false;
    int64_t largest = INT64_MIN;
    for (int64_t i = 0; i < count; i++) {
      PlainRecord r;
      int64_t size = Varint();
      size_t before = in_.size();
      if (Big(1) != 0) return false;
      r.timestamp = first_time + Varint();
      largest = std::max(largest, r.timestamp);
      int64_t delta = Varint();
      if (delta != i) return false;
      r.offset = base_offset + delta;
      r.has_key = Field(r.key);
      r.has_value = Field(r.value);
      int64_t headers = Varint();
      for (int64_t h = 0; h < headers; h++) {
        std::string key, value;
        if (!Field(key) || !Field(value)) return false;
        r.headers.emplace_back(key, value);
      }
      if (static_cast<int64_t>(before - in_.size()) != size) return false;
      records.push_back(std::move(r));
    }
    return in_.empty() && largest == max_time && records.front().timestamp == first_time && !short_;
  }

 private:
  int64_t Big(size_t n) {
    uint64_t v = 0;
    if (in_.size() < n) { short_ = true; return -2; }
    for (size_t i = 0; i < n; i++) v = v << 8 | static_cast<unsigned char>(in_[i]);
    in_.remove_prefix(n);
    return n == 8 ? static_cast<int64_t>(v) : static_cast<int64_t>(v << (64 - 8 * n)) >> (64 - 8 * n);
  }
  int64_t Varint() {
    uint64_t z = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      auto byte = static_cast<uint64_t>(Big(1) & 0xff);
      z |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return static_cast<int64_t>(z >> 1) ^ -static_cast<int64_t>(z & 1);
  }
  bool Field(std::string& out) {
    int64_t n = Varint();
    if (n < 0) return false;
    if (static_cast<uint64_t>(n) > in_.size()) { short_ = true; return false; }
    out = in_.substr(0, static_cast<size_t>(n));
    in_.remove_prefix(static_cast<size_t>(n));
    return true;
  }
  std::string_view in_;
  bool short_ = false;
};

// Everything of a row but its place, as text that can be compared.
std::string Describe(const EventBatch& batch, size_t row) {
  std::string out;
  for (size_t a = 0; a < kAttributeCount; a++) {
    std::string_view value = batch.Get(static_cast<Attribute>(a), row);
    out += value.data() == nullptr ? "-" : "[" + std::string(value) + "]";
  }
  out += std::to_string(batch.time_us(row));
  std::map<std::string, std::string> extensions;
  for (const Extension& e : batch.extensions(row)) extensions[std::string(batch.View(e.name))] = batch.View(e.value);
  for (const auto& [name, value] : extensions) out += ";" + name + "=" + value;
  return out;
}

class RecordBatches : public ::testing::Test {
 protected:
  void Parse(const std::string& array) {
    body_ = std::make_unique<PaddedBytes>(array);
    auto outcome = decoder_.DecodeBatch(body_->view(), batch_);
    ASSERT_TRUE(outcome.ok()) << outcome.message << (batch_.rejected().empty() ? "" : batch_.rejected()[0].reason);
    rows_.resize(batch_.rows());
    std::iota(rows_.begin(), rows_.end(), 0u);
  }
  // The RecordBatch of rows_, at its exact size; checks the bound.
  std::string Encode(int64_t base_offset = 0, const std::vector<std::string_view>& keys = {}) {
    std::string out(RecordBatchBound(batch_, rows_, keys) + 64, '\xee');
    char* end = EncodeRecordBatch(batch_, rows_, keys, base_offset, kAppendTimeUs, out.data());
    auto size = static_cast<size_t>(end - out.data());
    EXPECT_LE(size, out.size() - 64);
    return out.substr(0, size);
  }
  Result<void> Decode(std::string_view bytes) {
    encoded_ = std::make_unique<PaddedBytes>(bytes);
    return DecodeRecordBatch(encoded_->view(), back_, places_);
  }

  std::unique_ptr<PaddedBytes> body_, encoded_;
  JsonEventDecoder decoder_;
  EventBatch batch_, back_;
  RecordPlaces places_;
  std::vector<uint32_t> rows_;
};

TEST_F(RecordBatches, FollowTheKafkaBindingOfCloudEvents) {
  Parse("[" + EventWith(R"(,"time":"2018-04-05T03:56:24.0015+02:00","datacontenttype":"application/json","data":{"message": "Hello World!"},"comexampleext":5)") + "," +
        EventWith(R"(,"data_base64":"AP8=")") + "]");
  std::vector<PlainRecord> records;
  std::string key(100, 'k');  // longer than it needs to be: 64 bytes behind it are readable
  ASSERT_TRUE(PlainReader(Encode(1000, {std::string_view(key).substr(0, 2), {}})).Read(records));
  ASSERT_EQ(records.size(), 2u);
  const PlainRecord& first = records[0];
  EXPECT_EQ(first.offset, 1000);
  EXPECT_EQ(first.timestamp, 1522893384001);
  EXPECT_TRUE(first.has_key);
  EXPECT_EQ(first.key, "kk");
  EXPECT_EQ(first.value, R"({"message": "Hello World!"})");
  std::map<std::string, std::string> headers(first.headers.begin(), first.headers.end());
  EXPECT_EQ(headers, (std::map<std::string, std::string>{{"ce_specversion", "1.0"}, {"ce_id", "a"}, {"ce_source", "/s"}, {"ce_type", "t"}, {"ce_time", "2018-04-05T03:56:24.0015+02:00"},
                                                         {"content-type", "application/json"}, {"ce_comexampleext", "5"}}));
  const PlainRecord& second = records[1];
  EXPECT_EQ(second.offset, 1001);
  EXPECT_EQ(second.timestamp, kAppendTimeUs / 1000);
  EXPECT_FALSE(second.has_key);
  EXPECT_EQ(second.value, std::string_view("\0\xff", 2));
  headers = {second.headers.begin(), second.headers.end()};
  EXPECT_EQ(headers.count("content-type"), 0u);
  EXPECT_EQ(headers["sluice_binary"], "1");
}

TEST_F(RecordBatches, NoDataIsANullValueAndEmptyDataIsNot) {
  Parse("[" + EventWith("") + "," + EventWith(R"(,"datacontenttype":"text/plain","data":"")") + "," + EventWith(R"(,"data_base64":"")") + "]");
  std::vector<PlainRecord> records;
  std::string bytes = Encode();
  ASSERT_TRUE(PlainReader(bytes).Read(records));
  EXPECT_FALSE(records[0].has_value);
  EXPECT_TRUE(records[1].has_value);
  EXPECT_TRUE(records[2].has_value);
  ASSERT_TRUE(Decode(bytes).ok());
  for (size_t row = 0; row < 3; row++) EXPECT_EQ(Describe(back_, row), Describe(batch_, row));
}

TEST_F(RecordBatches, HoldTheRowsAskedFor) {
  std::string body = "[";
  for (int i = 0; i < 10; i++) body += std::string(i > 0 ? "," : "") + R"({"specversion":"1.0","source":"/s","type":"t","id":")" + std::to_string(i) + R"(","time":"20)" + std::to_string(30 - i) + R"(-01-01T00:00:00Z","ext":)" + std::to_string(i) + "}";
  Parse(body + "]");
  rows_ = {1, 4, 9};
  std::string bytes = Encode(7);
  std::vector<PlainRecord> records;
  ASSERT_TRUE(PlainReader(bytes).Read(records));
  ASSERT_TRUE(Decode(bytes).ok());
  ASSERT_EQ(back_.rows(), 3u);
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(Describe(back_, i), Describe(batch_, rows_[i]));
    EXPECT_EQ(places_.offset_deltas[i], static_cast<int32_t>(i));
    EXPECT_EQ(places_.timestamps_ms[i], batch_.time_us(rows_[i]) / 1000);
  }
  EXPECT_EQ(places_.header.base_offset, 7);
  EXPECT_EQ(places_.header.max_timestamp_ms, batch_.time_us(1) / 1000);
}

TEST_F(RecordBatches, TimesBefore1970RoundDown) {
  Parse("[" + EventWith(R"(,"time":"1969-12-31T23:59:59.9995Z")") + "]");
  std::vector<PlainRecord> records;
  ASSERT_TRUE(PlainReader(Encode()).Read(records));
  EXPECT_EQ(records[0].timestamp, -1);
}

TEST_F(RecordBatches, BaseOffsetCanBeSetLater) {
  Parse("[" + EventWith("") + "]");
  std::string bytes = Encode(5);
  SetBaseOffset(bytes.data(), int64_t{1} << 40);
  ASSERT_TRUE(Decode(bytes).ok());
  EXPECT_EQ(places_.header.base_offset, int64_t{1} << 40);
}

std::string RandomText(std::mt19937_64& random, size_t length_max) {
  static const char* const kPieces[] = {"a", "Z", "0", " ", "\\\"", "\\u00e9", "\xc3\xa9", "\xf0\x9f\x98\x80", "\\ud83d\\ude00", "\\\\", "/", "long-piece-of-text-"};
  std::string out = "x";
  for (size_t n = random() % (length_max + 1); n > 0; n--) out += kPieces[random() % std::size(kPieces)];
  return out;
}

std::string RandomEvent(std::mt19937_64& random) {
  std::vector<std::string> members = {R"("specversion":"1.0")"};
  auto add = [&](const char* name) { members.push_back("\"" + std::string(name) + "\":\"" + RandomText(random, random() % 5 == 0 ? 200 : 8) + "\""); };
  for (const char* name : {"id", "source", "type"}) add(name);
  for (const char* name : {"subject", "dataschema", "traceparent", "tracestate", "partitionkey", "sequence", "correlationid", "causationid", "schemaversion", "ext", "another1"})
    if (random() % 3 == 0) add(name);
  if (random() % 2 == 0) members.push_back(R"("time":")" + base::FormatRfc3339({static_cast<int64_t>(random() % 4'000'000'000'000'000) - 1'000'000'000'000'000}) + "\"");
  bool text = random() % 3 == 0;
  if (text) members.push_back(R"("datacontenttype":"text/plain")");
  switch (random() % 4) {
    case 0: members.push_back("\"data\":\"" + RandomText(random, 100) + "\""); break;
    case 1: members.push_back("\"data\": {\"k\":[1,\"" + RandomText(random, 9) + "\", null]} "); break;
    case 2: members.push_back(random() % 2 == 0 ? R"("data_base64":"aGVsbG8=")" : R"("data_base64":"/wD/")"); break;
    default: break;
  }
  std::shuffle(members.begin(), members.end(), random);
  std::string out = "{";
  for (size_t i = 0; i < members.size(); i++) out += (i > 0 ? "," : "") + members[i];
  return out + "}";
}

std::string RandomEvents(std::mt19937_64& random, size_t count) {
  std::string out = "[";
  for (size_t i = 0; i < count; i++) out += (i > 0 ? "," : "") + RandomEvent(random);
  return out + "]";
}

// Goal: nothing of an event is lost or moved on its way into the log and back.
// Method: random events → JSON → EventBatch → RecordBatch → EventBatch → RecordBatch; rows and bytes are equal; a second reader agrees.
TEST_F(RecordBatches, RandomEventsComeBackEqual) {
  std::mt19937_64 random(20260115);
  for (int round = 0; round < 200; round++) {
    const size_t events = 1 + random() % 40;
    const std::string body = RandomEvents(random, events);
    Parse(body);
    std::string bytes = Encode(static_cast<int64_t>(random() >> 1));
    std::vector<PlainRecord> records;
    ASSERT_TRUE(PlainReader(bytes).Read(records));
    auto decoded = Decode(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    ASSERT_EQ(back_.rows(), events);
    for (size_t row = 0; row < events; row++) ASSERT_EQ(Describe(back_, row), Describe(batch_, row)) << body;
    std::string again(RecordBatchBound(back_, rows_) + 64, '\0');
    again.resize(static_cast<size_t>(EncodeRecordBatch(back_, rows_, {}, places_.header.base_offset, kAppendTimeUs, again.data()) - again.data()));
    ASSERT_EQ(again, bytes);
  }
}

// Goal: whoever reads a batch after its values moved to their records reads the same.
// Method: random events, encoded in two parts with moving and without.
TEST_F(RecordBatches, MovedValuesAreTheSame) {
  std::mt19937_64 random(20261122);
  for (int round = 0; round < 100; round++) {
    const size_t events = 2 + random() % 40;
    const std::string body = RandomEvents(random, events);
    Parse(body);
    std::vector<std::string> before;
    for (size_t row = 0; row < events; row++) before.push_back(Describe(batch_, row));
    std::vector<uint32_t> even, odd;
    for (uint32_t row : rows_) (row % 2 == 0 ? even : odd).push_back(row);
    std::string records(RecordBatchBound(batch_, even) + RecordBatchBound(batch_, odd) + 128, '\0'), expected = records;
    char* end = EncodeRecordBatch(batch_, even, {}, 0, kAppendTimeUs, expected.data());
    expected.resize(static_cast<size_t>(EncodeRecordBatch(batch_, odd, {}, 0, kAppendTimeUs, end) - expected.data()));
    size_t at = static_cast<size_t>(EncodeAndMove(batch_, even, {}, 0, kAppendTimeUs, records.data(), 0) - records.data());
    at = static_cast<size_t>(EncodeAndMove(batch_, odd, {}, 0, kAppendTimeUs, records.data(), at) - records.data());
    batch_.FinishMove({records.data(), at});
    body_.reset();
    ASSERT_EQ(records.substr(0, at), expected);
    for (size_t row = 0; row < events; row++) ASSERT_EQ(Describe(batch_, row), before[row]) << body;
  }
}

// Goal: a flipped bit anywhere that matters is found. Base offset and leader epoch are outside of the CRC, by Kafka's definition.
TEST_F(RecordBatches, EveryFlippedBitIsFound) {
  Parse("[" + EventWith(R"(,"data":{"a":1})") + "]");
  const std::string bytes = Encode();
  for (size_t at = kLengthAt; at < bytes.size(); at++) {
    if (at >= kLeaderEpochAt && at < kMagicAt) continue;
    for (int bit = 0; bit < 8; bit++) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      EXPECT_FALSE(Decode(bad).ok()) << at;
    }
  }
  for (size_t n = 0; n < bytes.size(); n++) EXPECT_FALSE(Decode(bytes.substr(0, n)).ok()) << n;
  EXPECT_FALSE(Decode(bytes + "x").ok());
}

void Seal(std::string& bytes) { base::PutBig<uint32_t>(bytes.data() + kCrcAt, base::Crc32c(std::string_view(bytes).substr(kAttributesAt))); }

// Goal: bytes with a right CRC and wrong content (a hostile client) are refused or decoded, never read past their end (sanitizer).
TEST_F(RecordBatches, WrongBytesUnderARightCrcAreSafe) {
  Parse("[" + EventWith(R"(,"data":{"a":1},"ext":"v")") + "," + EventWith("") + "]");
  const std::string bytes = Encode();
  std::mt19937_64 random(7);
  for (size_t at = kAttributesAt; at < bytes.size(); at++) {
    for (int value : {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff, static_cast<int>(random() & 255)}) {
      std::string bad = bytes;
      bad[at] = static_cast<char>(value);
      Seal(bad);
      EXPECT_TRUE(!Decode(bad).ok() || back_.rows() == 2);
    }
  }
}

TEST_F(RecordBatches, RefuseWhatTheyCannotHold) {
  Parse("[" + EventWith("") + "]");
  const std::string bytes = Encode();
  auto with = [&](size_t at, char value) {
    std::string changed = bytes;
    changed[at] = value;
    Seal(changed);
    auto result = Decode(changed);
    return result.ok() ? std::string("ok") : std::string(ErrorCodeName(result.error().code)) + ": " + result.error().message;
  };
  EXPECT_EQ(with(kAttributesAt + 1, 4), "invalid: compressed RecordBatches are not supported");
  EXPECT_EQ(with(kAttributesAt + 1, 0x20), "invalid: a control RecordBatch holds no events");
  EXPECT_EQ(with(kMagicAt, 1), "invalid: message format 1 is not known");
  EXPECT_EQ(with(kRecordCountAt + 3, 2), "corruption: a RecordBatch has lengths that do not fit");
  EXPECT_EQ(with(kLastOffsetDeltaAt, 0x40), "ok");  // offsets may have gaps
  EXPECT_EQ(with(bytes.find("ce_specversion"), 'x'), "invalid: record 0 is no CloudEvent: it has no ce_specversion");
  EXPECT_EQ(with(bytes.find("1.0"), '2'), "invalid: record 0 is no CloudEvent: specversion must be \"1.0\"");
  EXPECT_EQ(with(bytes.find("ce_source"), 'x'), "invalid: record 0 is no CloudEvent: it has no ce_source");
  EXPECT_EQ(with(bytes.find("/s"), '\xff'), "invalid: record 0 is no CloudEvent: an attribute is not UTF-8");
}

TEST_F(RecordBatches, ValuesThatAreNotUtf8BecomeBinary) {
  Parse("[" + EventWith(R"(,"datacontenttype":"text/plain","data":"word")") + "]");
  std::string bytes = Encode();
  bytes[bytes.find("word")] = '\xff';
  Seal(bytes);
  ASSERT_TRUE(Decode(bytes).ok());
  EXPECT_EQ(back_.Get(Attribute::kDataBinary, 0), "\xff" "ord");
  EXPECT_EQ(back_.Get(Attribute::kData, 0).data(), nullptr);
}

}  // namespace
}  // namespace sluice::event
