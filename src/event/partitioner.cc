// SPDX-License-Identifier: Apache-2.0
#include "event/partitioner.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "event/internal/attribute_names.h"
#include "event/internal/json_lookup.h"
#include "event/internal/json_text.h"

namespace sluice::event {
namespace {

using internal::Slot;

// One token of a JSON pointer with ~1 and ~0 undone. False: `~` before anything else.
bool UnescapeToken(std::string_view raw, std::string& token) {
  for (size_t i = 0; i < raw.size(); i++) {
    if (raw[i] != '~') {
      token += raw[i];
      continue;
    }
    if (++i == raw.size() || (raw[i] != '0' && raw[i] != '1')) return false;
    token += raw[i] == '0' ? '~' : '/';
  }
  return true;
}

Result<std::vector<std::string>> ParsePointer(const std::string& pointer) {
  Error wrong{ErrorCode::kInvalid, "key \"" + pointer + "\" is not a JSON pointer into an event", "write /subject, /type or /data/user_id"};
  if (pointer.size() < 2 || pointer[0] != '/') return wrong;
  std::vector<std::string> tokens;
  for (size_t at = 0; at != std::string::npos;) {
    size_t next = pointer.find('/', at + 1);
    std::string_view raw = std::string_view(pointer).substr(at + 1, next == std::string::npos ? next : next - at - 1);
    if (!UnescapeToken(raw, tokens.emplace_back())) return wrong;
    at = next;
  }
  return tokens;
}

// The inside of a JSON string at `slice`, unescaped; as it stands when its escapes are none (another producer's record).
Slice StringText(EventBatch& batch, Slice slice) {
  Slice inside{slice.position + 1, std::max(slice.length, 2u) - 2};
  std::string raw(batch.View(inside));
  if (raw.find('\\') == std::string::npos) return inside;
  char* at = nullptr;
  Slice text = batch.Allocate(raw.size(), at);
  int64_t length = internal::Unescape(raw, at);
  batch.Trim(text, static_cast<size_t>(std::max(length, int64_t{0})));
  return length < 0 ? inside : text;
}

}  // namespace

int32_t Murmur2(std::string_view key) {
  constexpr uint32_t kSeed = 0x9747b28c, kM = 0x5bd1e995;
  constexpr int kR = 24;
  auto length = static_cast<uint32_t>(key.size());
  uint32_t h = kSeed ^ length;
  const char* p = key.data();
  for (uint32_t i = 0; i < length / 4; i++, p += 4) {
    uint32_t k = base::GetLittle<uint32_t>(p) * kM;
    k = (k ^ k >> kR) * kM;
    h = h * kM ^ k;
  }
  auto byte = [p](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  switch (length % 4) {
    case 3: h ^= byte(2) << 16; [[fallthrough]];
    case 2: h ^= byte(1) << 8; [[fallthrough]];
    case 1: h = (h ^ byte(0)) * kM; break;
    default: break;
  }
  h = (h ^ h >> 13) * kM;
  return static_cast<int32_t>(h ^ h >> 15);
}

int32_t PartitionOf(std::string_view key, int32_t partitions) {
  CHECK(partitions > 0, "a topic has at least one partition");
  return (Murmur2(key) & 0x7fffffff) % partitions;
}

Result<KeyExtractor> KeyExtractor::Make(const std::vector<std::string>& pointers) {
  KeyExtractor extractor;
  for (const std::string& pointer : pointers) {
    ASSIGN_OR_RETURN(auto tokens, ParsePointer(pointer));
    Pointer p;
    p.name = tokens.front();
    p.rest.assign(tokens.begin() + 1, tokens.end());
    extractor.pointers_.push_back(std::move(p));
  }
  return extractor;
}

// JSON below /data; /data itself, when it is no JSON, is text.
KeyExtractor::Value KeyExtractor::FindData(const EventBatch& batch, size_t row, const Pointer& pointer) {
  Slice data = batch.GetSlice(Attribute::kData, row);
  if (data.position == 0) return {};
  std::string_view text = batch.View(data), type = batch.Get(Attribute::kDataContentType, row);
  if (type.data() != nullptr && !internal::IsJsonMediaType(type)) return pointer.rest.empty() ? Value{data, Kind::kText} : Value{};
  std::string_view found = internal::FindValue(text, pointer.rest);
  if (found.data() == nullptr || found == "null") return {};
  return {{data.position + static_cast<uint32_t>(found.data() - text.data()), static_cast<uint32_t>(found.size())}, Kind::kJson};
}

KeyExtractor::Value KeyExtractor::Find(const EventBatch& batch, size_t row, const Pointer& pointer) {
  Slot slot = internal::FindSlot(pointer.name);
  if (slot == internal::SlotOf(Attribute::kData)) return FindData(batch, row, pointer);
  if (!pointer.rest.empty()) return {};
  if (slot < kAttributeCount) return {batch.GetSlice(static_cast<Attribute>(slot), row), Kind::kText};
  for (const Extension& e : batch.extensions(row))
    if (batch.View(e.name) == pointer.name) return {e.value, Kind::kText};
  return {};
}

Slice KeyExtractor::Composite(EventBatch& batch, size_t row) const {
  std::string key = "[";
  for (const Pointer& pointer : pointers_) {
    Value value = Find(batch, row, pointer);
    if (value.slice.position == 0) return {};
    if (key.size() > 1) key += ',';
    bool is_string = value.kind == Kind::kJson && batch.View(value.slice).front() == '"';
    if (is_string) value.slice = StringText(batch, value.slice);
    if (is_string || value.kind == Kind::kText) internal::AppendQuoted(batch.View(value.slice), key);
    else key += batch.View(value.slice);
  }
  key += ']';
  return batch.Store(key);
}

Slice KeyExtractor::Extract(EventBatch& batch, size_t row) const {
  if (pointers_.size() == 1) {
    Value value = Find(batch, row, pointers_.front());
    if (value.slice.position != 0) {
      bool is_string = value.kind == Kind::kJson && batch.View(value.slice).front() == '"';
      return is_string ? StringText(batch, value.slice) : value.slice;
    }
  } else if (pointers_.size() > 1) {
    if (Slice key = Composite(batch, row); key.position != 0) return key;
  }
  for (Attribute a : {Attribute::kPartitionKey, Attribute::kSubject})
    if (Slice value = batch.GetSlice(a, row); value.position != 0) return value;
  return batch.GetSlice(Attribute::kSource, row);
}

}  // namespace sluice::event
