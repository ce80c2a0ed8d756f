// SPDX-License-Identifier: Apache-2.0
#include "event/cloudevents_http.h"

#include <gtest/gtest.h>

#include "event/test_bytes.h"

namespace sluice::event {
namespace {

class HttpEvents : public ::testing::Test {
 protected:
  DecodeOutcome Decode(std::string_view content_type, std::vector<HttpHeader> headers, std::string_view body) {
    body_ = std::make_unique<PaddedBytes>(body);
    return decoder_.Decode({content_type, headers, body_->view()}, batch_);
  }
  // Binary mode with the required attributes and `more`.
  DecodeOutcome Binary(std::string_view content_type, std::vector<HttpHeader> more, std::string_view body) {
    std::vector<HttpHeader> headers = {{"Host", "x"}, {"ce-specversion", "1.0"}, {"CE-Type", "com.example.someevent"}, {"ce-id", "1234"}, {"ce-source", "/mycontext"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return Decode(content_type, headers, body);
  }
  std::string_view Get(Attribute a) const { return batch_.Get(a, 0); }

  std::unique_ptr<PaddedBytes> body_;
  HttpEventDecoder decoder_;
  EventBatch batch_;
};

// The cases of cloudevents/conformance (features/http-protocol-binding).
TEST_F(HttpEvents, BinaryModeTakesAttributesFromHeaders) {
  for (std::string_view type : {"application/json", "application/json; charset=utf-8"}) {
    ASSERT_TRUE(Binary(type, {{"ce-time", "2018-04-05T03:56:24Z"}, {"ce-comexampleext", "5"}}, "{\n \"message\": \"Hello World!\"\n}\n").ok());
    EXPECT_EQ(Get(Attribute::kId), "1234");
    EXPECT_EQ(Get(Attribute::kType), "com.example.someevent");
    EXPECT_EQ(Get(Attribute::kSource), "/mycontext");
    EXPECT_EQ(Get(Attribute::kTime), "2018-04-05T03:56:24Z");
    EXPECT_EQ(Get(Attribute::kDataContentType), type);
    EXPECT_EQ(Get(Attribute::kData), "{\n \"message\": \"Hello World!\"\n}\n");
    ASSERT_EQ(batch_.extensions(0).size(), 1u);
    EXPECT_EQ(batch_.View(batch_.extensions(0)[0].name), "comexampleext");
  }
}

TEST_F(HttpEvents, ContentTypeChoosesTheModeBeforeHeaders) {
  const std::string event = EventWith("");
  for (std::string_view type : {"application/cloudevents+json", "application/cloudevents+json; charset=utf-8", "Application/CloudEvents+JSON ; x=y", "application/cloudevents"})
    EXPECT_TRUE(Binary(type, {}, event).ok()) << type;
  EXPECT_EQ(Get(Attribute::kId), "a");  // of the body, not of the header
  EXPECT_TRUE(Decode("application/cloudevents-batch+json", {}, "[" + event + "," + event + "]").ok());
  EXPECT_EQ(batch_.rows(), 2u);
  EXPECT_EQ(Decode("application/cloudevents-batch+json", {}, event).status, DecodeStatus::kMalformed);
  EXPECT_TRUE(Binary("application/x-ndjson", {}, event + "\n" + event).ok());
  EXPECT_EQ(batch_.rows(), 2u);
}

TEST_F(HttpEvents, OtherContentTypesAreToldTheFourModes) {
  for (std::string_view type : {"application/json", "text/plain", "", "application/cloudevents+avro", "application/cloudevents-batch+xml", "application/cloudeventsx", "application/x-ndjsonx"}) {
    auto outcome = Decode(type, {{"Host", "x"}}, EventWith(""));
    EXPECT_EQ(outcome.status, DecodeStatus::kUnsupportedType) << type;
    for (const char* mode : {"application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson", "ce-*"})
      EXPECT_NE(outcome.hint.find(mode), std::string::npos) << mode;
    EXPECT_EQ(batch_.rows(), 0u);
  }
  EXPECT_EQ(Binary("application/cloudevents+avro", {}, "x").status, DecodeStatus::kUnsupportedType);
}

TEST_F(HttpEvents, HeaderValuesAreUnquotedThenPercentDecodedOnce) {
  struct { std::string_view raw, value; } cases[] = {
      {"Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \xe2\x82\xac \xf0\x9f\x98\x80"}, {"%e2%82%ac", "\xe2\x82\xac"}, {"%41", "A"}, {"%2541", "%41"}, {"\"a \\\"b\\\\ c\"", "a \"b\\ c"},
      {"\"%20\"", " "}, {"  x\t", "x"}, {"a\"b", "a\"b"}, {"\xc3\xa9", "\xc3\xa9"}, {"100%25", "100%"},
  };
  for (const auto& c : cases) {
    auto outcome = Binary("", {{"ce-subject", c.raw}}, "");
    ASSERT_TRUE(outcome.ok()) << c.raw << outcome.message;
    EXPECT_EQ(Get(Attribute::kSubject), c.value);
  }
}

TEST_F(HttpEvents, HeaderValuesThatAreNotUtf8AreMalformed) {
  for (std::string_view raw : {"%C0%A0", "%ff", "%ED%A0%80", "\xff", "%", "%4", "%4g", "%zz", "100%"}) {
    auto outcome = Binary("", {{"ce-subject", raw}}, "");
    EXPECT_EQ(outcome.status, DecodeStatus::kMalformed) << raw;
    EXPECT_NE(outcome.message.find("ce-subject"), std::string::npos);
    EXPECT_EQ(batch_.rows(), 0u);
  }
}

TEST_F(HttpEvents, BinaryModeRefusesWhatIsNoCloudEvent) {
  struct { std::vector<HttpHeader> headers; std::string_view pointer; } cases[] = {
      {{{"ce-datacontenttype", "text/plain"}}, "/datacontenttype"}, {{{"ce-data", "x"}}, "/data"}, {{{"ce-data_base64", "x"}}, "/data_base64"}, {{{"ce-my-ext", "x"}}, "/my-ext"},
      {{{"ce-", "x"}}, "/"}, {{{"ce-id", "again"}}, "/id"}, {{{"ce-ext", "1"}, {"CE-Ext", "2"}}, "/ext"}, {{{"ce-subject", "a%00b"}}, "/subject"}, {{{"ce-subject", ""}}, "/subject"},
      {{{"ce-time", "yesterday"}}, "/time"}, {{{"ce-specversion", "1.0"}}, "/specversion"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Binary("", c.headers, "").status, DecodeStatus::kInvalidEvents) << c.pointer;
    ASSERT_EQ(batch_.rejected_count(), 1u);
    EXPECT_EQ(batch_.rejected()[0].pointer, c.pointer);
    EXPECT_EQ(batch_.rows(), 0u);
  }
  EXPECT_EQ(Decode("text/plain", {{"ce-id", "a"}}, "").status, DecodeStatus::kInvalidEvents);
  EXPECT_EQ(batch_.rejected()[0].pointer, "/specversion");
  EXPECT_EQ(Binary("nonsense", {}, "x").status, DecodeStatus::kInvalidEvents);
  EXPECT_EQ(batch_.rejected()[0].pointer, "/datacontenttype");
}

// Such an event was acknowledged, and then neither workers nor the next start could read the log.
TEST_F(HttpEvents, ContentTypeThatIsNotUtf8IsRefused) {
  for (std::string_view type : {"text/plain; a=\xbf", "text/plain; a=\xed\xa0\x80", "text/plain; a=\xc2\x80", "text/plain; a=\xef\xbf\xbf", "text/plain; a=\x7f"}) {
    EXPECT_EQ(Binary(type, {}, "x").status, DecodeStatus::kInvalidEvents);
    EXPECT_EQ(batch_.rejected()[0].pointer, "/datacontenttype");
    EXPECT_EQ(batch_.rows(), 0u);
  }
  EXPECT_TRUE(Binary("text/plain; a=\"\xc3\xa9\"", {}, "x").ok());
}

TEST_F(HttpEvents, BodyUnderAJsonContentTypeMustBeJson) {
  EXPECT_TRUE(Binary("application/json", {}, " 12 ").ok());
  EXPECT_EQ(Get(Attribute::kData), " 12 ");
  EXPECT_TRUE(Binary("application/vnd.x+json", {}, "\"text\"").ok());
  EXPECT_EQ(Binary("application/json", {}, "{\"a\":").status, DecodeStatus::kMalformed);
  EXPECT_EQ(Binary("application/json", {}, "{} {}").status, DecodeStatus::kMalformed);
  EXPECT_EQ(Binary("application/json", {}, "text").status, DecodeStatus::kMalformed);
}

TEST_F(HttpEvents, OtherBodiesAreTextOrBytes) {
  ASSERT_TRUE(Binary("text/plain", {}, "{\"not json").ok());
  EXPECT_EQ(Get(Attribute::kData), "{\"not json");
  ASSERT_TRUE(Binary("application/octet-stream", {}, "\xff\xfe").ok());
  EXPECT_EQ(Get(Attribute::kDataBinary), "\xff\xfe");
  EXPECT_EQ(Get(Attribute::kData).data(), nullptr);
  ASSERT_TRUE(Binary("", {}, "text").ok());
  EXPECT_EQ(Get(Attribute::kData), "text");
  EXPECT_EQ(Get(Attribute::kDataContentType).data(), nullptr);
  ASSERT_TRUE(Binary("application/json", {}, "").ok());
  EXPECT_EQ(Get(Attribute::kData).data(), nullptr);
}

TEST_F(HttpEvents, BinaryEventIsLimitedInSize) {
  std::string value(100, 'x');
  decoder_ = HttpEventDecoder({.event_bytes_max = 200});
  EXPECT_TRUE(Binary("text/plain", {{"ce-subject", value.substr(0, 20)}}, value.substr(0, 50)).ok());
  EXPECT_EQ(Binary("text/plain", {{"ce-subject", value.substr(0, 20)}}, value).status, DecodeStatus::kTooLarge);
  EXPECT_EQ(Binary("text/plain", {{"ce-subject", value}}, value.substr(0, 50)).status, DecodeStatus::kTooLarge);
  EXPECT_EQ(batch_.rows(), 0u);
}

}  // namespace
}  // namespace sluice::event
