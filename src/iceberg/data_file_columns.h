// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How Columns say which table column they hold: every ArrowSchema node carries the entry "PARQUET:field_id" in its metadata,
// as Arrow's own Parquet reader and writer have it. Names are not compared.
//
//   metadata = [int32 entries] { [int32 length] key [int32 length] value }...      native byte order
//
// Source: https://arrow.apache.org/docs/format/CDataInterface.html#c.ArrowSchema.metadata

#include <optional>
#include <string>
#include <string_view>

#include "base/columns.h"
#include "iceberg/schema.h"

namespace sluice::iceberg {

inline constexpr std::string_view kFieldIdMetadataKey = "PARQUET:field_id";

// Bytes for ArrowSchema.metadata with the id and nothing else. They hold zero bytes: keep the std::string alive and point at
// its data().
std::string EncodeFieldIdMetadata(FieldId id);

// The id in `metadata` (as in ArrowSchema.metadata; may be null). Nothing when there is none or it is no number.
std::optional<FieldId> FieldIdFromMetadata(const char* metadata);
inline std::optional<FieldId> FieldIdOf(const ArrowSchema& node) { return FieldIdFromMetadata(node.metadata); }

// Which child of the struct `parent` has this id; -1 when none has.
int64_t FindChildByFieldId(const ArrowSchema& parent, FieldId id);

}  // namespace sluice::iceberg
