// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_seal.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::iceberg {
namespace {

constexpr std::string_view kSealMagic = "SLUICE\x1aS", kParquetMagic = "PAR1";
constexpr uint32_t kSealFormat = 1;
constexpr size_t kSealBytes = 32, kEndBytes = 8;  // a footer ends with its length and the magic
constexpr size_t kFirstReadBytes = 32 * 1024;     // from the end: most footers and seals as a whole
constexpr size_t kMarkerWithin = 4 * 1024;        // of the end: in a footer, key-value metadata comes behind all row groups
constexpr uint64_t kDataBytesMax = uint64_t{1} << 42;

Error Damaged(const std::string& what) { return {ErrorCode::kCorruption, what, {}}; }
Error DamagedBytes(uint64_t begin, uint64_t end) {
  return Damaged("bytes " + std::to_string(begin) + " to " + std::to_string(end) + " are not what was written");
}

uint64_t BlocksOf(uint64_t bytes) { return (bytes + kSealBlockBytes - 1) / kSealBlockBytes; }

// The key in Thrift's compact protocol, value included.
std::string Marker() {
  std::string out("\x18");
  out += static_cast<char>(kSealKey.size());
  out += kSealKey;
  out += '\x18';
  out += static_cast<char>(kSealVersion.size());
  return out += kSealVersion;
}

// All of `to`, or kCorruption: the object is shorter.
Result<void> ReadAll(io::ObjectReader& object, uint64_t at, std::span<char> to) {
  while (!to.empty()) {
    ASSIGN_OR_RETURN(const size_t read, object.Read(at, to));
    if (read == 0) return Damaged("it is shorter than it was");
    at += read;
    to = to.subspan(read);
  }
  return {};
}

// The end of an object, read as far to the front as somebody needs it.
class Tail {
 public:
  explicit Tail(io::ObjectReader& object) : object_(object) {}
  // The last `bytes` of the object. REQUIRES: it has as many.
  Result<std::string_view> Last(uint64_t bytes) {
    if (bytes > bytes_.size()) {
      const size_t more = std::min<uint64_t>(object_.size(), std::max<uint64_t>(bytes, kFirstReadBytes)) - bytes_.size();
      std::string front(more, '\0');
      RETURN_IF_ERROR(ReadAll(object_, object_.size() - bytes_.size() - more, front));
      bytes_.insert(0, front);
    }
    return std::string_view(bytes_).substr(bytes_.size() - bytes);
  }

 private:
  io::ObjectReader& object_;
  std::string bytes_;
};

class VerifyingReader final : public io::ObjectReader {
 public:
  VerifyingReader(std::unique_ptr<io::ObjectReader> object, uint64_t data_bytes, std::string checksums)
      : object_(std::move(object)), data_bytes_(data_bytes), checksums_(std::move(checksums)), known_(BlocksOf(data_bytes) / kBits + 1) {}

  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    if (at >= size()) return size_t{0};
    to = to.first(std::min<uint64_t>(to.size(), size() - at));
    RETURN_IF_ERROR(ReadAll(*object_, at, to));
    if (at >= data_bytes_) return to.size();
    const uint64_t end = std::min(at + to.size(), data_bytes_);
    for (uint64_t block = at / kSealBlockBytes; block * kSealBlockBytes < end; block++)
      if (!IsKnown(block)) RETURN_IF_ERROR(Verify(block, at, to));
    return to.size();
  }
  uint64_t size() const override { return object_->size(); }
  int descriptor() const override { return object_->descriptor(); }

 private:
  static constexpr size_t kBits = 64;

  // `to` holds what stands at `at`, and touches the block.
  Result<void> Verify(uint64_t block, uint64_t at, std::span<char> to) {
    const uint64_t begin = block * kSealBlockBytes, end = std::min(begin + kSealBlockBytes, data_bytes_);
    std::array<char, kSealBlockBytes> space;  // NOLINT: filled below
    const char* bytes = to.data() + (begin - at);
    if (begin < at || end > at + to.size()) {  // what is given out is what was looked at
      RETURN_IF_ERROR(ReadAll(*object_, begin, std::span(space).first(end - begin)));
      const uint64_t from = std::max(begin, at), until = std::min(end, at + to.size());
      std::memcpy(to.data() + (from - at), space.data() + (from - begin), until - from);
      bytes = space.data();
    }
    if (base::Crc32c(bytes, end - begin) != base::GetLittle<uint32_t>(checksums_.data() + block * sizeof(uint32_t)))
      return DamagedBytes(begin, end);
    known_[block / kBits].fetch_or(uint64_t{1} << block % kBits, std::memory_order_relaxed);
    return {};
  }
  bool IsKnown(uint64_t block) const { return (known_[block / kBits].load(std::memory_order_relaxed) >> block % kBits & 1) != 0; }

  std::unique_ptr<io::ObjectReader> object_;
  uint64_t data_bytes_;
  std::string checksums_;
  std::vector<std::atomic<uint64_t>> known_;  // a bit a block: it is as it was written
};

}  // namespace

void SealBuilder::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    auto part = bytes.substr(0, kSealBlockBytes - bytes_ % kSealBlockBytes);
    crc_ = base::Crc32c(part, crc_);
    bytes_ += part.size();
    bytes.remove_prefix(part.size());
    if (bytes_ % kSealBlockBytes != 0) continue;
    base::AppendLittle(blocks_, crc_);
    crc_ = 0;
  }
}

std::string SealBuilder::Finish(std::string_view footer) const {
  std::string out = blocks_;
  if (bytes_ % kSealBlockBytes != 0) base::AppendLittle(out, crc_);
  out += kSealMagic;
  base::AppendLittle(out, kSealFormat);
  base::AppendLittle(out, static_cast<uint32_t>(kSealBlockBytes));
  base::AppendLittle(out, bytes_);
  base::AppendLittle(out, base::Crc32c(footer));
  base::AppendLittle(out, base::Crc32c(out));
  return out;
}

Result<std::unique_ptr<io::ObjectReader>> VerifySeal(std::unique_ptr<io::ObjectReader> object, bool* sealed) {
  if (sealed != nullptr) *sealed = false;
  const uint64_t size = object->size();
  if (size < kEndBytes + kSealBytes) return object;
  Tail tail(*object);
  ASSIGN_OR_RETURN(auto end, tail.Last(kEndBytes));
  if (end.substr(sizeof(uint32_t)) != kParquetMagic) return object;  // no Parquet file: whoever reads it says so
  const uint64_t footer_bytes = base::GetLittle<uint32_t>(end.data()) + kEndBytes;
  std::string_view last;
  if (footer_bytes + kSealBytes <= size) { ASSIGN_OR_RETURN(last, tail.Last(footer_bytes + kSealBytes)); }
  if (!last.starts_with(kSealMagic)) {
    // A rotten length moves the place where the seal is looked for; the footer's end stays where it is.
    ASSIGN_OR_RETURN(auto marked, tail.Last(std::min<uint64_t>(size, kMarkerWithin)));
    if (marked.find(Marker()) != std::string_view::npos) return Damaged("its seal or the length of its footer is not what was written");
    return object;
  }
  base::ByteReader seal(last.substr(kSealMagic.size(), kSealBytes - kSealMagic.size()));
  const auto format = seal.Get<uint32_t>(), block_bytes = seal.Get<uint32_t>();
  const auto data_bytes = seal.Get<uint64_t>();
  const auto footer_crc = seal.Get<uint32_t>(), seal_crc = seal.Get<uint32_t>();
  const uint64_t table_bytes = data_bytes > kDataBytesMax ? 0 : BlocksOf(data_bytes) * sizeof(uint32_t);
  if (format != kSealFormat || block_bytes != kSealBlockBytes || data_bytes + table_bytes + kSealBytes + footer_bytes != size)
    return DamagedBytes(size - last.size(), size);
  ASSIGN_OR_RETURN(auto whole, tail.Last(table_bytes + last.size()));
  if (base::Crc32c(whole.substr(0, table_bytes + kSealBytes - sizeof(uint32_t))) != seal_crc ||
      base::Crc32c(whole.substr(table_bytes + kSealBytes)) != footer_crc)
    return DamagedBytes(size - whole.size(), size);
  if (sealed != nullptr) *sealed = true;
  return std::unique_ptr<io::ObjectReader>(
      std::make_unique<VerifyingReader>(std::move(object), data_bytes, std::string(whole.substr(0, table_bytes))));
}

}  // namespace sluice::iceberg
