// SPDX-License-Identifier: Apache-2.0
//
// The JSON decoder in its three forms and its check of `data`. What it says is compared with what a plain reader of RFC 8259 says, and
// the forms with each other.

#include <string>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "event/cloudevents_json.h"
#include "event/partitioner.h"
#include "event/same_rows.h"
#include "event/test_bytes.h"

namespace sluice::event {
namespace {

// JSON as the RFC has it, one character after the other. Only UTF-8 and whole surrogate pairs.
class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : p_(text.begin()), end_(text.end()) {}
  bool Accepts() {
    Spaces();
    if (!Value(1)) return false;
    Spaces();
    return p_ == end_;
  }
  int deepest() const { return deepest_; }

 private:
  int Peek() const { return p_ == end_ ? -1 : static_cast<unsigned char>(*p_); }
  bool Take(int c) { return Peek() == c ? (++p_, true) : false; }
  void Spaces() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++p_;
  }
  bool Word(std::string_view word) {
    for (char c : word) {
      if (!Take(c)) return false;
    }
    return true;
  }
  bool Digits() {
    if (Peek() < '0' || Peek() > '9') return false;
    while (Peek() >= '0' && Peek() <= '9') ++p_;
    return true;
  }
  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }
  bool Hex(unsigned& value) {
    value = 0;
    for (int i = 0; i < 4; i++, ++p_) {
      int c = Peek();
      int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return false;
      value = value * 16 + static_cast<unsigned>(digit);
    }
    return true;
  }
  bool Escape() {
    int c = Peek();
    if (c != 'u') return c > 0 && std::string_view("\"\\/bfnrt").find(static_cast<char>(c)) != std::string_view::npos ? (++p_, true) : false;
    ++p_;
    unsigned high = 0, low = 0;
    if (!Hex(high)) return false;
    if (high < 0xD800 || high > 0xDFFF) return true;
    return high < 0xDC00 && Take('\\') && Take('u') && Hex(low) && low >= 0xDC00 && low <= 0xDFFF;
  }
  bool Utf8() {
    unsigned c = static_cast<unsigned>(Peek());
    ++p_;
    if (c < 0x80) return true;
    int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4) return false;
    for (int i = 0; i < more; i++, ++p_) {
      int next = Peek();
      int from = i > 0 ? 0x80 : c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80, to = i > 0 ? 0xBF : c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
      if (next < from || next > to) return false;
    }
    return true;
  }
  bool String() {
    if (!Take('"')) return false;
    for (;;) {
      int c = Peek();
      if (c < 0x20) return false;  // the end, too
      if (Take('"')) return true;
      if (Take('\\') ? !Escape() : !Utf8()) return false;
    }
  }
  bool Container(char close, int depth) {
    deepest_ = std::max(deepest_, depth);
    if (depth > 500) return false;
    ++p_;
    Spaces();
    if (Take(close)) return true;
    for (;;) {
      Spaces();
      if (close == '}') {
        if (!String()) return false;
        Spaces();
        if (!Take(':')) return false;
        Spaces();
      }
      if (!Value(depth + 1)) return false;
      Spaces();
      if (Take(close)) return true;
      if (!Take(',')) return false;
    }
  }
  bool Value(int depth) {
    switch (Peek()) {
      case '{': return Container('}', depth);
      case '[': return Container(']', depth);
      case '"': return String();
      case 't': return Word("true");
      case 'f': return Word("false");
      case 'n': return Word("null");
      default: return Number();
    }
  }

  std::string_view::iterator p_, end_;
  int deepest_ = 0;
};

void CheckVerdict(std::string_view text, char padding) {
  JsonEventDecoder decoder;
  PaddedBytes padded(text, padding);
  PlainReader reader(text);
  bool accepts = reader.Accepts();
  if (reader.deepest() >= static_cast<int>(kJsonDepthMax)) return;
  CHECK(decoder.CheckJson(padded.view()).ok() == accepts, "both say whether it is JSON");
}

void CheckForms(std::string_view text, char padding) {
  JsonEventDecoder decoder;
  PaddedBytes one(text, padding), many("[" + std::string(text) + "]", padding);
  EventBatch structured, batch, lines;
  auto outcome = decoder.DecodeStructured(one.view(), structured);
  if (outcome.status != DecodeStatus::kOk && outcome.status != DecodeStatus::kInvalidEvents) return;
  CHECK(PlainReader(text).Accepts(), "an event is JSON");
  CheckRows(structured);
  auto same = [&](const DecodeOutcome& other, const EventBatch& rows) {
    CHECK(other.status == outcome.status, "the other form says the same");
    CHECK(rows.rows() == structured.rows() && rows.rejected_count() == structured.rejected_count(), "the other form has as many events");
    for (size_t row = 0; row < structured.rows(); row++) CheckSameRow(structured, row, rows, row);
  };
  same(decoder.DecodeBatch(many.view(), batch), batch);
  if (text.find('\n') == std::string_view::npos) same(decoder.DecodeNdjson(one.view(), lines), lines);
  static const auto keys = KeyExtractor::Make({"/data/a/0", "/type"});
  for (size_t row = 0; row < structured.rows(); row++) CHECK(!structured.View(keys->Extract(structured, row)).empty(), "every row has a key");
}

void CheckMany(std::string_view text, char padding, bool as_lines) {
  JsonEventDecoder decoder;
  PaddedBytes padded(text, padding);
  EventBatch batch;
  auto outcome = as_lines ? decoder.DecodeNdjson(padded.view(), batch) : decoder.DecodeBatch(padded.view(), batch);
  bool usable = outcome.status == DecodeStatus::kOk || outcome.status == DecodeStatus::kInvalidEvents;
  if (!usable) return;
  CheckRows(batch);
  if (!as_lines) CHECK(PlainReader(text).Accepts(), "a batch is JSON");
}

void Run(std::string_view input) {
  base::FormedInput formed(input, 16);  // four forms, four paddings
  static constexpr char kPaddings[] = {'"', '}', ' ', '\\'};
  char padding = kPaddings[formed.form / 4];
  switch (formed.form % 4) {
    case 0: return CheckVerdict(formed.text, padding);
    case 1: return CheckForms(formed.text, padding);
    default: return CheckMany(formed.text, padding, formed.form % 4 == 3);
  }
}

std::vector<std::string> Seeds() {
  std::string full = EventWith(R"(,"subject":"s\u00e9\ud83d\ude00","time":"2026-01-15T10:00:00.123456+02:00","datacontenttype":"application/json","dataschema":"urn:x",)"
                               R"("partitionkey":"p","n":-1,"b":true,"data":{"a":[1.5e-3,"\\\"x",null,false],"e":{}})");
  std::string binary = EventWith(R"(,"data_base64":"AAEC","datacontenttype":"application/octet-stream")"), text = EventWith(R"(,"datacontenttype":"text/plain","data":"a\nb")");
  std::string bad = EventWith(R"(,"time":"soon","Upper":1)");
  return {"0" + std::string(R"({"a":[1,-0.5e+7,"\u00e9\ud83d\ude00\n",true,false,null],"":{}})"), "0 -0.0 ", "0\"\xF0\x9F\x98\x80\"", "0[[[[]]]]", "1" + full, "1" + binary, "1" + text,
          "1" + bad, "2[" + full + "," + binary + "," + text + "," + bad + "]", "3" + full + "\n" + binary + "\r\n\n" + text + "\n" + bad, "2[]", "3"};
}

const base::FuzzRegistration kRegistration({"cloudevents_json", Run, Seeds});

}  // namespace
}  // namespace sluice::event
