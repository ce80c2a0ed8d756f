// SPDX-License-Identifier: Apache-2.0
#include "event/record_batch_decoder.h"

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "event/internal/attribute_names.h"
#include "event/internal/structural_index.h"
#include "event/limits.h"
#include "event/record_batch_format.h"

namespace sluice::event {
namespace {

using base::GetBig;
using internal::Bit;
using internal::Slot;
using internal::SlotOf;

constexpr size_t kRecordBytesMin = 7;  // a record of nothing: length and six fields of a byte
constexpr uint32_t kHeadersMax = kExtensionsMax + kAttributeCount + 2;

// Reads the varints and fields of one record; after a short read or a bad varint ok() is false for good.
class RecordReader {
 public:
  explicit RecordReader(std::string_view bytes) : bytes_(bytes) {}

  int64_t GetVarlong() {
    uint64_t z = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (bytes_.empty()) break;
      auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      z |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return static_cast<int64_t>(z >> 1) ^ -static_cast<int64_t>(z & 1);
    }
    ok_ = false;
    return 0;
  }
  int32_t GetVarint() {
    int64_t v = GetVarlong();
    ok_ = ok_ && v >= INT32_MIN && v <= INT32_MAX;
    return static_cast<int32_t>(v);
  }
  std::string_view GetBytes(int64_t n) {
    if (n < 0 || static_cast<uint64_t>(n) > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    std::string_view view = bytes_.substr(0, static_cast<size_t>(n));
    bytes_.remove_prefix(static_cast<size_t>(n));
    return view;
  }
  // A counted field; a null view when its length is -1.
  std::string_view GetField() {
    int32_t n = GetVarint();
    return n == -1 ? std::string_view() : GetBytes(n);
  }
  bool ok() const { return ok_; }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

Error NoEvent(size_t record, std::string why) {
  return {ErrorCode::kInvalid, "record " + std::to_string(record) + " is no CloudEvent: " + std::move(why),
          "produce CloudEvents in the binary mode of their Kafka binding"};
}
Error Broken(size_t record) { return {ErrorCode::kCorruption, "record " + std::to_string(record) + " has lengths that do not fit"}; }

// The attribute of a header key that starts with ce_ or is content-type; kSlotExtension when it is an extension's.
Slot FindHeader(std::string_view key) {
  if (key == kContentTypeHeader) return SlotOf(Attribute::kDataContentType);
  return internal::FindSlot(key.substr(kAttributeHeaderPrefix.size()));
}

// What an attribute of its own header can be: data has none, and the content type has another.
bool HasHeader(Slot slot, std::string_view key) {
  if (slot == SlotOf(Attribute::kDataContentType)) return key == kContentTypeHeader;
  return slot != SlotOf(Attribute::kData) && slot != internal::kSlotDataBase64;
}

// One record's event.
class RecordDecoder {
 public:
  RecordDecoder(EventBatch& batch, RecordPlaces& places) : batch_(batch), places_(places) {}
  Result<void> Decode(size_t number, std::string_view record);

 private:
  Result<void> Headers(size_t number, RecordReader& reader);
  Result<void> Header(size_t number, std::string_view key, std::string_view value);
  Result<void> Add(size_t number, std::string_view data);
  void Put(Slot slot, std::string_view value) {
    present_ |= Bit(slot);
    values_[slot] = batch_.SliceOf(value);
  }

  EventBatch& batch_;
  RecordPlaces& places_;
  std::array<Slice, internal::kSlotCount> values_;
  std::vector<Extension> extensions_;
  uint32_t present_ = 0;
  bool version_ = false, binary_ = false;
};

Result<void> RecordDecoder::Decode(size_t number, std::string_view record) {
  present_ = 0;
  version_ = binary_ = false;
  extensions_.clear();
  RecordReader reader(record);
  reader.GetBytes(1);  // attributes: none are defined
  int64_t timestamp_delta = reader.GetVarlong();
  int32_t offset_delta = reader.GetVarint();
  std::string_view key = reader.GetField(), data = reader.GetField();
  if (!reader.ok()) return Broken(number);
  const RecordBatchHeader& header = places_.header;
  int32_t before = number == 0 ? -1 : places_.offset_deltas.back();
  if (offset_delta <= before || offset_delta > header.last_offset_delta)
    return Error{ErrorCode::kCorruption, "record " + std::to_string(number) + " has an offset out of order"};
  RETURN_IF_ERROR(Headers(number, reader));
  RETURN_IF_ERROR(Add(number, data));
  places_.offset_deltas.push_back(offset_delta);
  places_.keys.push_back(key);
  auto timestamp = static_cast<uint64_t>(header.first_timestamp_ms) + static_cast<uint64_t>(timestamp_delta);  // wraps, as Java's does
  places_.timestamps_ms.push_back(static_cast<int64_t>(timestamp));
  return {};
}

Result<void> RecordDecoder::Headers(size_t number, RecordReader& reader) {
  int32_t count = reader.GetVarint();
  if (!reader.ok() || count < 0) return Broken(number);
  if (static_cast<uint32_t>(count) > kHeadersMax) return NoEvent(number, "it has more than " + std::to_string(kHeadersMax) + " headers");
  for (int32_t i = 0; i < count; i++) {
    std::string_view key = reader.GetField(), value = reader.GetField();
    if (!reader.ok() || key.data() == nullptr) return Broken(number);
    RETURN_IF_ERROR(Header(number, key, value));
  }
  if (reader.left() != 0) return Broken(number);
  return {};
}

Result<void> RecordDecoder::Header(size_t number, std::string_view key, std::string_view value) {
  if (key == kBinaryDataHeader) {
    binary_ = true;
    return {};
  }
  if (!key.starts_with(kAttributeHeaderPrefix) && key != kContentTypeHeader) return {};  // a header of somebody else
  if (value.data() == nullptr) return {};                                                // null: unset
  if (!internal::IsUtf8(value)) return NoEvent(number, "an attribute is not UTF-8");
  if (key == kSpecVersionHeader) {
    version_ = value == kSpecVersion;
    return version_ ? Result<void>() : NoEvent(number, "specversion must be \"1.0\"");
  }
  Slot slot = FindHeader(key);
  if (!HasHeader(slot, key)) return NoEvent(number, "attribute \"" + std::string(internal::SlotName(slot)) + "\" cannot be a header");
  if (slot != internal::kSlotExtension) {
    if ((present_ & Bit(slot)) != 0) return NoEvent(number, "attribute \"" + std::string(internal::SlotName(slot)) + "\" occurs twice");
    Put(slot, value);
    return {};
  }
  std::string_view name = key.substr(kAttributeHeaderPrefix.size());
  if (!internal::IsAttributeName(name)) return NoEvent(number, "attribute names consist of lower-case letters and digits");
  for (const Extension& e : extensions_)
    if (batch_.View(e.name) == name) return NoEvent(number, "attribute \"" + std::string(name) + "\" occurs twice");
  extensions_.push_back({0, batch_.SliceOf(name), batch_.SliceOf(value)});
  return {};
}

Result<void> RecordDecoder::Add(size_t number, std::string_view data) {
  if (!version_) return NoEvent(number, "it has no ce_specversion");
  for (Attribute a : {Attribute::kId, Attribute::kSource, Attribute::kType}) {
    Slot slot = SlotOf(a);
    if ((present_ & Bit(slot)) == 0 || values_[slot].length == 0)
      return NoEvent(number, "it has no ce_" + std::string(internal::SlotName(slot)));
  }
  Timestamp time{EventBatch::kNoTime};
  if ((present_ & Bit(Attribute::kTime)) != 0 && !base::ParseRfc3339(batch_.View(values_[SlotOf(Attribute::kTime)]), time))
    return NoEvent(number, "ce_time is not RFC 3339");
  if (data.data() != nullptr) Put(SlotOf(binary_ || !internal::IsUtf8(data) ? Attribute::kDataBinary : Attribute::kData), data);
  size_t row = batch_.AddRow(static_cast<uint32_t>(number), present_, values_.data(), time.us);
  for (const Extension& e : extensions_) batch_.AddExtension(row, e.name, e.value);
  return {};
}

}  // namespace

Result<RecordBatchHeader> ReadRecordBatchHeader(std::string_view bytes) {
  if (bytes.size() < kRecordBatchHeaderBytes) return Error{ErrorCode::kCorruption, "a RecordBatch is shorter than its header"};
  const char* p = bytes.data();
  RecordBatchHeader h;
  int64_t length = GetBig<int32_t>(p + kLengthAt);
  h.bytes = static_cast<size_t>(length) + kRecordBatchLengthBytes;
  h.base_offset = GetBig<int64_t>(p + kBaseOffsetAt);
  h.crc = GetBig<uint32_t>(p + kCrcAt);
  h.attributes = GetBig<int16_t>(p + kAttributesAt);
  h.last_offset_delta = GetBig<int32_t>(p + kLastOffsetDeltaAt);
  h.first_timestamp_ms = GetBig<int64_t>(p + kFirstTimestampAt);
  h.max_timestamp_ms = GetBig<int64_t>(p + kMaxTimestampAt);
  h.producer_id = GetBig<int64_t>(p + kProducerIdAt);
  h.producer_epoch = GetBig<int16_t>(p + kProducerEpochAt);
  h.base_sequence = GetBig<int32_t>(p + kBaseSequenceAt);
  h.record_count = GetBig<int32_t>(p + kRecordCountAt);
  if (p[kMagicAt] != kRecordBatchMagic)
    return Error{ErrorCode::kInvalid, "message format " + std::to_string(p[kMagicAt]) + " is not known",
                 "use a client of Kafka 0.11 or later"};
  bool fits = length >= static_cast<int64_t>(kRecordBatchHeaderBytes - kRecordBatchLengthBytes) && h.bytes <= bytes.size();
  if (!fits || h.record_count < 1 || h.last_offset_delta < h.record_count - 1 || h.base_offset < 0)
    return Error{ErrorCode::kCorruption, "a RecordBatch has lengths that do not fit"};
  return h;
}

bool HasValidCrc(const RecordBatchHeader& header, std::string_view bytes) {
  return base::Crc32c(bytes.substr(kAttributesAt, header.bytes - kAttributesAt)) == header.crc;
}

Result<void> DecodeRecordBatch(std::string_view bytes, EventBatch& batch, RecordPlaces& places) {
  batch.Reset(bytes);
  places.offset_deltas.clear();
  places.keys.clear();
  places.timestamps_ms.clear();
  ASSIGN_OR_RETURN(places.header, ReadRecordBatchHeader(bytes));
  const RecordBatchHeader& header = places.header;
  if (header.bytes != bytes.size()) return Error{ErrorCode::kCorruption, "something follows the RecordBatch"};
  if (!HasValidCrc(header, bytes)) return Error{ErrorCode::kCorruption, "the CRC of a RecordBatch is wrong"};
  if ((header.attributes & kCompressionBits) != 0)
    return Error{ErrorCode::kInvalid, "compressed RecordBatches are not supported", "set compression.type=none in the producer"};
  if ((header.attributes & kControlBit) != 0) return Error{ErrorCode::kInvalid, "a control RecordBatch holds no events"};
  std::string_view records = bytes.substr(kRecordBatchHeaderBytes);
  if (static_cast<size_t>(header.record_count) > records.size() / kRecordBytesMin)
    return Error{ErrorCode::kCorruption, "a RecordBatch has lengths that do not fit"};

  RecordReader reader(records);
  RecordDecoder decoder(batch, places);
  for (int32_t number = 0; number < header.record_count; number++) {
    std::string_view record = reader.GetField();
    if (!reader.ok() || record.data() == nullptr) return Broken(static_cast<size_t>(number));
    RETURN_IF_ERROR(decoder.Decode(static_cast<size_t>(number), record));
  }
  if (reader.left() != 0) return Error{ErrorCode::kCorruption, "a RecordBatch has bytes behind its last record"};
  batch.MarkPacked();
  return {};
}

}  // namespace sluice::event
