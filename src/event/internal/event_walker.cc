// SPDX-License-Identifier: Apache-2.0
#include "event/internal/event_walker.h"

#include <immintrin.h>

#include <charconv>
#include <cstring>

#include "event/internal/base64.h"

namespace sluice::event::internal {
namespace {

constexpr Slot kSlotIgnored = kSlotCount;  // a name that no attribute can have

bool Matches(const char* key, const char* predicted, uint32_t mask) {
  __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(key));
  __m128i b = _mm_load_si128(reinterpret_cast<const __m128i*>(predicted));
  return mask != 0 && (static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b))) & mask) == mask;
}

// CloudEvents 1.0.2, "Type System": 32 bits.
bool IsInteger(std::string_view text) {
  int32_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

EventWalker::EventWalker(const DecodeLimits& limits) : limits_(limits), draft_(limits) {
  cursor_.depth_max = limits.json_depth_max;
  cursor_.keys_max = limits.json_keys_max;
}

void EventWalker::Start(std::string_view text, const StructuralIndex& index, ByteClasses classes, EventBatch& batch) {
  cursor_.text = text.data();
  cursor_.at = index.begin();
  cursor_.end = index.end();
  cursor_.classes = classes;
  batch_ = &batch;
  offset_ = batch.SliceOf(text).position;
}

// One compiled function per event: the parts below are small and called once each.
[[gnu::flatten]] bool EventWalker::Parse() {
  JsonCursor& c = cursor_;
  draft_.Begin(*batch_);
  begin_ = *c.at;
  if (c.here() != '{') {
    draft_.Fail("", "an event must be a JSON object");
    if (!c.SkipValue(0)) return false;
    finish_ = begin_;
    return true;
  }
  c.at++;
  if (c.here() == '}') c.at++;
  else for (size_t number = 0;; number++) {
    if (!Member(predictions_[number < predictions_.size() ? number : predictions_.size() - 1])) return false;
    char next = c.here();
    if (next != ',' && next != '}') return c.Fail("expected a comma or a closing brace");
    c.at++;
    if (next == '}') break;
  }
  finish_ = c.at[-1] + 1;
  return true;
}

bool EventWalker::Member(Prediction& prediction) {
  JsonCursor& c = cursor_;
  const char* key = c.text + *c.at;
  if (*key != '"' || c.text[c.at[1]] != ':') return c.Fail("expected a name in quotes and a colon");
  key++;
  Slice name;
  Slot slot = prediction.slot;
  if (!Matches(key, prediction.name, prediction.mask)) [[unlikely]] {
    uint32_t end = c.TrimSpaces(c.at[1]) - 1, begin = *c.at + 1;
    if (c.classes.escapes && !HasValidEscapes({key, end - begin})) return c.Fail("a name holds a bad escape");
    slot = ReadName({key, end - begin}, name);
    bool known = slot < kSlotExtension && name.length < sizeof prediction.name;
    if (known && (name.position & kArenaBit) == 0) {
      std::memcpy(prediction.name, key, sizeof prediction.name);
      prediction.mask = (1u << (name.length + 1)) - 1;
      prediction.slot = slot;
    }
  }
  c.at += 2;
  if (slot < kSlotExtension) draft_.Name(slot);
  return Value(slot, name);
}

[[gnu::noinline]] Slot EventWalker::ReadName(std::string_view raw, Slice& name) {
  name = batch_->SliceOf(raw);
  if (raw.find('\\') != std::string_view::npos) {
    char* at = nullptr;
    name = batch_->Allocate(raw.size(), at);
    batch_->Trim(name, static_cast<size_t>(Unescape(raw, at)));
  }
  std::string_view text = batch_->View(name);
  Slot slot = FindSlot(text);
  if (slot != kSlotExtension || IsAttributeName(text)) return slot;
  draft_.Fail(PointerTo(text), "attribute names consist of lower-case letters and digits");
  return kSlotIgnored;
}

bool EventWalker::Value(Slot slot, Slice name) {
  JsonCursor& c = cursor_;
  if (slot == SlotOf(Attribute::kData)) return DataValue();
  if (slot == kSlotIgnored) return c.SkipValue(1);
  if (c.here() != '"') return OtherValue(slot, name);
  Slice value;
  bool valid = true;
  if (!StringValue(value, valid)) return false;
  if (!valid) FailValue(slot, name, "must not hold control characters or noncharacters");
  Assign(slot, name, value);
  return true;
}

void EventWalker::Assign(Slot slot, Slice name, Slice value) {
  if (slot != kSlotExtension) draft_.Put(slot, value);
  else draft_.PutExtension(name, value);
}

bool EventWalker::StringValue(Slice& value, bool& valid) {
  JsonCursor& c = cursor_;
  uint32_t begin = *c.at + 1, end = c.at[1];
  if (c.text[end - 1] != '"') end = c.TrimSpaces(end);
  end--;
  value = SliceAt(begin, end);
  std::string_view raw(c.text + begin, end - begin);
  if (c.classes.escapes && std::memchr(raw.data(), '\\', raw.size()) != nullptr) {
    char* at = nullptr;
    value = batch_->Allocate(raw.size(), at);
    int64_t length = Unescape(raw, at);
    if (length < 0) return c.Fail("a string holds a bad escape");
    batch_->Trim(value, static_cast<size_t>(length));
    valid = !HasForbiddenCharacter(batch_->View(value));
  } else if (c.classes.special) {
    valid = !HasForbiddenCharacter(raw);
  }
  c.at++;
  return true;
}

// null, a boolean or a number; or what no attribute can be.
[[gnu::noinline]] bool EventWalker::OtherValue(Slot slot, Slice name) {
  JsonCursor& c = cursor_;
  char kind = c.here();
  uint32_t begin = *c.at;
  if (!c.SkipValue(1)) return false;
  if (kind == 'n') {
    if (slot == kSlotExtension) draft_.PutExtension(name, {});
    return true;
  }
  if (slot != kSlotExtension && !IsExtensionSlot(slot)) {
    FailValue(slot, name, "must be a string");
    return true;
  }
  uint32_t end = kind == '{' || kind == '[' ? c.at[-1] + 1 : c.TrimSpaces(*c.at);
  bool boolean = kind == 't' || kind == 'f';
  if (!boolean && !IsInteger({c.text + begin, end - begin})) FailValue(slot, name, "must be a string, a boolean or an integer of 32 bits");
  Assign(slot, name, SliceAt(begin, end));
  return true;
}

bool EventWalker::DataValue() {
  JsonCursor& c = cursor_;
  uint32_t begin = *c.at;
  if (!c.SkipValue(1)) return false;
  uint32_t last = c.at[-1];
  uint32_t end = c.text[last] == '}' || c.text[last] == ']' ? last + 1 : c.TrimSpaces(*c.at);
  draft_.Put(SlotOf(Attribute::kData), SliceAt(begin, end));
  return true;
}

[[gnu::noinline]] void EventWalker::FailValue(Slot slot, Slice name, const char* must) {
  std::string pointer = PointerTo(slot == kSlotExtension ? batch_->View(name) : SlotName(slot));
  std::string reason = "attribute \"" + pointer.substr(1) + "\" " + must;
  draft_.Fail(std::move(pointer), std::move(reason));
}

bool EventWalker::Commit(uint32_t index) {
  size_t size = finish_ - begin_;
  if (size > limits_.event_bytes_max)
    draft_.Fail("", "the event has " + std::to_string(size) + " bytes, more than " + std::to_string(limits_.event_bytes_max));
  if (!draft_.failed()) FinishData();
  return draft_.Commit(index);
}

// data_base64 becomes bytes; a JSON string that stands for other than JSON becomes its text. CloudEvents JSON format, 3.1.2.
void EventWalker::FinishData() {
  char* at = nullptr;
  if (draft_.has(kSlotDataBase64)) {
    if (draft_.has(Attribute::kData)) return draft_.Fail("/data_base64", "data and data_base64 exclude each other");
    std::string encoded;  // decoding writes to the arena, which may hold the text
    if ((draft_.value(kSlotDataBase64).position & kArenaBit) != 0) encoded = batch_->View(draft_.value(kSlotDataBase64));
    std::string_view text = encoded.empty() ? batch_->View(draft_.value(kSlotDataBase64)) : std::string_view(encoded);
    Slice bytes = batch_->Allocate(text.size() / 4 * 3, at);
    int64_t length = DecodeBase64(text, at);
    if (length < 0) return draft_.Fail("/data_base64", "data_base64 must be base64 with padding");
    batch_->Trim(bytes, static_cast<size_t>(length));
    draft_.Put(SlotOf(Attribute::kDataBinary), bytes);
    return;
  }
  if (!draft_.has(Attribute::kData) || !draft_.HasOtherThanJson()) return;
  Slice data = draft_.value(Attribute::kData);
  std::string_view raw = batch_->View(data);
  if (raw.front() != '"') return;
  raw = raw.substr(1, raw.size() - 2);
  Slice text{data.position + 1, data.length - 2};
  if (std::memchr(raw.data(), '\\', raw.size()) != nullptr) {
    text = batch_->Allocate(raw.size(), at);
    batch_->Trim(text, static_cast<size_t>(Unescape(raw, at)));  // its escapes were checked when it was skipped
  }
  draft_.Put(SlotOf(Attribute::kData), text);
}

}  // namespace sluice::event::internal
