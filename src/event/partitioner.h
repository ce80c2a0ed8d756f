// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Which log partition an event belongs to: Kafka's default partitioner over the record key, so that Kafka clients and Sluice agree.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event_batch.h"

namespace sluice::event {

// The 32-bit murmur2 of Kafka's Java client (org.apache.kafka.common.utils.Utils.murmur2), as a signed number like there.
int32_t Murmur2(std::string_view key);

// murmur2 & 0x7fffffff, modulo the number of partitions. REQUIRES: partitions > 0.
int32_t PartitionOf(std::string_view key, int32_t partitions);

// Takes the record key out of an event: the text at the topic's pointers, else partitionkey, subject, source, in this order.
//
//   one pointer        a string's text without quotes and escapes; of anything else its JSON text as it came
//   several pointers   a compact JSON array of the values: ["a",5]; strings escaped as little as possible
//   missing, null      of any pointer: the next rule
//
// Immutable; may be shared by threads.
class KeyExtractor {
 public:
  // `pointers`: JSON pointers (RFC 6901) into the event: "/subject", "/comexampleext", "/data/user/id". Empty: only the other rules.
  // kInvalid: not a pointer, or one to the whole event.
  static Result<KeyExtractor> Make(const std::vector<std::string>& pointers);

  // The key of a row: a slice of its values or of the arena, where it is stored when it has to be made. View it when no more keys are
  // extracted: the arena may move. Never absent, because every event has a source.
  Slice Extract(EventBatch& batch, size_t row) const;

 private:
  struct Pointer {
    std::string name;               // the first token: an attribute, an extension or "data"
    std::vector<std::string> rest;  // tokens below it
  };
  enum class Kind { kText, kJson };  // of a value: text as it is, or JSON text
  struct Value {
    Slice slice;  // position 0: missing
    Kind kind = Kind::kText;
  };

  static Value Find(const EventBatch& batch, size_t row, const Pointer& pointer);
  static Value FindData(const EventBatch& batch, size_t row, const Pointer& pointer);
  Slice Composite(EventBatch& batch, size_t row) const;

  std::vector<Pointer> pointers_;
};

}  // namespace sluice::event
