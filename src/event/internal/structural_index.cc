// SPDX-License-Identifier: Apache-2.0
#include "event/internal/structural_index.h"

#include <simdjson.h>

#include <algorithm>

#include "base/check.h"
#include "event/limits.h"

// dom_parser_implementation is not a public interface of simdjson: look at it again when the version changes.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3 && simdjson::SIMDJSON_VERSION_MINOR == 0, "written against simdjson 3.0");

namespace sluice::event::internal {
namespace {

constexpr size_t kCapacityKept = size_t{4} << 20;  // of text; larger ones are given back by the next small text
constexpr size_t kSlack = 256;                     // stage 1 writes whole blocks of entries, and then come our sentinels
static_assert(kSlack >= StructuralIndex::kSentinels + 128);
static_assert(StructuralIndex::kSentinels > kJsonDepthMax + 8);

}  // namespace

struct StructuralIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  size_t capacity = 0;
};

StructuralIndex::StructuralIndex() : parser_(std::make_unique<Parser>()) {}
StructuralIndex::~StructuralIndex() = default;
StructuralIndex::StructuralIndex(StructuralIndex&&) noexcept = default;
StructuralIndex& StructuralIndex::operator=(StructuralIndex&&) noexcept = default;

bool StructuralIndex::Build(std::string_view text) {
  Parser& p = *parser_;
  size_t needed = text.size() + kSlack;
  if (p.capacity < needed || (p.capacity > kCapacityKept && needed <= kCapacityKept)) {
    p.capacity = std::max(needed, std::min(needed * 2, kCapacityKept));
    constexpr size_t kDepthUnused = 1;  // of the second stage, which we do not run
    auto failed = simdjson::get_active_implementation()->create_dom_parser_implementation(p.capacity, kDepthUnused, p.stage);
    CHECK(failed == simdjson::SUCCESS, "memory for the structural index");
  }
  p.stage->n_structural_indexes = 0;
  auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  if (p.stage->stage1(bytes, text.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS) return false;
  std::fill_n(p.stage->structural_indexes.get() + p.stage->n_structural_indexes, kSentinels, static_cast<uint32_t>(text.size()));
  return true;
}

const uint32_t* StructuralIndex::begin() const { return parser_->stage->structural_indexes.get(); }
const uint32_t* StructuralIndex::end() const { return begin() + parser_->stage->n_structural_indexes; }

bool IsUtf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

}  // namespace sluice::event::internal
