// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Takes the chunked transfer coding (RFC 9112 section 7.1) off a body, byte by byte where it must, run by run where it can.
// Strict: CRLF only, no white space around sizes, every part bounded. Extensions and trailers are skipped.

#include <cstdint>
#include <string_view>

#include "front/http/body_buffer.h"

namespace sluice::front::http {

class ChunkedDecoder {
 public:
  enum class Outcome : uint8_t {
    kMore,       // all of the input was used
    kDone,       // the body ended; what follows is the next request
    kMalformed,
    kTooLarge,   // more than `body_bytes_max`
    kExhausted,  // the pool's bound for bodies in flight
  };
  void Reset(uint64_t body_bytes_max);
  // Decodes from the front of `input` and cuts off what was used; appends to `body`.
  Outcome Decode(std::string_view& input, BodyBuffer& body);

 private:
  enum class Part : uint8_t { kSizeStart, kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailerStart, kTrailer, kTrailerLf, kEndLf };
  bool Step(char c);
  bool SizeEnded();
  bool Extra();
  Outcome Copy(std::string_view& input, BodyBuffer& body);

  uint64_t body_bytes_max_ = 0;
  uint64_t size_ = 0;  // of the chunk, and then what is left of it
  size_t line_bytes_ = 0;
  size_t extra_bytes_ = 0;
  Part part_ = Part::kSizeStart;
  bool done_ = false;
};

}  // namespace sluice::front::http
