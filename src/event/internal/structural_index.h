// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The first stage of simdjson: where the structure of a JSON text is. The walkers do the rest.
//
//   {"id": "a", "n":  12}
//   ^^   ^ ^  ^ ^  ^  ^ ^      opening quotes, first bytes of scalars, { } [ ] : ,

#include <cstdint>
#include <memory>
#include <string_view>

namespace sluice::event::internal {

// Reused from text to text; not thread-safe.
class StructuralIndex {
 public:
  StructuralIndex();
  ~StructuralIndex();
  StructuralIndex(StructuralIndex&&) noexcept;
  StructuralIndex& operator=(StructuralIndex&&) noexcept;

  // Indexes `text`. False: it is not UTF-8, a string holds a control character or does not end, or there is nothing but
  // spaces: see FindTextError. What it does *not* check: escapes, scalars, and whether the structure makes sense.
  // REQUIRES: 64 readable bytes behind `text`, of any content.
  bool Build(std::string_view text);

  // Positions, ascending. kSentinels more entries behind end() hold text.size(): a walker whose first structural is an opening and
  // whose last is a closing bracket cannot run past them, whatever byte stands behind the text (the same byte, again and again, can
  // close at most kJsonDepthMax levels and open none).
  const uint32_t* begin() const;
  const uint32_t* end() const;
  static constexpr size_t kSentinels = 80;

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

bool IsUtf8(std::string_view bytes);

}  // namespace sluice::event::internal
