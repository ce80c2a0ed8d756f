// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Partition transforms: how a column's value becomes a partition value.
// Source: Iceberg table spec, "Partition Transforms" and appendix B (hashes).

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "iceberg/value.h"

namespace sluice::iceberg {

enum class TransformKind : uint8_t { kIdentity, kBucket, kTruncate, kYear, kMonth, kDay, kHour, kVoid, kUnknown };

struct Transform {
  TransformKind kind = TransformKind::kIdentity;
  int32_t parameter = 0;  // buckets of kBucket, width of kTruncate
  std::string text = {};  // kUnknown: the name as it was read, written back unchanged

  bool operator==(const Transform&) const = default;
};

// "identity", "bucket[16]", "hour", ... What is not known becomes kUnknown: readers ignore it, writers refuse it.
Transform ParseTransform(std::string_view text);
std::string TransformToText(const Transform& transform);

// kInvalid: the transform does not take that type, or is unknown.
Result<void> CheckTransform(const Transform& transform, const Type& source);
// The type of a partition value. Unknown transforms give string, as other implementations do.
Type TransformResult(const Transform& transform, const Type& source);

// Null stays null; void gives null. REQUIRES: CheckTransform succeeded and `value` is null or fits `source`.
Value ApplyTransform(const Transform& transform, const Value& value, const Type& source);

// Whether a <= b implies transform(a) <= transform(b), which lets ranges be pruned: all but bucket, void and unknown.
bool KeepsOrder(const Transform& transform);

// For partition paths: "2026-01-15-10" for an hour, "2026-01" for a month, else as ValueToText.
std::string PartitionValueToText(const Transform& transform, const Value& value, const Type& result);

// murmur3_x86_32 with seed 0 over the bytes that appendix B defines for the type; boolean and floats hash, too.
// REQUIRES: `value` is not null and fits `type`.
int32_t HashValue(const Value& value, const Type& type);

}  // namespace sluice::iceberg
