// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Plain JSON records made CloudEvents, as --map says:
//
//   id=/id,source=https://earthquake.usgs.gov,type=gov.usgs.{/properties/type},time=/properties/time
//
//   /pointer          what stands there (RFC 6901); null and nothing leave the attribute out
//   a{/pointer}b      a template
//   anything else     a constant; one that begins with '/' or holds '{' is written with "==": source==/demo
//
// `data` is the whole record, byte for byte, unless it is mapped to a pointer. Any other name is an extension.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/json_text.h"

namespace sluice::cli {

class EventMapping {
 public:
  // kInvalid: an entry that cannot be read, a name twice, or none for id, source or type; the hint shows what to write.
  static Result<EventMapping> Parse(std::string_view text);

  // A structured CloudEvent on one line. kInvalid says which attribute of the record is missing or of a wrong kind.
  Result<std::string> Apply(std::string_view record) const;

 private:
  // Constants and pointers in turn; a pointer alone is one part.
  struct Part {
    std::string constant;
    bool is_pointer = false;
    JsonPointer pointer;
  };
  struct Entry {
    std::string name;
    std::vector<Part> parts;
  };
  static Result<Entry> ParseEntry(std::string_view name, std::string_view value);
  static Result<std::vector<Part>> ParseTemplate(std::string_view value);
  static Result<bool> AppendAttribute(const Entry& entry, const Json& record, std::string& out);
  static Result<bool> AppendText(const Entry& entry, const Json& record, std::string& text);
  Result<void> AppendData(std::string_view record, std::string& out) const;

  std::vector<Entry> entries_;  // all but data
  JsonPointer data_;            // "" : the whole record
};

// RFC 3339 text as it is; numbers, or texts of digits, as time since 1970 in seconds, ms, µs or ns, told apart by their size: a
// unit holds until the year 5138. kInvalid: anything else.
Result<std::string> EventTimeText(const Json& value);

// Why `record` is no CloudEvent that the server would look at, with the hint for --map. Only the required attributes are looked at.
Result<void> CheckIsCloudEvent(std::string_view record);

// The event time of a structured event; the largest Timestamp when it has none.
Timestamp EventTimeOf(std::string_view event);

}  // namespace sluice::cli
