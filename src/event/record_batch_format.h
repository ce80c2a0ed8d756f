// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// How events stand in a Kafka RecordBatch (message format 2): the CloudEvents Kafka binding in binary mode, uncompressed.
//
//   RecordBatch = base offset i64 | length i32 | leader epoch i32 | magic i8 | CRC-32C u32 | attributes i16 | last offset delta i32 |
//                 first timestamp i64 | max timestamp i64 | producer id i64 | epoch i16 | sequence i32 | record count i32 | records
//   record      = length | attributes i8 | timestamp delta | offset delta | key length, key | value length, value | header count, headers
//   header      = key length, key | value length, value
//
// Fixed-width integers are big-endian; those of records are zigzag varints; length -1 is null. The CRC covers what follows it, so
// base offset and leader epoch can be written later. Timestamps are milliseconds: the event time, or the append time without one.
// Sources: https://kafka.apache.org/documentation/#recordbatch, CloudEvents Kafka protocol binding 1.0.2.
//
//   attribute of the event      header
//   id, source, type, ...       ce_<name>, as text; ce_time verbatim
//   specversion                 ce_specversion "1.0"
//   datacontenttype             content-type
//   extension                   ce_<name>
//   data                        the record's value; null: no data
//   data in binary              the value, too, and the header sluice_binary "1": so that bytes that happen to be text come back as bytes

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "event/event_batch.h"

namespace sluice::event {

inline constexpr size_t kRecordBatchHeaderBytes = 61;
inline constexpr size_t kRecordBatchLengthBytes = 12;  // base offset and length: what the length does not count
inline constexpr int8_t kRecordBatchMagic = 2;

// Positions of fields.
inline constexpr size_t kBaseOffsetAt = 0, kLengthAt = 8, kLeaderEpochAt = 12, kMagicAt = 16, kCrcAt = 17, kAttributesAt = 21, kLastOffsetDeltaAt = 23,
                        kFirstTimestampAt = 27, kMaxTimestampAt = 35, kProducerIdAt = 43, kProducerEpochAt = 51, kBaseSequenceAt = 53, kRecordCountAt = 57;

// Bits of the batch's attributes.
inline constexpr int16_t kCompressionBits = 0x07, kLogAppendTimeBit = 0x08, kTransactionalBit = 0x10, kControlBit = 0x20;

inline constexpr std::string_view kAttributeHeaderPrefix = "ce_";
inline constexpr std::string_view kContentTypeHeader = "content-type";  // datacontenttype
inline constexpr std::string_view kSpecVersionHeader = "ce_specversion", kSpecVersion = "1.0";
inline constexpr std::string_view kBinaryDataHeader = "sluice_binary", kBinaryData = "1";

// The header of each attribute with a column, kData and kDataBinary apart. The order is that of the encoder.
struct AttributeHeader {
  Attribute attribute;
  std::string_view key;
};
inline constexpr AttributeHeader kAttributeHeaders[] = {
    {Attribute::kId, "ce_id"}, {Attribute::kSource, "ce_source"}, {Attribute::kType, "ce_type"}, {Attribute::kTime, "ce_time"},
    {Attribute::kSubject, "ce_subject"}, {Attribute::kDataContentType, kContentTypeHeader}, {Attribute::kDataSchema, "ce_dataschema"},
    {Attribute::kTraceParent, "ce_traceparent"}, {Attribute::kTraceState, "ce_tracestate"}, {Attribute::kPartitionKey, "ce_partitionkey"},
    {Attribute::kSequence, "ce_sequence"}, {Attribute::kCorrelationId, "ce_correlationid"}, {Attribute::kCausationId, "ce_causationid"},
    {Attribute::kSchemaVersion, "ce_schemaversion"},
};
static_assert(std::size(kAttributeHeaders) == kAttributeCount - 2);

}  // namespace sluice::event
