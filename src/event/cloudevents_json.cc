// SPDX-License-Identifier: Apache-2.0
#include "event/cloudevents_json.h"

#include <cstring>
#include <string>

#include "base/check.h"
#include "event/internal/event_walker.h"

namespace sluice::event {
namespace {

using internal::ClassifyBytes;
using internal::EventWalker;
using internal::JsonCursor;
using internal::StructuralIndex;

DecodeOutcome Malformed(size_t position, std::string_view why) {
  return {DecodeStatus::kMalformed, "malformed JSON at byte " + std::to_string(position) + ": " + std::string(why), {}};
}
DecodeOutcome Malformed(const JsonCursor& cursor) { return Malformed(cursor.error_position, cursor.error); }
DecodeOutcome MalformedText(std::string_view text) {
  auto [position, reason] = internal::FindTextError(text);
  return Malformed(position, reason);
}

DecodeOutcome TooManyEvents(const DecodeLimits& limits) {
  return {DecodeStatus::kTooLarge, "the request holds more than " + std::to_string(limits.events_max) + " events", "split it"};
}

// kOk, or kInvalidEvents when the batch has rejected some.
DecodeOutcome Judge(const EventBatch& batch) {
  if (batch.rejected_count() == 0) return {};
  size_t events = batch.rejected_count() + batch.rows();
  return {DecodeStatus::kInvalidEvents, std::to_string(batch.rejected_count()) + " of " + std::to_string(events) + (events == 1 ? " event is" : " events are") + " not valid",
          "see each event's pointer and reason"};
}

// Whether the text is one container at the outside, as the walkers require.
bool IsEnclosed(std::string_view text, const StructuralIndex& index, char open, char close) {
  return text[*index.begin()] == open && text[index.end()[-1]] == close;
}

}  // namespace

struct JsonEventDecoder::State {
  explicit State(const DecodeLimits& l) : limits(l), walker(l) {}

  DecodeOutcome Begin(std::string_view body, EventBatch& batch) const;
  DecodeOutcome Lines(std::string_view body, EventBatch& batch);
  DecodeOutcome LinesOneByOne(std::string_view body, EventBatch& batch);
  void Line(std::string_view line, uint32_t index, EventBatch& batch);

  DecodeLimits limits;
  StructuralIndex index;
  EventWalker walker;
};

JsonEventDecoder::JsonEventDecoder(DecodeLimits limits) : state_(std::make_unique<State>(limits)) {
  CHECK(limits.Validate().ok(), "limits are validated where they are read");
}
JsonEventDecoder::~JsonEventDecoder() = default;
JsonEventDecoder::JsonEventDecoder(JsonEventDecoder&&) noexcept = default;
JsonEventDecoder& JsonEventDecoder::operator=(JsonEventDecoder&&) noexcept = default;

const DecodeLimits& JsonEventDecoder::limits() const { return state_->limits; }

DecodeOutcome JsonEventDecoder::State::Begin(std::string_view body, EventBatch& batch) const {
  if (body.size() > limits.body_bytes_max) {
    batch.Reset({});
    return {DecodeStatus::kTooLarge, "the body has " + std::to_string(body.size()) + " bytes, more than " + std::to_string(limits.body_bytes_max), "split it"};
  }
  batch.Reset(body);
  return {};
}

DecodeOutcome JsonEventDecoder::DecodeStructured(std::string_view body, EventBatch& batch) {
  State& s = *state_;
  if (auto refused = s.Begin(body, batch); !refused.ok()) return refused;
  if (!s.index.Build(body)) return MalformedText(body);
  if (!IsEnclosed(body, s.index, '{', '}')) return Malformed(*s.index.begin(), "expected one JSON object");
  s.walker.Start(body, s.index, ClassifyBytes(body), batch);
  JsonCursor& cursor = s.walker.cursor();
  if (!s.walker.Parse()) return Malformed(cursor);
  if (cursor.at != cursor.end) return Malformed(*cursor.at, "something follows the event");
  if (body.size() > s.limits.event_bytes_max)
    return {DecodeStatus::kTooLarge, "the event has " + std::to_string(body.size()) + " bytes, more than " + std::to_string(s.limits.event_bytes_max), {}};
  s.walker.Commit(0);
  return Judge(batch);
}

DecodeOutcome JsonEventDecoder::DecodeBatch(std::string_view body, EventBatch& batch) {
  State& s = *state_;
  if (auto refused = s.Begin(body, batch); !refused.ok()) return refused;
  if (!s.index.Build(body)) return MalformedText(body);
  if (!IsEnclosed(body, s.index, '[', ']')) return Malformed(*s.index.begin(), "expected a JSON array of events");
  s.walker.Start(body, s.index, ClassifyBytes(body), batch);
  JsonCursor& cursor = s.walker.cursor();
  cursor.at++;
  bool more = cursor.here() != ']' || cursor.at + 1 != cursor.end;
  for (uint32_t number = 0; more; number++) {
    if (number == s.limits.events_max) return TooManyEvents(s.limits);
    if (!s.walker.Parse()) return Malformed(cursor);
    s.walker.Commit(number);
    char next = cursor.here();
    if (next == ']' && cursor.at + 1 == cursor.end) break;
    if (next != ',') return Malformed(*cursor.at, next == ']' ? "something follows the array" : "expected a comma or a closing bracket");
    cursor.at++;
  }
  return Judge(batch);
}

DecodeOutcome JsonEventDecoder::DecodeNdjson(std::string_view body, EventBatch& batch) {
  State& s = *state_;
  if (auto refused = s.Begin(body, batch); !refused.ok()) return refused;
  // One index for all lines, if that can be: a string that does not end on its line would hold the newline and make Build fail.
  bool whole = s.index.Build(body) && body[s.index.end()[-1]] == '}';
  auto outcome = whole ? s.Lines(body, batch) : s.LinesOneByOne(body, batch);
  return outcome.ok() ? Judge(batch) : outcome;
}

DecodeOutcome JsonEventDecoder::State::Lines(std::string_view body, EventBatch& batch) {
  walker.Start(body, index, ClassifyBytes(body), batch);
  JsonCursor& cursor = walker.cursor();
  for (uint32_t number = 0; cursor.at < cursor.end; number++) {
    if (number == limits.events_max) return TooManyEvents(limits);
    size_t begin = *cursor.at;
    const void* newline = std::memchr(body.data() + begin, '\n', body.size() - begin);
    size_t end = newline != nullptr ? static_cast<size_t>(static_cast<const char*>(newline) - body.data()) : body.size();
    bool json = walker.Parse();
    bool on_line = json && cursor.at <= cursor.end && cursor.at[-1] < end && (cursor.at == cursor.end || *cursor.at > end);
    if (json && on_line) {
      walker.Commit(number);
      continue;
    }
    std::string why = json ? (cursor.at[-1] >= end ? "the line ends inside the event" : "something follows the event on its line")
                           : "byte " + std::to_string(cursor.error_position - begin) + " of the line: " + cursor.error;
    batch.Reject(number, "", "the line is not one JSON object: " + why);
    for (cursor.at = index.begin(); cursor.at < cursor.end && *cursor.at < end;) cursor.at++;
  }
  return {};
}

DecodeOutcome JsonEventDecoder::State::LinesOneByOne(std::string_view body, EventBatch& batch) {
  uint32_t number = 0;
  while (!body.empty()) {
    size_t end = std::min(body.find('\n'), body.size());
    std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (number == limits.events_max) return TooManyEvents(limits);
    Line(line, number++, batch);
  }
  return {};
}

void JsonEventDecoder::State::Line(std::string_view line, uint32_t number, EventBatch& batch) {
  auto reject = [&](size_t position, const char* why) {
    batch.Reject(number, "", "the line is not one JSON object: byte " + std::to_string(position) + " of the line: " + why);
  };
  if (!index.Build(line)) {
    auto [position, reason] = internal::FindTextError(line);
    return reject(position, reason);
  }
  if (!IsEnclosed(line, index, '{', '}')) return reject(*index.begin(), "expected one JSON object");
  walker.Start(line, index, ClassifyBytes(line), batch);
  JsonCursor& cursor = walker.cursor();
  if (!walker.Parse()) return reject(cursor.error_position, cursor.error);
  if (cursor.at != cursor.end) return reject(*cursor.at, "something follows the event");
  walker.Commit(number);
}

DecodeOutcome JsonEventDecoder::CheckJson(std::string_view text) {
  State& s = *state_;
  if (!s.index.Build(text)) return MalformedText(text);
  JsonCursor cursor;
  cursor.text = text.data();
  cursor.at = s.index.begin();
  cursor.end = s.index.end();
  cursor.depth_max = s.limits.json_depth_max;
  cursor.keys_max = s.limits.json_keys_max;
  char open = cursor.here();
  std::string padded;  // a scalar: what stands behind the text must not prolong it
  if (open != '{' && open != '[') {
    padded.assign(text).append(" ");
    padded.append(StructuralIndex::kSentinels, '\0');
    cursor.text = padded.data();
  } else if (!IsEnclosed(text, s.index, open, open == '{' ? '}' : ']')) {
    return Malformed(s.index.end()[-1], "expected the closing bracket of the value");
  }
  if (!cursor.SkipValue(0)) return Malformed(cursor);
  if (cursor.at != cursor.end) return Malformed(*cursor.at, "something follows the value");
  return {};
}

}  // namespace sluice::event
