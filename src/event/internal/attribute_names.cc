// SPDX-License-Identifier: Apache-2.0
#include "event/internal/attribute_names.h"

#include <algorithm>

namespace sluice::event::internal {
namespace {

// By slot. kDataBinary is "data_base64" where names are compared; as a column it has no name of its own.
constexpr std::string_view kNames[] = {"id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64",
                                       "traceparent", "tracestate", "partitionkey", "sequence", "correlationid", "causationid", "schemaversion",
                                       "specversion", "data_base64"};
static_assert(std::size(kNames) == kSlotExtension);

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

// RFC 7230 tchar.
bool IsTokenCharacter(char c) {
  return (Lower(c) >= 'a' && Lower(c) <= 'z') || (c >= '0' && c <= '9') || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}
bool IsToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter); }

// "type/subtype" without parameters and the spaces before them.
std::string_view WithoutParameters(std::string_view text) {
  text = text.substr(0, text.find(';'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Slot FindSlot(std::string_view name) {
  auto is = [name](Slot slot) { return name == kNames[slot]; };
  auto attribute = [&is](std::initializer_list<Attribute> candidates) {
    for (Attribute a : candidates) if (is(SlotOf(a))) return SlotOf(a);
    return kSlotExtension;
  };
  using enum Attribute;
  switch (name.size()) {
    case 2: return attribute({kId});
    case 4: return attribute({kType, kTime, kData});
    case 6: return attribute({kSource});
    case 7: return attribute({kSubject});
    case 8: return attribute({kSequence});
    case 10: return attribute({kDataSchema, kTraceState});
    case 11:
      if (is(kSlotSpecVersion)) return kSlotSpecVersion;
      if (is(kSlotDataBase64)) return kSlotDataBase64;
      return attribute({kTraceParent, kCausationId});
    case 12: return attribute({kPartitionKey});
    case 13: return attribute({kCorrelationId, kSchemaVersion});
    case 15: return attribute({kDataContentType});
    default: return kSlotExtension;
  }
}

std::string_view SlotName(Slot slot) { return kNames[slot]; }

bool IsAttributeName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

std::string PointerTo(std::string_view name) {
  constexpr size_t kNameShown = 64;
  if (name.size() > kNameShown) {
    size_t n = kNameShown;
    while (n > 0 && (static_cast<unsigned char>(name[n]) & 0xC0) == 0x80) n--;  // not inside a character
    name = name.substr(0, n);
  }
  std::string out = "/";
  for (char c : name) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else out += c;
  }
  return out;
}

bool EqualsIgnoringCase(std::string_view a, std::string_view lower) { return a.size() == lower.size() && StartsIgnoringCase(a, lower); }

bool StartsIgnoringCase(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() && std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(), [](char l, char t) { return l == Lower(t); });
}

bool IsMediaType(std::string_view text) {
  text = WithoutParameters(text);
  size_t slash = text.find('/');
  return slash != std::string_view::npos && IsToken(text.substr(0, slash)) && IsToken(text.substr(slash + 1));
}

bool IsJsonMediaType(std::string_view text) {
  text = WithoutParameters(text);
  size_t slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  std::string_view subtype = text.substr(slash + 1);
  return EqualsIgnoringCase(subtype, "json") || (subtype.size() > 5 && EqualsIgnoringCase(subtype.substr(subtype.size() - 5), "+json"));
}

}  // namespace sluice::event::internal
