// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_format.h"

#include <charconv>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
namespace {

constexpr uint64_t kSegmentMagic = 0x544d474553434c53;  // "SLCSEGMT"
constexpr uint64_t kCommitMagic = 0x54494d4d4f434c53;   // "SLCOMMIT"
constexpr uint32_t kFrameMagic = 0x4d52464c;            // "LFRM"
constexpr uint32_t kSegmentRecycled = 1;
constexpr std::string_view kSegmentSuffix = ".segment";
constexpr size_t kSegmentDigits = 20;
// Where a RecordBatch keeps its CRC-32C (Kafka protocol guide, "Record Batch").
constexpr size_t kBatchCrcAt = 17;
constexpr size_t kBatchHeaderSize = 61;

// Writes fixed-width values one behind the other.
class Put {
 public:
  explicit Put(char* to) : to_(to) {}
  template <class T>
  Put& operator()(T value) { base::PutLittle(to_, value); to_ += sizeof value; return *this; }
  Put& Bytes(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
    return *this;
  }
  char* at() const { return to_; }

 private:
  char* to_;
};

JournalId GetId(base::ByteReader& reader) {
  JournalId id{};
  auto bytes = reader.GetBytes(id.size());
  if (bytes.size() == id.size()) std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

std::string_view IdBytes(const JournalId& id) { return {id.data(), id.size()}; }

// Magic, version and checksum of a header whose checksum is its last four bytes.
HeaderState CheckHeader(std::string_view bytes, size_t size, uint64_t magic, uint32_t& version) {
  if (bytes.size() < size || base::GetLittle<uint64_t>(bytes.data()) != magic) return HeaderState::kNone;
  uint32_t crc = base::GetLittle<uint32_t>(bytes.data() + size - 4);
  if (base::Crc32c(bytes.data(), size - 4) != crc) return HeaderState::kNone;
  version = base::GetLittle<uint32_t>(bytes.data() + 8);
  return version == kJournalFormatVersion ? HeaderState::kValid : HeaderState::kOtherVersion;
}

}  // namespace

std::string JournalIdText(const JournalId& id) { return base::ToHex(IdBytes(id)); }

std::optional<JournalId> ParseJournalId(std::string_view hex) {
  std::string bytes;
  JournalId id;
  if (!base::FromHex(hex, bytes) || bytes.size() != id.size()) return std::nullopt;
  std::memcpy(id.data(), bytes.data(), id.size());
  return id;
}

void EncodeSegmentHeader(const SegmentHeader& h, char* to) {
  Put put(to);
  put(kSegmentMagic)(h.format_version)(h.recycled ? kSegmentRecycled : uint32_t{0}).Bytes(IdBytes(h.journal_id));
  put(h.number.get())(h.segment_bytes)(h.created.us)(uint32_t{0});
  put(base::Crc32c(to, kSegmentHeaderSize - 4));
}

HeaderState DecodeSegmentHeader(std::string_view bytes, SegmentHeader& h) {
  auto state = CheckHeader(bytes, kSegmentHeaderSize, kSegmentMagic, h.format_version);
  if (state != HeaderState::kValid) return state;
  base::ByteReader reader(bytes.substr(12));
  h.recycled = (reader.Get<uint32_t>() & kSegmentRecycled) != 0;
  h.journal_id = GetId(reader);
  h.number = SegmentNumber(reader.Get<uint64_t>());
  h.segment_bytes = reader.Get<uint64_t>();
  h.created = Timestamp{reader.Get<int64_t>()};
  return state;
}

void EncodeCommitHeader(const CommitHeader& h, char* to) {
  Put put(to);
  put(kCommitMagic)(h.format_version)(h.frame_count).Bytes(IdBytes(h.journal_id));
  put(h.segment.get())(h.position)(h.sequence.get())(h.time.us)(h.length)(h.body_crc)(uint32_t{0});
  put(base::Crc32c(to, kCommitHeaderSize - 4));
}

HeaderState DecodeCommitHeader(std::string_view bytes, CommitHeader& h) {
  auto state = CheckHeader(bytes, kCommitHeaderSize, kCommitMagic, h.format_version);
  if (state != HeaderState::kValid) return state;
  base::ByteReader reader(bytes.substr(12));
  h.frame_count = reader.Get<uint32_t>();
  h.journal_id = GetId(reader);
  h.segment = SegmentNumber(reader.Get<uint64_t>());
  h.position = reader.Get<uint64_t>();
  h.sequence = CommitSequence(reader.Get<uint64_t>());
  h.time = Timestamp{reader.Get<int64_t>()};
  h.length = reader.Get<uint32_t>();
  h.body_crc = reader.Get<uint32_t>();
  return h.length < kCommitHeaderSize ? HeaderState::kNone : state;
}

bool HasCommitMagic(std::string_view bytes) {
  return bytes.size() >= 8 && base::GetLittle<uint64_t>(bytes.data()) == kCommitMagic;
}

size_t FramePrefixSize(const Frame& f) {
  return kFrameHeaderSize + f.topic.size() + f.tenant.size() + f.producer.size() + f.late_bits.size();
}

size_t EncodeFramePrefix(const Frame& f, size_t batch_size, char* to) {
  size_t size = FramePrefixSize(f) + batch_size;
  Put put(to);
  put(kFrameMagic)(static_cast<uint32_t>(size))(static_cast<uint16_t>(f.kind))(static_cast<uint16_t>(f.topic.size()));
  put(static_cast<uint16_t>(f.tenant.size()))(static_cast<uint16_t>(f.producer.size()));
  put(f.partition.get())(f.rows)(f.base_offset.get())(static_cast<uint32_t>(f.next_offset - f.base_offset));
  put(static_cast<uint32_t>(f.late_bits.size()))(f.append_time.us)(f.event_time_max.us);
  put(f.chain_before)(f.chain)(f.policy_version)(f.payload_schema_id);
  CHECK(put.at() == to + kFrameHeaderSize, "the frame header has another size");
  put.Bytes(f.topic).Bytes(f.tenant).Bytes(f.producer).Bytes(f.late_bits);
  size_t padded = PadTo(size, kFrameAlignment);
  std::memset(to + size, 0, padded - size);
  return padded;
}

bool FrameCursor::Next(Frame& f) {
  if (damaged_ || at_ >= body_.size()) return false;
  base::ByteReader r(body_.substr(at_));
  uint32_t magic = r.Get<uint32_t>(), size = r.Get<uint32_t>();
  f.kind = static_cast<FrameKind>(r.Get<uint16_t>());
  size_t topic = r.Get<uint16_t>(), tenant = r.Get<uint16_t>(), producer = r.Get<uint16_t>();
  f.partition = LogPartition(r.Get<int32_t>());
  f.rows = r.Get<uint32_t>();
  f.base_offset = Offset(r.Get<int64_t>());
  uint32_t offsets = r.Get<uint32_t>();
  size_t late = r.Get<uint32_t>();
  f.append_time = Timestamp{r.Get<int64_t>()};
  f.event_time_max = Timestamp{r.Get<int64_t>()};
  f.chain_before = r.Get<uint32_t>();
  f.chain = r.Get<uint32_t>();
  f.policy_version = r.Get<uint32_t>();
  f.payload_schema_id = r.Get<int32_t>();
  f.topic = r.GetBytes(topic);
  f.tenant = r.GetBytes(tenant);
  f.producer = r.GetBytes(producer);
  f.late_bits = r.GetBytes(late);
  bool fits = r.ok() && magic == kFrameMagic && size >= r.position() && size - r.position() <= r.left() &&
              (late == 0 || late >= (uint64_t{f.rows} + 7) / 8) && f.base_offset.get() >= 0 && f.base_offset.get() <= INT64_MAX - offsets;
  if (!fits) { damaged_ = true; return false; }
  f.next_offset = f.base_offset + offsets;
  f.record_batch = r.GetBytes(size - r.position());
  at_ += PadTo(size, kFrameAlignment);
  return true;
}

uint32_t ExtendChain(uint32_t chain_before, Offset base_offset, Offset next_offset, std::string_view record_batch) {
  CHECK(record_batch.size() >= kBatchHeaderSize, "a frame without a RecordBatch");
  char bytes[24];
  Put put(bytes);
  put(chain_before)(base_offset.get())(next_offset.get()).Bytes(record_batch.substr(kBatchCrcAt, 4));
  return base::Crc32c(bytes, sizeof bytes);
}

std::string SegmentFileName(SegmentNumber number) {
  std::string digits = std::to_string(number.get());
  return std::string(kSegmentDigits - digits.size(), '0') + digits + std::string(kSegmentSuffix);
}

std::optional<SegmentNumber> ParseSegmentFileName(std::string_view name) {
  if (name.size() != kSegmentDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) return std::nullopt;
  uint64_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + kSegmentDigits, number);
  if (error != std::errc() || end != name.data() + kSegmentDigits) return std::nullopt;
  return SegmentNumber(number);
}

}  // namespace sluice::log
