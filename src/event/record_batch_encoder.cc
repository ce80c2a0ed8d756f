// SPDX-License-Identifier: Apache-2.0
#include "event/record_batch_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "base/time.h"
#include "event/record_batch_format.h"

namespace sluice::event {
namespace {

using base::PutBig;

constexpr size_t kVarintBytesMax = 5, kVarlongBytesMax = 10;

// Zigzag varints: v >= 0 takes the bits of 2v.
size_t VarintSize(uint32_t v) { return (38 - static_cast<size_t>(std::countl_zero(v << 1 | 1))) / 7; }
char* PutVarint(char* to, uint32_t v) {
  uint32_t z = v << 1;
  for (; z > 127; z >>= 7) *to++ = static_cast<char>(z | 128);
  *to++ = static_cast<char>(z);
  return to;
}
uint64_t ZigZag(int64_t v) { return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63); }
size_t VarlongSize(uint64_t z) { return (70 - static_cast<size_t>(std::countl_zero(z | 1))) / 7; }
char* PutVarlong(char* to, uint64_t z) {
  for (; z > 127; z >>= 7) *to++ = static_cast<char>(z | 128);
  *to++ = static_cast<char>(z);
  return to;
}
constexpr char kNull = 1;  // varint -1

// Copies in steps of 64 bytes: up to 63 bytes too many are read and written.
char* CopyWide(char* to, std::string_view from) {
  for (size_t at = 0; at < from.size(); at += 64) std::memcpy(to + at, from.data() + at, 64);
  return to + from.size();
}

// A header key with its length before it, ready to be copied with one vector move.
struct KeyTemplate {
  std::array<char, 32> bytes{};
  uint32_t size = 0;
};
constexpr KeyTemplate MakeTemplate(std::string_view key) {
  KeyTemplate t;
  t.bytes[0] = static_cast<char>(key.size() << 1);
  std::copy(key.begin(), key.end(), t.bytes.begin() + 1);
  t.size = static_cast<uint32_t>(key.size()) + 1;
  return t;
}
constexpr size_t kHeaderCount = std::size(kAttributeHeaders);
constexpr std::array<KeyTemplate, kHeaderCount> MakeTemplates() {
  std::array<KeyTemplate, kHeaderCount> all;
  for (size_t i = 0; i < kHeaderCount; i++) all[i] = MakeTemplate(kAttributeHeaders[i].key);
  return all;
}
constexpr auto kTemplates = MakeTemplates();

// A whole header with a constant value.
struct ConstantHeader {
  std::array<char, 32> bytes{};
  uint32_t size = 0;
};
constexpr ConstantHeader MakeConstant(std::string_view key, std::string_view value) {
  ConstantHeader h;
  h.bytes[0] = static_cast<char>(key.size() << 1);
  auto at = std::copy(key.begin(), key.end(), h.bytes.begin() + 1);
  *at++ = static_cast<char>(value.size() << 1);
  at = std::copy(value.begin(), value.end(), at);
  h.size = static_cast<uint32_t>(at - h.bytes.begin());
  return h;
}
constexpr ConstantHeader kSpecVersionBytes = MakeConstant(kSpecVersionHeader, kSpecVersion);
constexpr ConstantHeader kBinaryBytes = MakeConstant(kBinaryDataHeader, kBinaryData);

constexpr size_t BytesOfKeys() {
  size_t n = 0;
  for (const auto& t : kTemplates) n += t.size + kVarintBytesMax;
  return n;
}
// The most a record takes beside its values, its key and its extensions.
constexpr size_t kRecordBytesMax = kVarintBytesMax * 5 + 1 + kVarlongBytesMax + kSpecVersionBytes.size + kBinaryBytes.size + BytesOfKeys();
constexpr size_t kExtensionBytesMax = 2 * kVarintBytesMax + kAttributeHeaderPrefix.size();

// Told where each value was copied to.
struct NoMove {
  void operator()(Attribute, size_t, const char*) const {}
  void Extended(const Extension&, const char*, const char*) const {}
};
struct MoveIn {
  void operator()(Attribute a, size_t row, const char* at) const { batch.Move(a, row, static_cast<size_t>(at - bytes)); }
  void Extended(const Extension& e, const char* name, const char* value) const {
    batch.MoveExtension(static_cast<size_t>(&e - batch.extensions().data()), static_cast<size_t>(name - bytes), static_cast<size_t>(value - bytes));
  }
  EventBatch& batch;
  const char* bytes;
};

template <class Moved>
class RecordWriter {
 public:
  RecordWriter(const EventBatch& batch, int64_t first_timestamp, Moved moved) : batch_(batch), first_timestamp_(first_timestamp), moved_(moved) {
    for (size_t i = 0; i < kHeaderCount; i++)
      if (batch.has(kAttributeHeaders[i].attribute)) used_[used_count_++] = static_cast<uint8_t>(i);
  }

  char* Write(size_t row, uint32_t offset_delta, int64_t timestamp, std::string_view key, char* to) const {
    std::string_view data = batch_.Get(Attribute::kData, row), binary;
    if (batch_.has(Attribute::kDataBinary)) binary = batch_.Get(Attribute::kDataBinary, row);
    bool is_binary = binary.data() != nullptr;
    if (is_binary) data = binary;
    auto extensions = batch_.extensions().empty() ? std::span<const Extension>() : batch_.extensions(row);
    uint32_t headers = 1 + static_cast<uint32_t>(is_binary) + static_cast<uint32_t>(extensions.size());
    size_t header_bytes = HeaderBytes(row, extensions, headers) + (is_binary ? kBinaryBytes.size : 0);
    uint64_t delta = ZigZag(timestamp - first_timestamp_);

    size_t size = 1 + VarlongSize(delta) + VarintSize(offset_delta) + FieldSize(key) + FieldSize(data) + VarintSize(headers) + header_bytes;
    to = PutVarint(to, static_cast<uint32_t>(size));
    *to++ = 0;  // attributes: none are defined
    to = PutVarlong(to, delta);
    to = PutVarint(to, offset_delta);
    to = PutField(to, key);
    to = PutField(to, data);
    if (data.data() != nullptr) moved_(is_binary ? Attribute::kDataBinary : Attribute::kData, row, to - data.size());
    to = PutVarint(to, headers);
    to = PutConstant(to, kSpecVersionBytes);
    if (is_binary) to = PutConstant(to, kBinaryBytes);
    return PutHeaders(row, extensions, to);
  }

 private:
  static size_t FieldSize(std::string_view value) { return value.data() == nullptr ? 1 : VarintSize(static_cast<uint32_t>(value.size())) + value.size(); }
  static char* PutField(char* to, std::string_view value) {
    if (value.data() == nullptr) {
      *to++ = kNull;
      return to;
    }
    return CopyWide(PutVarint(to, static_cast<uint32_t>(value.size())), value);
  }
  static char* PutConstant(char* to, const ConstantHeader& header) {
    std::memcpy(to, header.bytes.data(), header.bytes.size());
    return to + header.size;
  }

  // Bytes of all headers but kBinaryBytes; adds to `count` those of attributes.
  size_t HeaderBytes(size_t row, std::span<const Extension> extensions, uint32_t& count) const {
    size_t bytes = kSpecVersionBytes.size;
    for (size_t k = 0; k < used_count_; k++) {
      std::string_view value = batch_.Get(kAttributeHeaders[used_[k]].attribute, row);
      size_t present = value.data() != nullptr;  // without a branch: which attributes a row has is hard to predict
      count += static_cast<uint32_t>(present);
      bytes += present * (kTemplates[used_[k]].size + VarintSize(static_cast<uint32_t>(value.size())) + value.size());
    }
    for (const Extension& e : extensions) {
      size_t name = e.name.length + kAttributeHeaderPrefix.size();
      bytes += VarintSize(static_cast<uint32_t>(name)) + name + VarintSize(e.value.length) + e.value.length;
    }
    return bytes;
  }

  char* PutHeaders(size_t row, std::span<const Extension> extensions, char* to) const {
    for (size_t k = 0; k < used_count_; k++) {
      std::string_view value = batch_.Get(kAttributeHeaders[used_[k]].attribute, row);
      if (value.data() == nullptr) continue;
      std::memcpy(to, kTemplates[used_[k]].bytes.data(), kTemplates[used_[k]].bytes.size());
      to = CopyWide(PutVarint(to + kTemplates[used_[k]].size, static_cast<uint32_t>(value.size())), value);
      moved_(kAttributeHeaders[used_[k]].attribute, row, to - value.size());
    }
    for (const Extension& e : extensions) {
      to = PutVarint(to, e.name.length + static_cast<uint32_t>(kAttributeHeaderPrefix.size()));
      std::memcpy(to, kAttributeHeaderPrefix.data(), kAttributeHeaderPrefix.size());
      char* name = to + kAttributeHeaderPrefix.size();
      to = PutVarint(CopyWide(name, batch_.View(e.name)), e.value.length);
      to = CopyWide(to, batch_.View(e.value));
      moved_.Extended(e, name, to - e.value.length);
    }
    return to;
  }

  const EventBatch& batch_;
  int64_t first_timestamp_;
  const Moved moved_;
  std::array<uint8_t, kHeaderCount> used_{};  // headers that any row has
  size_t used_count_ = 0;
};

void PutBatchHeader(char* out, const char* end, int64_t base_offset, uint32_t records, int64_t first_timestamp, int64_t max_timestamp) {
  PutBig<int64_t>(out + kBaseOffsetAt, base_offset);
  PutBig<int32_t>(out + kLengthAt, static_cast<int32_t>(end - out - static_cast<ptrdiff_t>(kRecordBatchLengthBytes)));
  PutBig<int32_t>(out + kLeaderEpochAt, 0);
  out[kMagicAt] = kRecordBatchMagic;
  PutBig<int16_t>(out + kAttributesAt, 0);
  PutBig<int32_t>(out + kLastOffsetDeltaAt, static_cast<int32_t>(records - 1));
  PutBig<int64_t>(out + kFirstTimestampAt, first_timestamp);
  PutBig<int64_t>(out + kMaxTimestampAt, max_timestamp);
  PutBig<int64_t>(out + kProducerIdAt, -1);
  PutBig<int16_t>(out + kProducerEpochAt, -1);
  PutBig<int32_t>(out + kBaseSequenceAt, -1);
  PutBig<int32_t>(out + kRecordCountAt, static_cast<int32_t>(records));
  PutBig<uint32_t>(out + kCrcAt, base::Crc32c(out + kAttributesAt, static_cast<size_t>(end - out) - kAttributesAt));
}

}  // namespace

size_t RecordBatchBound(const EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys) {
  size_t bytes = kRecordBatchHeaderBytes + rows.size() * kRecordBytesMax + batch.extensions().size() * kExtensionBytesMax;
  for (uint32_t row : rows) bytes += batch.value_bytes(row);
  for (std::string_view key : keys) bytes += key.size();
  return bytes;
}

namespace {

template <class Moved>
char* Encode(const EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys, int64_t base_offset,
             int64_t append_time_us, char* out, Moved moved) {
  CHECK(!rows.empty(), "a RecordBatch holds at least one record");
  CHECK(keys.empty() || keys.size() == rows.size(), "one key for each row");
  auto timestamp_of = [&](uint32_t row) {
    int64_t us = batch.time_us(row);
    return base::FloorDiv(us != EventBatch::kNoTime ? us : append_time_us, kMicrosPerMilli);
  };
  int64_t first_timestamp = timestamp_of(rows.front()), max_timestamp = first_timestamp;
  RecordWriter<Moved> writer(batch, first_timestamp, moved);
  char* to = out + kRecordBatchHeaderBytes;
  for (size_t i = 0; i < rows.size(); i++) {
    int64_t timestamp = timestamp_of(rows[i]);
    max_timestamp = std::max(max_timestamp, timestamp);
    to = writer.Write(rows[i], static_cast<uint32_t>(i), timestamp, keys.empty() ? std::string_view() : keys[i], to);
  }
  PutBatchHeader(out, to, base_offset, static_cast<uint32_t>(rows.size()), first_timestamp, max_timestamp);
  return to;
}

}  // namespace

char* EncodeRecordBatch(const EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys, int64_t base_offset,
                        int64_t append_time_us, char* out) {
  return Encode(batch, rows, keys, base_offset, append_time_us, out, NoMove());
}

char* EncodeAndMove(EventBatch& batch, std::span<const uint32_t> rows, std::span<const std::string_view> keys, int64_t base_offset,
                    int64_t append_time_us, char* bytes, size_t at) {
  return Encode(batch, rows, keys, base_offset, append_time_us, bytes + at, MoveIn{batch, bytes});
}

void SetBaseOffset(char* record_batch, int64_t base_offset) { PutBig<int64_t>(record_batch + kBaseOffsetAt, base_offset); }

}  // namespace sluice::event
