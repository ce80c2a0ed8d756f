// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For fuzz targets of this folder: whether two rows say the same.

#include "base/check.h"
#include "event/event_batch.h"

namespace sluice::event {

inline void CheckSameRow(const EventBatch& a, size_t row_a, const EventBatch& b, size_t row_b) {
  for (size_t i = 0; i < kAttributeCount; i++) {
    auto attribute = static_cast<Attribute>(i);
    std::string_view left = a.Get(attribute, row_a), right = b.Get(attribute, row_b);
    CHECK((left.data() == nullptr) == (right.data() == nullptr), "both have the attribute or neither");
    CHECK(left == right, "the attribute is the same");
  }
  CHECK(a.time_us(row_a) == b.time_us(row_b), "the time is the same");
  auto left = a.extensions(row_a), right = b.extensions(row_b);
  CHECK(left.size() == right.size(), "as many extensions");
  for (size_t i = 0; i < left.size(); i++) {
    CHECK(a.View(left[i].name) == b.View(right[i].name), "the extension's name is the same");
    CHECK(a.View(left[i].value) == b.View(right[i].value), "the extension's value is the same");
  }
}

// What every row promises.
inline void CheckRows(const EventBatch& batch) {
  for (size_t row = 0; row < batch.rows(); row++) {
    for (auto attribute : {Attribute::kId, Attribute::kSource, Attribute::kType}) CHECK(!batch.Get(attribute, row).empty(), "every row is a valid event");
    bool text = batch.Get(Attribute::kData, row).data() != nullptr, bytes = batch.Get(Attribute::kDataBinary, row).data() != nullptr;
    CHECK(!(text && bytes), "data is text or bytes");
  }
}

}  // namespace sluice::event
