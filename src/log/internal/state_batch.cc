// SPDX-License-Identifier: Apache-2.0
#include "log/internal/state_batch.h"

#include "base/bytes.h"
#include "event/record_batch_decoder.h"
#include "event/record_batch_format.h"

namespace sluice::log {
namespace {

// Zigzag varints as in event/record_batch_format.h.
void AppendVarint(std::string& to, int64_t value) {
  uint64_t z = static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
  for (; z > 127; z >>= 7) to += static_cast<char>(z | 128);
  to += static_cast<char>(z);
}

class VarintReader {
 public:
  explicit VarintReader(std::string_view bytes) : reader_(bytes) {}
  int64_t Get() {
    uint64_t z = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<uint8_t>(reader_.Get<int8_t>());
      z |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return static_cast<int64_t>(z >> 1) ^ -static_cast<int64_t>(z & 1);
    }
    long_ = true;
    return 0;
  }
  std::string_view GetBytes(int64_t n) { return reader_.GetBytes(n < 0 ? reader_.left() + 1 : static_cast<size_t>(n)); }
  void Skip(size_t n) { reader_.GetBytes(n); }
  bool ok() const { return reader_.ok() && !long_; }

 private:
  base::ByteReader reader_;
  bool long_ = false;
};

std::string EncodeRecord(const StateEntry& entry, size_t index) {
  std::string body(1, '\0');  // attributes
  AppendVarint(body, 0);      // timestamp delta
  AppendVarint(body, static_cast<int64_t>(index));
  AppendVarint(body, static_cast<int64_t>(entry.key.size()));
  body += entry.key;
  AppendVarint(body, entry.value ? static_cast<int64_t>(entry.value->size()) : -1);
  if (entry.value) body += *entry.value;
  AppendVarint(body, 0);  // headers
  return body;
}

Error NoStateBatch() { return Error{ErrorCode::kCorruption, "a state entry is not what was written", {}}; }

}  // namespace

std::string EncodeStateBatch(const std::vector<StateEntry>& entries, Offset base_offset, Timestamp append_time) {
  int64_t ms = base::FloorDiv(append_time.us, kMicrosPerMilli);
  std::string covered;  // by the CRC
  base::AppendBig(covered, int16_t{0});
  base::AppendBig(covered, static_cast<int32_t>(entries.size() - 1));
  base::AppendBig(covered, ms);
  base::AppendBig(covered, ms);
  base::AppendBig(covered, int64_t{-1});
  base::AppendBig(covered, int16_t{-1});
  base::AppendBig(covered, int32_t{-1});
  base::AppendBig(covered, static_cast<int32_t>(entries.size()));
  for (size_t i = 0; i < entries.size(); i++) {
    std::string record = EncodeRecord(entries[i], i);
    AppendVarint(covered, static_cast<int64_t>(record.size()));
    covered += record;
  }
  std::string batch;
  base::AppendBig(batch, base_offset.get());
  base::AppendBig(batch, static_cast<int32_t>(event::kAttributesAt - event::kRecordBatchLengthBytes + covered.size()));
  base::AppendBig(batch, int32_t{0});
  base::AppendBig(batch, event::kRecordBatchMagic);
  base::AppendBig(batch, base::Crc32c(covered));
  return batch + covered;
}

Result<std::vector<StateEntry>> DecodeStateBatch(std::string_view record_batch) {
  ASSIGN_OR_RETURN(auto header, event::ReadRecordBatchHeader(record_batch));
  if (header.bytes != record_batch.size() || !event::HasValidCrc(header, record_batch)) return NoStateBatch();
  std::vector<StateEntry> entries;
  VarintReader r(record_batch.substr(event::kRecordBatchHeaderBytes));
  for (int32_t i = 0; i < header.record_count; i++) {
    r.Get();    // length
    r.Skip(1);  // attributes
    r.Get();    // timestamp delta
    r.Get();    // offset delta
    StateEntry entry;
    int64_t key_size = r.Get();
    entry.key = r.GetBytes(key_size);
    int64_t value_size = r.Get();
    if (value_size >= 0) entry.value = r.GetBytes(value_size);
    int64_t headers = r.Get();
    if (!r.ok() || headers != 0) return NoStateBatch();
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace sluice::log
