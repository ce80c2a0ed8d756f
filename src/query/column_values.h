// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Values of Columns as text, for the renderers: one walk over the Arrow C data layout, one table of types.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/columns.h"
#include "base/result.h"

namespace sluice::query {

// How a value is written once it is text.
enum class ValueForm : uint8_t {
  kNull,
  kNumber,   // bare in JSON
  kBoolean,  // bare in JSON
  kText,     // quoted in JSON: strings, times, and numbers that JSON's readers would round (DECIMAL, HUGEINT, NaN, Infinity)
  kNested,   // list, struct, map: JSON text already
};

// Renders one column of a result. Made from its schema once, used for each batch.
// Source of the formats: https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings
class ColumnRenderer {
 public:
  // kInvalid: a type that no renderer knows (unions, run-end encoding). REQUIRES: `schema` lives during the call.
  static Result<std::unique_ptr<ColumnRenderer>> Make(const ArrowSchema& schema);
  virtual ~ColumnRenderer() = default;

  // "VARCHAR", "TIMESTAMP WITH TIME ZONE", "DECIMAL(9,2)", "BIGINT[]", "STRUCT(a INTEGER)": DuckDB's words.
  const std::string& type_name() const { return type_name_; }

  // Appends the text of row `row` of `array` (which has this column's type) to `out`, unquoted and unescaped unless nested.
  ValueForm Append(const ArrowArray& array, int64_t row, std::string& out) const;
  // Appends it as JSON: null, bare, or quoted and escaped.
  void AppendJson(const ArrowArray& array, int64_t row, std::string& out) const;

 protected:
  explicit ColumnRenderer(std::string type_name) : type_name_(std::move(type_name)) {}
  // Of a row that is not null; `row` counts from the start of the buffers.
  virtual ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const = 0;

 private:
  std::string type_name_;
};

// One renderer a column of a result's schema.
Result<std::vector<std::unique_ptr<ColumnRenderer>>> MakeRenderers(const ArrowSchema& schema);

}  // namespace sluice::query
