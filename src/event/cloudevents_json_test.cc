// SPDX-License-Identifier: Apache-2.0
#include "event/cloudevents_json.h"

#include <gtest/gtest.h>

#include "event/test_bytes.h"

namespace sluice::event {
namespace {

constexpr std::string_view kPaddings = "\"}],[{:1 \\\n";  // what a recycled buffer may hold behind a body

class JsonEvents : public ::testing::Test {
 protected:
  DecodeOutcome Structured(std::string_view text) { return decoder_.DecodeStructured(Keep(text), batch_); }
  DecodeOutcome Batch(std::string_view text) { return decoder_.DecodeBatch(Keep(text), batch_); }
  DecodeOutcome Ndjson(std::string_view text) { return decoder_.DecodeNdjson(Keep(text), batch_); }
  std::string_view Keep(std::string_view text) {
    bytes_ = std::make_unique<PaddedBytes>(text);
    return bytes_->view();
  }
  std::string Pointer() const { return batch_.rejected().empty() ? "none" : batch_.rejected().front().pointer; }
  std::string Reason() const { return batch_.rejected().empty() ? "none" : batch_.rejected().front().reason; }
  // The subject and the extensions of the newest row.
  std::string Told() const {
    size_t row = batch_.rows() - 1;
    std::string told(batch_.Get(Attribute::kSubject, row));
    for (const Extension& e : batch_.extensions(row)) told += ";" + std::string(batch_.View(e.name)) + "=" + std::string(batch_.View(e.value));
    return told;
  }
  void UseLimits(const DecodeLimits& limits) { decoder_ = JsonEventDecoder(limits); }

  std::unique_ptr<PaddedBytes> bytes_;
  JsonEventDecoder decoder_;
  EventBatch batch_;
};

TEST_F(JsonEvents, EveryAttributeHasItsColumn) {
  auto outcome = Structured(R"( { "specversion" : "1.0", "id":"i", "source":"/s", "type":"t", "time":"2018-04-05T17:31:00.25Z", "subject":"su",
    "datacontenttype":"application/json", "dataschema":"https://x/y", "data": {"a" : [1, "x"]} , "traceparent":"tp", "tracestate":"ts",
    "partitionkey":"pk", "sequence":"0001", "correlationid":"co", "causationid":"ca", "schemaversion":"2", "ext1":"e", "flag":true, "n":-5 } )");
  ASSERT_TRUE(outcome.ok()) << outcome.message;
  ASSERT_EQ(batch_.rows(), 1u);
  auto get = [&](Attribute a) { return batch_.Get(a, 0); };
  EXPECT_EQ(get(Attribute::kId), "i");
  EXPECT_EQ(get(Attribute::kSource), "/s");
  EXPECT_EQ(get(Attribute::kType), "t");
  EXPECT_EQ(get(Attribute::kTime), "2018-04-05T17:31:00.25Z");
  EXPECT_EQ(batch_.time_us(0), 1522949460250000);
  EXPECT_EQ(get(Attribute::kSubject), "su");
  EXPECT_EQ(get(Attribute::kDataContentType), "application/json");
  EXPECT_EQ(get(Attribute::kDataSchema), "https://x/y");
  EXPECT_EQ(get(Attribute::kData), R"({"a" : [1, "x"]})");
  EXPECT_EQ(get(Attribute::kDataBinary).data(), nullptr);
  EXPECT_EQ(get(Attribute::kTraceParent), "tp");
  EXPECT_EQ(get(Attribute::kTraceState), "ts");
  EXPECT_EQ(get(Attribute::kPartitionKey), "pk");
  EXPECT_EQ(get(Attribute::kSequence), "0001");
  EXPECT_EQ(get(Attribute::kCorrelationId), "co");
  EXPECT_EQ(get(Attribute::kCausationId), "ca");
  EXPECT_EQ(get(Attribute::kSchemaVersion), "2");
  std::string extensions;
  for (const Extension& e : batch_.extensions(0)) extensions += std::string(batch_.View(e.name)) + "=" + std::string(batch_.View(e.value)) + ";";
  EXPECT_EQ(extensions, "ext1=e;flag=true;n=-5;");
}

TEST_F(JsonEvents, NullIsAbsentButForData) {
  ASSERT_TRUE(Structured(EventWith(R"(,"subject":null,"time":null,"ext":null,"data_base64":null,"data":null)")).ok());
  EXPECT_EQ(batch_.Get(Attribute::kSubject, 0).data(), nullptr);
  EXPECT_EQ(batch_.time_us(0), EventBatch::kNoTime);
  EXPECT_TRUE(batch_.extensions(0).empty());
  EXPECT_EQ(batch_.Get(Attribute::kData, 0), "null");
}

// The cases of cloudevents/conformance (format/json) and more of their kind, each with the pointer that names what is wrong.
TEST_F(JsonEvents, RefusesWhatIsNoCloudEvent) {
  const std::string ok = R"("specversion":"1.0","id":"a","source":"/s","type":"t")";
  struct { std::string event, pointer; } cases[] = {
      {R"({"id":"a","source":"/s","type":"t"})", "/specversion"},
      {R"({"specversion":"1.0","source":"/s","type":"t"})", "/id"},
      {R"({"specversion":"1.0","id":"a","source":"/s"})", "/type"},
      {R"({"specversion":"1.0","id":"a","type":"t"})", "/source"},
      {R"({})", "/specversion"},
      {R"({"specversion":"1.0","id":"","source":"/s","type":"t"})", "/id"},
      {R"({"specversion":"1.0","id":"a","source":"","type":"t"})", "/source"},
      {R"({"specversion":"1.0","id":"a","source":"/s","type":""})", "/type"},
      {R"({"specversion":"","id":"a","source":"/s","type":"t"})", "/specversion"},
      {R"({"specversion":"0.9","id":"a","source":"/s","type":"t"})", "/specversion"},
      {R"({"specversion":1.0,"id":"a","source":"/s","type":"t"})", "/specversion"},
      {R"({"specversion":"1.0","id":null,"source":"/s","type":"t"})", "/id"},
      {R"({"specversion":"1.0","id":25,"source":"/s","type":"t"})", "/id"},
      {R"({"specversion":"1.0","id":{"x":"y"},"source":"/s","type":"t"})", "/id"},
      {EventWith(R"(,"time":"lunchtime")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31Z")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31:00X")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31:00")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31:00+25:00")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31:00+xx:00")"), "/time"},
      {EventWith(R"(,"time":"2018-04-05T18:31:00+05")"), "/time"},
      {EventWith(R"(,"time":"2026-02-29T00:00:00Z")"), "/time"},
      {EventWith(R"(,"time":"")"), "/time"},
      {EventWith(R"(,"datacontenttype":"xyz")"), "/datacontenttype"},
      {EventWith(R"(,"datacontenttype":"")"), "/datacontenttype"},
      {EventWith(R"(,"dataschema":"")"), "/dataschema"},
      {EventWith(R"(,"subject":"")"), "/subject"},
      {EventWith(R"(,"subject":true)"), "/subject"},
      {EventWith(R"(,"MyExtension":"bad")"), "/MyExtension"},
      {EventWith(R"(,"my.extension":"bad")"), "/my.extension"},
      {EventWith(R"(,"my_ext":"bad")"), "/my_ext"},
      {EventWith(R"(,"a/b~c":"bad")"), "/a~1b~0c"},
      {EventWith(R"(,"":"bad")"), "/"},
      {EventWith(R"(,"ext":1.5)"), "/ext"},
      {EventWith(R"(,"ext":1e2)"), "/ext"},
      {EventWith(R"(,"ext":2147483648)"), "/ext"},
      {EventWith(R"(,"ext":-2147483649)"), "/ext"},
      {EventWith(R"(,"ext":[1])"), "/ext"},
      {EventWith(R"(,"sequence":{"a":1})"), "/sequence"},
      {EventWith(R"(,"data":"text","data_base64":"TWE=")"), "/data_base64"},
      {EventWith(R"(,"data_base64":"TWE")"), "/data_base64"},
      {EventWith(R"(,"data_base64":"T*E=")"), "/data_base64"},
      {EventWith(R"(,"data_base64":"T===")"), "/data_base64"},
      {EventWith(R"(,"data_base64":"TW==TWE=")"), "/data_base64"},
      {EventWith(R"(,"data_base64":5)"), "/data_base64"},
      {EventWith(R"(,"id":"b")"), "/id"},
      {EventWith(R"(,"specversion":"1.0")"), "/specversion"},
      {EventWith(R"(,"data":1,"data":2)"), "/data"},
      {EventWith(R"(,"ext":1,"ext":2)"), "/ext"},
      {EventWith(R"(,"ext":null,"ext":2)"), "/ext"},
      {EventWith(R"(,"\u0069d":"b")"), "/id"},
      {EventWith(R"(,"subject":"a\u0000b")"), "/subject"},
      {EventWith(R"(,"subject":"a\nb")"), "/subject"},
      {EventWith(",\"subject\":\"a\x7f\""), "/subject"},
      {EventWith(",\"ext\":\"\xc2\x85\""), "/ext"},
      {EventWith(",\"subject\":\"\xef\xbf\xbf\""), "/subject"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Structured(c.event).status, DecodeStatus::kInvalidEvents) << c.event;
    EXPECT_EQ(Pointer(), c.pointer) << c.event << " " << Reason();
    EXPECT_GT(Reason().size(), 10u);
    EXPECT_EQ(batch_.rows(), 0u);
    // The same verdict in the middle of a batch, with its index.
    EXPECT_EQ(Batch("[" + EventWith("") + "," + c.event + "," + EventWith("") + "]").status, DecodeStatus::kInvalidEvents);
    ASSERT_EQ(batch_.rejected_count(), 1u) << c.event;
    EXPECT_EQ(batch_.rejected()[0].index, 1u);
    EXPECT_EQ(batch_.rows(), 2u);
    EXPECT_EQ(batch_.index(1), 2u);
  }
}

TEST_F(JsonEvents, TakesWhatIsACloudEvent) {
  std::string cases[] = {
      EventWith(""), EventWith(R"(,"time":"2018-04-05T17:31:00.000000000Z")"), EventWith(R"(,"time":"2018-04-05T16:31:00-01:00")"),
      EventWith(R"(,"datacontenttype":"text/plain","data":"Simple text")"), EventWith(R"(,"exttimestamp":"2023-03-31T15:12:00Z","extbinary":"TWE=","x":"")"),
      EventWith(R"(,"ext":2147483647,"ext2":-2147483648)"), EventWith(",\"subject\":\"\xf0\x9f\x98\x80 \xc3\xa9\""),
      EventWith(R"(,"averyveryverylongextensionname":"x")"), EventWith(R"(,"data_base64":"")"), EventWith(R"(,"datacontenttype":"Application/Vnd.x+JSON ; charset=utf-8","data":{})"),
  };
  for (const auto& c : cases) EXPECT_TRUE(Structured(c).ok()) << c << " " << Reason();
}

TEST_F(JsonEvents, AttributeTextIsUnescaped) {
  ASSERT_TRUE(Structured(EventWith(R"(,"subject":"\"\\\/ \u00e9\uD83D\uDE00","e\u0078t":"v")")).ok());
  EXPECT_EQ(batch_.Get(Attribute::kSubject, 0), "\"\\/ \xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(batch_.View(batch_.extensions(0)[0].name), "ext");
}

TEST_F(JsonEvents, DataUnderAnotherContentTypeIsUnquoted) {
  struct { std::string more, data; } cases[] = {
      {R"(,"datacontenttype":"application/xml","data":"<much wow=\"xml\"/>")", "<much wow=\"xml\"/>"},
      {R"(,"data":"text","datacontenttype":"text/plain")", "text"},
      {R"(,"data":"","datacontenttype":"text/plain")", ""},
      {R"(,"data":"a\nb")", R"("a\nb")"},
      {R"(,"datacontenttype":"application/geo+json","data":"text")", R"("text")"},
      {R"(,"datacontenttype":"text/json; x=y","data" : "text" )", R"("text")"},
      {R"(,"datacontenttype":"text/plain","data":{"a":1})", R"({"a":1})"},
  };
  for (const auto& c : cases) {
    ASSERT_TRUE(Structured(EventWith(c.more)).ok()) << c.more;
    EXPECT_EQ(batch_.Get(Attribute::kData, 0), c.data) << c.more;
    EXPECT_NE(batch_.Get(Attribute::kData, 0).data(), nullptr);
  }
}

TEST_F(JsonEvents, Base64BecomesBytesWhateverTheContentType) {
  ASSERT_TRUE(Structured(EventWith(R"(,"datacontenttype":"text/plain","data_base64":"\/\/8AaGk=")")).ok());
  EXPECT_EQ(batch_.Get(Attribute::kDataBinary, 0), std::string_view("\xff\xff\0hi", 5));
  EXPECT_EQ(batch_.Get(Attribute::kData, 0).data(), nullptr);
}

// Goal: nothing that is not JSON passes, whatever byte stands behind the body.
TEST_F(JsonEvents, RefusesWhatIsNotJson) {
  const std::string values[] = {"tru", "truex", "True", "nul", "01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1", "1a", "12\"a\"", "NaN", "Infinity", "'a'", "\"\\q\"", "\"\\u12g4\"",
                                "\"\\uD800\"", "\"\\uD800\\u0041\"", "\"\\uDC00\"", "\"\\ud83d\"", "[1,]", "[,1]", "[1 2]", "[1", "1]", "{\"a\"}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",
                                "{\"a\":1]", "[1}", "{\"a\\q\":1}", "", "\"a\nb\"", "\"a\x01\"", "\"\xff\"", "\"\xc0\xa0\"", "\"\xed\xa0\x80\"", "/**/1", std::string("\0", 1), std::string("1\0", 2), "\xef\xbb\xbf" "1", "\"a\" \"b\"", "\"a\"1"};
  for (char padding : kPaddings) {
    for (const auto& value : values) {
      PaddedBytes body(EventWith(",\"data\":" + value), padding);
      EXPECT_EQ(decoder_.DecodeStructured(body.view(), batch_).status, DecodeStatus::kMalformed) << value << " before " << padding;
      PaddedBytes array("[" + EventWith(",\"data\":" + value) + "]", padding);
      EXPECT_EQ(decoder_.DecodeBatch(array.view(), batch_).status, DecodeStatus::kMalformed) << value << " before " << padding;
      PaddedBytes alone(value, padding);
      EXPECT_EQ(decoder_.CheckJson(alone.view()).status, DecodeStatus::kMalformed) << value << " before " << padding;
    }
  }
}

TEST_F(JsonEvents, TakesEveryFormOfJsonValue) {
  const std::string values[] = {"true", "false", "null", "0", "-0", "-1.5e+10", "1E5", "123456789012345678901234567890", "0.1", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD834\\udd1e\"", "[]", "{}", "[[],{}]",
                                "{\"\":{\"a\":[1,2,{\"b\":null}]}}", " [ 1 , 2 ] ", "\"\x7f\"", "{\"a\":1,\"a\":2}", "\"a\\\\\""};
  for (char padding : kPaddings) {
    for (const auto& value : values) {
      PaddedBytes body(EventWith(",\"data\":" + value), padding);
      auto outcome = decoder_.DecodeStructured(body.view(), batch_);
      ASSERT_TRUE(outcome.ok()) << value << " " << outcome.message;
      std::string_view trimmed = value;
      while (trimmed.front() == ' ') trimmed.remove_prefix(1);
      while (trimmed.back() == ' ') trimmed.remove_suffix(1);
      EXPECT_EQ(batch_.Get(Attribute::kData, 0), trimmed);
      PaddedBytes alone(value, padding);
      EXPECT_TRUE(decoder_.CheckJson(alone.view()).ok()) << value;
    }
  }
}

// Goal: a number is judged the same whatever its length, also where it is longer than what is looked at in one go.
TEST_F(JsonEvents, NumbersMayHaveAnyLength) {
  for (char padding : kPaddings) {
    for (size_t whole = 1; whole < 70; whole++) {
      for (size_t decimals : {size_t{1}, size_t{2}, 31 - std::min<size_t>(whole, 30), size_t{31}, size_t{32}, size_t{65}}) {
        const std::string digits(whole, '7'), number = digits + "." + std::string(decimals, '0');
        auto verdict = [&](const std::string& text) {
          PaddedBytes alone(text, padding), inside("[" + text + " ,0]", padding);
          bool ok = decoder_.CheckJson(alone.view()).ok();
          EXPECT_EQ(decoder_.CheckJson(inside.view()).ok(), ok) << text;
          return ok;
        };
        EXPECT_TRUE(verdict(digits) && verdict("-" + digits) && verdict(number) && verdict("-" + number) && verdict(number + "e-07") && verdict(digits + "E" + digits)) << number;
        EXPECT_FALSE(verdict("0" + digits) || verdict("-0" + digits) || verdict(digits + ".") || verdict("." + digits) || verdict("+" + digits) || verdict(number + ".0")) << number;
        EXPECT_FALSE(verdict(number + "e") || verdict(number + "e+") || verdict(number + "x") || verdict(digits + "-") || verdict(digits + ".e1") || verdict(number + std::string(1, '\0'))) << number;
      }
    }
  }
}

// Goal: bodies cut or closed at any place never pass and never read too far (run with a sanitizer).
TEST_F(JsonEvents, EveryCutBodyIsRefused) {
  const std::string whole = "[" + EventWith(R"(,"ext":"\u00e9","data":{"a":[1,{"b":"c\\"}],"d":true})") + "]";
  size_t whole_events = 0;
  for (size_t n = 0; n < whole.size(); n++) {
    for (char padding : kPaddings) {
      PaddedBytes cut(whole.substr(0, n), padding);
      EXPECT_FALSE(decoder_.DecodeBatch(cut.view(), batch_).ok()) << n;
      PaddedBytes closed(whole.substr(0, n) + "]", padding);
      bool complete = n + 1 == whole.size() || n == 1;
      EXPECT_EQ(decoder_.DecodeBatch(closed.view(), batch_).ok(), complete) << n;
      PaddedBytes braced(whole.substr(1, n) + "}", padding);
      whole_events += decoder_.DecodeStructured(braced.view(), batch_).ok();
    }
  }
  EXPECT_EQ(whole_events, 3 * kPaddings.size());  // with the required attributes, with the extension, with the data
}

TEST_F(JsonEvents, MalformedBodyNamesTheByte) {
  auto outcome = Batch("[" + EventWith(R"(,"data":tru)") + "]");
  EXPECT_EQ(outcome.message, "malformed JSON at byte 63: expected a value");
  EXPECT_EQ(Structured("{\"id\":\"\xff\"}").message, "malformed JSON at byte 7: not UTF-8");
  EXPECT_EQ(Structured("  ").message, "malformed JSON at byte 0: nothing but spaces");
  EXPECT_EQ(Structured("{\"id\":\"a").message, "malformed JSON at byte 6: a string does not end");
  EXPECT_EQ(Structured("{\"id\":\"a\tb\"}").message, "malformed JSON at byte 8: a control character in a string must be escaped");
  EXPECT_EQ(Structured(EventWith("") + EventWith("")).message, "malformed JSON at byte 55: something follows the event");
  EXPECT_EQ(Batch("[] []").message, "malformed JSON at byte 1: expected a value");
}

TEST_F(JsonEvents, BatchMayBeEmpty) {
  EXPECT_TRUE(Batch(" [ ] ").ok());
  EXPECT_EQ(batch_.rows(), 0u);
  EXPECT_EQ(Batch("").status, DecodeStatus::kMalformed);
  EXPECT_EQ(Batch(EventWith("")).status, DecodeStatus::kMalformed);
  EXPECT_EQ(Structured("[" + EventWith("") + "]").status, DecodeStatus::kMalformed);
}

TEST_F(JsonEvents, BatchRefusesElementsThatAreNoObjects) {
  EXPECT_EQ(Batch(R"(["not an object",)" + EventWith("") + ",[1],5]").status, DecodeStatus::kInvalidEvents);
  ASSERT_EQ(batch_.rejected_count(), 3u);
  EXPECT_EQ(batch_.rejected()[2].index, 3u);
  EXPECT_EQ(batch_.rejected()[0].reason, "an event must be a JSON object");
  EXPECT_EQ(batch_.rows(), 1u);
}

TEST_F(JsonEvents, ListsOnlyTheFirstRejectedEventsButCountsAll) {
  std::string body = "[1";
  for (size_t i = 1; i < EventBatch::kRejectedListed + 5; i++) body += ",1";
  EXPECT_EQ(Batch(body + "]").message, "105 of 105 events are not valid");
  EXPECT_EQ(batch_.rejected().size(), EventBatch::kRejectedListed);
  EXPECT_EQ(batch_.rejected_count(), EventBatch::kRejectedListed + 5);
}

TEST_F(JsonEvents, ColumnsStartedLateAreAbsentInEarlierRows) {
  std::string body = "[" + EventWith("");
  for (int i = 0; i < 600; i++) body += "," + EventWith(i == 500 ? R"(,"subject":"late")" : "");
  ASSERT_TRUE(Batch(body + "]").ok());
  ASSERT_EQ(batch_.rows(), 601u);
  for (size_t row = 0; row < 601; row++) EXPECT_EQ(batch_.Get(Attribute::kSubject, row).data() != nullptr, row == 501) << row;
}

TEST_F(JsonEvents, OrderOfMembersMayChange) {
  std::string body = "[" + EventWith("");
  body += R"(,{"type":"t2","id":"i2","datacontenttype":"text/plain","specversion":"1.0","source":"/s2"})";
  body += R"(,{"typ":"x","id":"i3","type":"t3","source":"/s3","specversion":"1.0"},)" + EventWith("") + "]";
  ASSERT_TRUE(Batch(body).ok()) << Reason();
  EXPECT_EQ(batch_.Get(Attribute::kType, 1), "t2");
  EXPECT_EQ(batch_.Get(Attribute::kId, 2), "i3");
  EXPECT_EQ(batch_.Get(Attribute::kSource, 3), "/s");
}

// Goal: what is known of a member from the event before is never taken for what stands there.
TEST_F(JsonEvents, MembersAreNotTakenForThoseOfTheEventBefore) {
  const std::string members[] = {R"("ext":"a")", R"("ext" :"b")", R"("ext":null)", R"("exu":"c")", R"("ex":"d")", R"("ext2":true)", R"("subject":"e")", R"("subject"  : "f")", R"("e\u0078t":"g")",
                                 R"("averyveryverylongextensionnamex":"h")", R"("averyveryverylongextensionnamey":7)", R"("ext":"b\u0061")", "\"ext\":\"\xc3\xa9\""};
  for (const auto& before : members) {
    for (const auto& member : members) {
      ASSERT_TRUE(Structured(EventWith("," + member)).ok()) << member << Reason();
      std::string alone = Told();
      ASSERT_TRUE(Batch("[" + EventWith("," + before) + "," + EventWith("," + member) + "]").ok()) << before << member << Reason();
      EXPECT_EQ(Told(), alone) << member << " behind " << before;
    }
  }
  EXPECT_EQ(Batch("[" + EventWith(R"(,"ext":"a")") + "," + EventWith(R"(,"ext":"a","ext":"a")") + "]").status, DecodeStatus::kInvalidEvents);
  EXPECT_EQ(Batch("[" + EventWith(R"(,"Ext":"a")") + "," + EventWith(R"(,"Ext":"a")") + "]").message, "2 of 2 events are not valid");
}

TEST_F(JsonEvents, NdjsonTakesOneEventPerLine) {
  ASSERT_TRUE(Ndjson("\n" + EventWith("") + "\r\n \t\n" + EventWith(",\"subject\":\"b\"") + "\n\n").ok());
  ASSERT_EQ(batch_.rows(), 2u);
  EXPECT_EQ(batch_.index(1), 1u);
  EXPECT_TRUE(Ndjson(EventWith("")).ok());
  EXPECT_EQ(batch_.rows(), 1u);
  EXPECT_TRUE(Ndjson("").ok());
  EXPECT_TRUE(Ndjson(" \n\n").ok());
  EXPECT_EQ(batch_.rows(), 0u);
}

// Goal: a bad line takes no other line with it, whichever way it is bad.
TEST_F(JsonEvents, NdjsonBadLineIsOneRejectedEvent) {
  const std::string good = EventWith(",\"data\":{\"a\":\"b\"}");
  const std::string bad[] = {"x", "5", "{", "}", "[", "\"", "{\"a\":", "{\"a\":\"", good + good, good + ",", good.substr(0, 20), "[" + good + "]", "\xff", "{\"id\":\"\\q\"}", "{\"id\":\"a\x01\"}", "\\", "{\"specversion\":\"1.0\",", "]]]]"};
  for (const auto& line : bad) {
    for (size_t place = 0; place < 3; place++) {
      std::string body;
      for (size_t i = 0; i < 3; i++) body += (i == place ? line : good) + "\n";
      EXPECT_EQ(Ndjson(body).status, DecodeStatus::kInvalidEvents) << line;
      ASSERT_EQ(batch_.rejected_count(), 1u) << line << " at " << place;
      EXPECT_EQ(batch_.rejected()[0].index, place) << line;
      EXPECT_EQ(batch_.rows(), 2u) << line;
      for (size_t row = 0; row < 2; row++) EXPECT_EQ(batch_.Get(Attribute::kData, row), "{\"a\":\"b\"}");
    }
  }
}

TEST_F(JsonEvents, EventSplitOverLinesIsNoLine) {
  std::string event = EventWith("");
  event.insert(1, "\n");
  EXPECT_EQ(Ndjson(event + "\n" + EventWith("")).status, DecodeStatus::kInvalidEvents);
  EXPECT_EQ(batch_.rejected_count(), 2u);
  EXPECT_EQ(batch_.rows(), 1u);
}

TEST_F(JsonEvents, NumberOfEventsIsLimited) {
  UseLimits({.events_max = 3});
  auto body = [](size_t n, const char* between) {
    std::string all;
    for (size_t i = 0; i < n; i++) all += (i > 0 ? between : "") + EventWith("");
    return all;
  };
  EXPECT_TRUE(Batch("[" + body(3, ",") + "]").ok());
  EXPECT_EQ(Batch("[" + body(4, ",") + "]").status, DecodeStatus::kTooLarge);
  EXPECT_TRUE(Ndjson(body(3, "\n") + "\n\n").ok());
  EXPECT_EQ(Ndjson(body(4, "\n")).status, DecodeStatus::kTooLarge);
  EXPECT_EQ(Ndjson(body(3, "\n") + "\n\"").status, DecodeStatus::kTooLarge);
}

TEST_F(JsonEvents, SizeOfEventsAndBodiesIsLimited) {
  const std::string event = EventWith("");
  UseLimits({.event_bytes_max = event.size()});
  EXPECT_TRUE(Structured(event).ok());
  EXPECT_EQ(Structured(EventWith(",\"a\":1")).status, DecodeStatus::kTooLarge);
  EXPECT_EQ(Batch("[" + event + "," + EventWith(",\"a\":1") + "]").status, DecodeStatus::kInvalidEvents);
  EXPECT_EQ(batch_.rejected()[0].index, 1u);
  UseLimits({.body_bytes_max = event.size()});
  EXPECT_TRUE(Structured(event).ok());
  EXPECT_EQ(Structured(event + " ").status, DecodeStatus::kTooLarge);
}

TEST_F(JsonEvents, DepthIsLimited) {
  auto nested = [](size_t levels) { return EventWith(",\"data\":" + std::string(levels, '[') + std::string(levels, ']')); };
  EXPECT_TRUE(Structured(nested(kJsonDepthMax - 1)).ok());
  EXPECT_EQ(Structured(nested(kJsonDepthMax)).message, "malformed JSON at byte 125: nested too deep");
  EXPECT_EQ(Structured(EventWith(",\"data\":" + std::string(100'000, '['))).status, DecodeStatus::kMalformed);
  UseLimits({.json_depth_max = 2});
  EXPECT_TRUE(Structured(nested(1)).ok());
  EXPECT_EQ(Structured(nested(2)).status, DecodeStatus::kMalformed);
}

TEST_F(JsonEvents, NamesOfAnObjectAreLimited) {
  UseLimits({.json_keys_max = 3});
  EXPECT_TRUE(Structured(EventWith(R"(,"data":[{"a":1,"b":{"x":1,"y":2,"z":3},"c":3},{"a":1}])")).ok());
  EXPECT_EQ(Structured(EventWith(R"(,"data":[{"a":1,"b":2,"c":3,"d":4}])")).status, DecodeStatus::kMalformed);
}

TEST_F(JsonEvents, ExtensionsOfAnEventAreLimited) {
  UseLimits({.extensions_max = 2});
  EXPECT_TRUE(Structured(EventWith(R"(,"a":1,"b":2,"sequence":"3")")).ok());
  EXPECT_EQ(Structured(EventWith(R"(,"a":1,"b":2,"c":3)")).status, DecodeStatus::kInvalidEvents);
}

TEST(DecodeLimits, WithinWhatTheFormatsHold) {
  EXPECT_TRUE(DecodeLimits{}.Validate().ok());
  EXPECT_FALSE(DecodeLimits{.json_depth_max = 65}.Validate().ok());
  EXPECT_FALSE(DecodeLimits{.events_max = 0}.Validate().ok());
  EXPECT_FALSE(DecodeLimits{.body_bytes_max = size_t{1} << 31}.Validate().ok());
}

}  // namespace
}  // namespace sluice::event
