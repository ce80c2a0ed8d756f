// SPDX-License-Identifier: Apache-2.0
#include "table/event_columns.h"

namespace sluice::table {

const std::array<EventColumnSpec, kEventColumnCount>& EventColumns() {
  using A = event::Attribute;
  using C = EventColumn;
  using T = ColumnType;
  static constexpr std::array<EventColumnSpec, kEventColumnCount> kColumns{{
      {C::kId, "id", T::kString, true, A::kId},
      {C::kSource, "source", T::kString, true, A::kSource},
      {C::kType, "type", T::kString, true, A::kType},
      {C::kSpecVersion, "specversion", T::kString, true, {}},
      {C::kTime, "time", T::kTimestamp, true, {}},
      {C::kSubject, "subject", T::kString, false, A::kSubject},
      {C::kDataContentType, "datacontenttype", T::kString, false, A::kDataContentType},
      {C::kDataSchema, "dataschema", T::kString, false, A::kDataSchema},
      {C::kData, "data", T::kString, false, A::kData},
      {C::kDataBinary, "data_binary", T::kBinary, false, A::kDataBinary},
      {C::kExtensions, "extensions", T::kStringMap, false, {}},
      {C::kTraceParent, "traceparent", T::kString, false, A::kTraceParent},
      {C::kTraceState, "tracestate", T::kString, false, A::kTraceState},
      {C::kPartitionKey, "partitionkey", T::kString, false, A::kPartitionKey},
      {C::kSequence, "sequence", T::kString, false, A::kSequence},
      {C::kCorrelationId, "correlationid", T::kString, false, A::kCorrelationId},
      {C::kCausationId, "causationid", T::kString, false, A::kCausationId},
      {C::kSchemaVersion, "schema_version", T::kString, false, A::kSchemaVersion},
      {C::kSchemaId, "schema_id", T::kInt, false, {}},
      {C::kTenant, "tenant", T::kString, true, {}},
      {C::kIngestedAt, "ingested_at", T::kTimestamp, true, {}},
      {C::kIsLateArrival, "is_late_arrival", T::kBoolean, true, {}},
      {C::kLogPartition, "log_partition", T::kInt, true, {}},
      {C::kLogOffset, "log_offset", T::kLong, true, {}},
      {C::kProducer, "producer", T::kString, false, {}},
  }};
  return kColumns;
}

}  // namespace sluice::table
