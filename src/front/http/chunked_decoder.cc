// SPDX-License-Identifier: Apache-2.0
#include "front/http/chunked_decoder.h"

#include <algorithm>
#include <cstring>

namespace sluice::front::http {
namespace {

constexpr uint64_t kSizeMax = uint64_t{1} << 56;  // sixteen digits of any value would overflow

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

void ChunkedDecoder::Reset(uint64_t body_bytes_max) {
  *this = ChunkedDecoder();
  body_bytes_max_ = body_bytes_max;
}

ChunkedDecoder::Outcome ChunkedDecoder::Decode(std::string_view& input, BodyBuffer& body) {
  while (!input.empty()) {
    if (part_ == Part::kData) {
      Outcome outcome = Copy(input, body);
      if (outcome != Outcome::kMore) return outcome;
      continue;
    }
    char c = input.front();
    input.remove_prefix(1);
    if (!Step(c)) return Outcome::kMalformed;
    if (done_) return Outcome::kDone;
    if (part_ == Part::kData && size_ > body_bytes_max_ - body.size()) return Outcome::kTooLarge;
  }
  return Outcome::kMore;
}

ChunkedDecoder::Outcome ChunkedDecoder::Copy(std::string_view& input, BodyBuffer& body) {
  size_t n = static_cast<size_t>(std::min<uint64_t>(size_, input.size()));
  if (n > body.room()) body.Reserve(std::max(body.size() + n, 2 * body.capacity()));
  std::memcpy(body.end(), input.data(), n);
  input.remove_prefix(n);
  size_ -= n;
  if (size_ == 0) part_ = Part::kDataCr;
  return body.Grew(n) ? Outcome::kMore : Outcome::kExhausted;
}

// Takes one byte of the framing. False: malformed.
bool ChunkedDecoder::Step(char c) {
  switch (part_) {
    case Part::kSizeStart:
    case Part::kSize: {
      if (++line_bytes_ > kChunkLineBytesMax) return false;
      int digit = HexDigit(c);
      if (digit >= 0) {
        if (size_ >= kSizeMax / 16) return false;
        size_ = size_ * 16 + static_cast<uint64_t>(digit);
        part_ = Part::kSize;
        return true;
      }
      if (part_ == Part::kSizeStart) return false;
      part_ = c == ';' ? Part::kExtension : Part::kSizeLf;
      return c == ';' || c == '\r';
    }
    case Part::kExtension:
      if (c == '\r') part_ = Part::kSizeLf;
      return c == '\r' || (!IsControl(c) && ++line_bytes_ <= kChunkLineBytesMax && Extra());
    case Part::kSizeLf:
      return c == '\n' && SizeEnded();
    case Part::kDataCr:
      part_ = Part::kDataLf;
      return c == '\r';
    case Part::kDataLf:
      part_ = Part::kSizeStart;
      size_ = 0;
      line_bytes_ = 0;
      return c == '\n';
    case Part::kTrailerStart:
      part_ = c == '\r' ? Part::kEndLf : Part::kTrailer;
      return c == '\r' || (!IsControl(c) && c != ' ' && c != '\t' && Extra());
    case Part::kTrailer:
      if (c == '\r') part_ = Part::kTrailerLf;
      return c == '\r' || (!IsControl(c) && Extra());
    case Part::kTrailerLf:
      part_ = Part::kTrailerStart;
      return c == '\n';
    case Part::kEndLf:
      done_ = c == '\n';
      return done_;
    case Part::kData:
      break;
  }
  return false;
}

bool ChunkedDecoder::SizeEnded() {
  part_ = size_ == 0 ? Part::kTrailerStart : Part::kData;
  return true;
}

bool ChunkedDecoder::Extra() { return ++extra_bytes_ <= kChunkExtraBytesMax; }

}  // namespace sluice::front::http
