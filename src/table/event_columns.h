// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The 25 columns of a bronze table: what an event is once it is a row. Order, names, types and field ids are a format: they
// stand in every table, hot chunk and data file (docs/formats/bronze.md).

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "event/event_batch.h"

namespace sluice::table {

enum class ColumnType : uint8_t { kString, kTimestamp, kBinary, kStringMap, kInt, kBoolean, kLong };

// Field ids are 1 + the value.
enum class EventColumn : uint8_t {
  kId, kSource, kType, kSpecVersion, kTime, kSubject, kDataContentType, kDataSchema, kData, kDataBinary, kExtensions,
  kTraceParent, kTraceState, kPartitionKey, kSequence, kCorrelationId, kCausationId, kSchemaVersion, kSchemaId,
  kTenant, kIngestedAt, kIsLateArrival, kLogPartition, kLogOffset, kProducer,
};
inline constexpr size_t kEventColumnCount = 25;
inline constexpr int32_t kExtensionsKeyFieldId = 26;
inline constexpr int32_t kExtensionsValueFieldId = 27;

struct EventColumnSpec {
  EventColumn column;
  std::string_view name;
  ColumnType type;
  bool required;
  std::optional<event::Attribute> attribute;  // where the value comes from, when it is an attribute of the event

  constexpr int32_t field_id() const { return static_cast<int32_t>(column) + 1; }
};

// In table order.
const std::array<EventColumnSpec, kEventColumnCount>& EventColumns();

// What the attribute is in every event of CloudEvents 1.0.
inline constexpr std::string_view kSpecVersionValue = "1.0";

// Names of the older event format that SQL accepts beside the real ones; `*` does not show them.
struct EventColumnAlias {
  std::string_view alias;
  EventColumn column;
};
inline constexpr std::array<EventColumnAlias, 6> kEventColumnAliases{{
    {"event_id", EventColumn::kId},
    {"event_type", EventColumn::kType},
    {"event_timestamp", EventColumn::kTime},
    {"source_system", EventColumn::kSource},
    {"payload", EventColumn::kData},
    {"metadata", EventColumn::kExtensions},
}};

}  // namespace sluice::table
