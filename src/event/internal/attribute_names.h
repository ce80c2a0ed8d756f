// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// CloudEvents attribute names. A slot is an Attribute, or one of the members of an event that have no column.

#include <cstdint>
#include <string>
#include <string_view>

#include "event/event_batch.h"

namespace sluice::event::internal {

using Slot = uint32_t;
inline constexpr Slot kSlotSpecVersion = kAttributeCount, kSlotDataBase64 = kAttributeCount + 1, kSlotExtension = kAttributeCount + 2;
inline constexpr Slot kSlotCount = kAttributeCount + 3;

constexpr Slot SlotOf(Attribute a) { return static_cast<Slot>(a); }
constexpr uint32_t Bit(Slot slot) { return 1u << slot; }
constexpr uint32_t Bit(Attribute a) { return Bit(SlotOf(a)); }

// The slot of a name in the JSON format ("data" and "data_base64" included); kSlotExtension for any other.
Slot FindSlot(std::string_view name);
// The name of a slot other than kSlotExtension.
std::string_view SlotName(Slot slot);
// Extensions with a column: like all extensions they may be booleans and integers.
constexpr bool IsExtensionSlot(Slot slot) { return slot >= SlotOf(Attribute::kTraceParent) && slot < kAttributeCount; }

// [a-z0-9]+
bool IsAttributeName(std::string_view name);
// "/name" with `~` and `/` escaped (RFC 6901); long names are cut.
std::string PointerTo(std::string_view name);

// type/subtype, with or without parameters. RFC 2046.
bool IsMediaType(std::string_view text);
// */json or */*+json, in any case, with or without parameters. CloudEvents JSON format, 3.1.1.
bool IsJsonMediaType(std::string_view text);
bool EqualsIgnoringCase(std::string_view a, std::string_view lower);
bool StartsIgnoringCase(std::string_view text, std::string_view lower_prefix);

}  // namespace sluice::event::internal
