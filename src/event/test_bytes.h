// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests of this folder: bytes with the padding that decoders need, filled with what would fool one that reads too far.

#include <string>
#include <string_view>

namespace sluice::event {

class PaddedBytes {
 public:
  explicit PaddedBytes(std::string_view text, char padding = '"') : size_(text.size()), bytes_(text) { bytes_.append(64, padding); }
  std::string_view view() const { return {bytes_.data(), size_}; }

 private:
  size_t size_;
  std::string bytes_;
};

// A valid event with `more` members before the closing brace: `,"data":1`.
inline std::string EventWith(std::string_view more) {
  return R"({"specversion":"1.0","id":"a","source":"/s","type":"t")" + std::string(more) + "}";
}

}  // namespace sluice::event
