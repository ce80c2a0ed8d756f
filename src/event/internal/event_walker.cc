// SPDX-License-Identifier: Apache-2.0
#include "event/internal/event_walker.h"

#include <immintrin.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "event/internal/base64.h"

namespace sluice::event::internal {
namespace {

constexpr Slot kSlotIgnored = kSlotCount;  // a name that no attribute can have

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
  is_plain_ = !classes.escapes && !classes.special;
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
  const uint32_t* i = c.at + 1;
  if (c.text[*i] == '}') i++;
  else for (size_t number = 0;; number++) {
    i = Member(i, names_[std::min(number, names_.size() - 1)]);
    if (i == nullptr) return false;
    char next = c.text[*i];
    if (next != ',' && next != '}') return c.FailAt(*i, "expected a comma or a closing brace");
    i++;
    if (next == '}') break;
  }
  c.at = i;
  finish_ = i[-1] + 1;
  return true;
}

inline bool EventWalker::Name::IsAt(const char* member) const {
  __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(member));
  __m256i b = _mm256_load_si256(reinterpret_cast<const __m256i*>(text));
  auto different = ~static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b)));
  return mask != 0 && (different & mask) == 0;
}

const uint32_t* EventWalker::Member(const uint32_t* i, Name& name) {
  const char* text = cursor_.text;
  if (name.IsAt(text + *i)) [[likely]] name.slice.position = offset_ + *i + 1;
  else if (!ReadName(i, name)) return nullptr;
  i += 2;
  if (name.slot < kSlotExtension) draft_.Name(name.slot);
  if (name.slot == SlotOf(Attribute::kData)) return DataValue(i);
  return text[*i] == '"' && name.slot <= kSlotExtension ? TextValue(i, name) : OtherValue(i, name);
}

[[gnu::noinline]] bool EventWalker::ReadName(const uint32_t* i, Name& name) {
  JsonCursor& c = cursor_;
  const char* quote = c.text + *i;
  if (*quote != '"' || c.text[i[1]] != ':') return c.FailAt(*i, "expected a name in quotes and a colon");
  uint32_t begin = *i + 1, end = c.TrimSpaces(i[1]) - 1;
  if (c.classes.escapes && !HasValidEscapes({quote + 1, end - begin})) return c.FailAt(*i, "a name holds a bad escape");
  name.slot = FindName({quote + 1, end - begin}, name.slice);
  name.mask = 0;
  uint32_t length = i[1] + 1 - *i;
  if (name.slot == kSlotIgnored || (name.slice.position & kArenaBit) != 0 || length > sizeof name.text) return true;
  std::memcpy(name.text, quote, sizeof name.text);
  name.mask = ~uint32_t{0} >> (sizeof name.text - length);
  return true;
}

Slot EventWalker::FindName(std::string_view raw, Slice& name) {
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

void EventWalker::Assign(const Name& name, Slice value) {
  if (name.slot != kSlotExtension) draft_.Put(name.slot, value);
  else draft_.PutExtension(name.slice, value);
}

const uint32_t* EventWalker::TextValue(const uint32_t* i, const Name& name) {
  JsonCursor& c = cursor_;
  uint32_t begin = *i + 1, end = i[1];
  if (c.text[end - 1] != '"') end = c.TrimSpaces(end);
  Slice value = SliceAt(begin, end - 1);
  if (!is_plain_) value = CheckedText(value, name);
  if (value.position == 0) {
    c.FailAt(*i, "a string holds a bad escape");
    return nullptr;
  }
  Assign(name, value);
  return i + 1;
}

// `raw` without escapes. Null: one of them is bad.
[[gnu::noinline]] Slice EventWalker::CheckedText(Slice raw, const Name& name) {
  const ByteClasses& classes = cursor_.classes;
  std::string_view text = batch_->View(raw);
  if (classes.escapes && text.find('\\') != std::string_view::npos) {
    char* at = nullptr;
    Slice unescaped = batch_->Allocate(text.size(), at);
    int64_t length = Unescape(text, at);
    if (length < 0) return {};
    batch_->Trim(unescaped, static_cast<size_t>(length));
    raw = unescaped;
  } else if (!classes.special || !ClassifyBytes(text).special) {
    return raw;
  }
  if (HasForbiddenCharacter(batch_->View(raw))) FailValue(name, "must not hold control characters or noncharacters");
  return raw;
}

const uint32_t* EventWalker::DataValue(const uint32_t* i) {
  JsonCursor& c = cursor_;
  c.at = i;
  if (!c.SkipValue(1)) return nullptr;
  uint32_t begin = *i, last = c.at[-1];
  uint32_t end = c.text[last] == '}' || c.text[last] == ']' ? last + 1 : c.TrimSpaces(*c.at);
  draft_.Put(SlotOf(Attribute::kData), SliceAt(begin, end));
  return c.at;
}

// null, a boolean or a number; or what no attribute can be.
[[gnu::noinline]] const uint32_t* EventWalker::OtherValue(const uint32_t* i, const Name& name) {
  JsonCursor& c = cursor_;
  c.at = i;
  if (!c.SkipValue(1)) return nullptr;
  uint32_t begin = *i;
  char kind = c.text[begin];
  if (name.slot == kSlotIgnored) return c.at;
  if (kind == 'n') {
    if (name.slot == kSlotExtension) draft_.PutExtension(name.slice, {});
    return c.at;
  }
  if (name.slot != kSlotExtension && !IsExtensionSlot(name.slot)) {
    FailValue(name, "must be a string");
    return c.at;
  }
  uint32_t end = kind == '{' || kind == '[' ? c.at[-1] + 1 : c.TrimSpaces(*c.at);
  bool boolean = kind == 't' || kind == 'f';
  if (!boolean && !IsInteger({c.text + begin, end - begin})) FailValue(name, "must be a string, a boolean or an integer of 32 bits");
  Assign(name, SliceAt(begin, end));
  return c.at;
}

[[gnu::noinline]] void EventWalker::FailValue(const Name& name, const char* must) {
  std::string pointer = PointerTo(name.slot == kSlotExtension ? batch_->View(name.slice) : SlotName(name.slot));
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
