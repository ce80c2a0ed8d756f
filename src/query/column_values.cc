// SPDX-License-Identifier: Apache-2.0
#include "query/column_values.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/time.h"
#include "query/value_text.h"

namespace sluice::query {
namespace {

using Renderers = std::vector<std::unique_ptr<ColumnRenderer>>;

template <class T>
T ValueAt(const ArrowArray& array, int64_t row) {
  T value;  // a worker that is not trusted aligns as it likes
  std::memcpy(&value, static_cast<const char*>(array.buffers[1]) + row * static_cast<int64_t>(sizeof(T)), sizeof value);
  return value;
}

class NullColumn : public ColumnRenderer {
 public:
  NullColumn() : ColumnRenderer("\"NULL\"") {}
  ValueForm AppendValue(const ArrowArray&, int64_t, std::string&) const override { return ValueForm::kNull; }
};

class BooleanColumn : public ColumnRenderer {
 public:
  BooleanColumn() : ColumnRenderer("BOOLEAN") {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto* bits = static_cast<const uint8_t*>(array.buffers[1]);
    out += (bits[row >> 3] >> (row & 7) & 1) != 0 ? "true" : "false";
    return ValueForm::kBoolean;
  }
};

template <class T>
class IntegerColumn : public ColumnRenderer {
 public:
  explicit IntegerColumn(const char* name) : ColumnRenderer(name) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    char text[24];
    out.append(text, std::to_chars(text, text + sizeof text, ValueAt<T>(array, row)).ptr);
    return ValueForm::kNumber;
  }
};

template <class T>
class FloatColumn : public ColumnRenderer {
 public:
  explicit FloatColumn(const char* name) : ColumnRenderer(name) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    return AppendFloat(ValueAt<T>(array, row), out) ? ValueForm::kNumber : ValueForm::kText;
  }
};

class DecimalColumn : public ColumnRenderer {
 public:
  DecimalColumn(int precision, int scale)
      : ColumnRenderer(precision == 38 && scale == 0 ? "HUGEINT" : "DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) + ")"), scale_(scale) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    AppendDecimal128(static_cast<const char*>(array.buffers[1]) + row * 16, scale_, out);
    return ValueForm::kText;
  }

 private:
  int scale_;
};

// Text and bytes with offsets of type `Offset`.
template <class Offset>
class BytesColumn : public ColumnRenderer {
 public:
  explicit BytesColumn(bool binary) : ColumnRenderer(binary ? "BLOB" : "VARCHAR"), binary_(binary) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto* offsets = static_cast<const Offset*>(array.buffers[1]) + row;
    std::string_view bytes(static_cast<const char*>(array.buffers[2]) + offsets[0], static_cast<size_t>(offsets[1] - offsets[0]));
    if (binary_) AppendBase64(bytes, out); else out += bytes;
    return ValueForm::kText;
  }

 private:
  bool binary_;
};

// utf8_view and binary_view: {int32 length, 12 inline bytes} or {length, prefix, int32 buffer, int32 offset}.
class ViewColumn : public ColumnRenderer {
 public:
  explicit ViewColumn(bool binary) : ColumnRenderer(binary ? "BLOB" : "VARCHAR"), binary_(binary) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto* view = static_cast<const char*>(array.buffers[1]) + row * 16;
    int32_t length = 0, buffer = 0, offset = 0;
    std::memcpy(&length, view, sizeof length);
    std::memcpy(&buffer, view + 8, sizeof buffer);
    std::memcpy(&offset, view + 12, sizeof offset);
    const char* from = length <= 12 ? view + 4 : static_cast<const char*>(array.buffers[2 + buffer]) + offset;
    std::string_view bytes(from, static_cast<size_t>(length));
    if (binary_) AppendBase64(bytes, out); else out += bytes;
    return ValueForm::kText;
  }

 private:
  bool binary_;
};

class FixedBytesColumn : public ColumnRenderer {
 public:
  explicit FixedBytesColumn(int64_t width) : ColumnRenderer("BLOB"), width_(width) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    AppendBase64({static_cast<const char*>(array.buffers[1]) + row * width_, static_cast<size_t>(width_)}, out);
    return ValueForm::kText;
  }

 private:
  int64_t width_;
};

class DateColumn : public ColumnRenderer {
 public:
  explicit DateColumn(bool in_milliseconds) : ColumnRenderer("DATE"), in_milliseconds_(in_milliseconds) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    AppendDate(in_milliseconds_ ? base::FloorDiv(ValueAt<int64_t>(array, row), 86'400'000) : ValueAt<int32_t>(array, row), out);
    return ValueForm::kText;
  }

 private:
  bool in_milliseconds_;
};

class TimeColumn : public ColumnRenderer {
 public:
  explicit TimeColumn(int64_t per_second) : ColumnRenderer("TIME"), per_second_(per_second) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    AppendTime(per_second_ <= 1'000 ? ValueAt<int32_t>(array, row) : ValueAt<int64_t>(array, row), per_second_, out);
    return ValueForm::kText;
  }

 private:
  int64_t per_second_;
};

class TimestampColumn : public ColumnRenderer {
 public:
  TimestampColumn(int64_t per_second, bool utc) : ColumnRenderer(utc ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP"), per_second_(per_second), utc_(utc) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    AppendTimestamp(ValueAt<int64_t>(array, row), per_second_, utc_, out);
    return ValueForm::kText;
  }

 private:
  int64_t per_second_;
  bool utc_;
};

class IntervalColumn : public ColumnRenderer {
 public:
  IntervalColumn() : ColumnRenderer("INTERVAL") {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto* value = static_cast<const char*>(array.buffers[1]) + row * 16;
    int32_t months = 0, days = 0;
    int64_t nanoseconds = 0;
    std::memcpy(&months, value, sizeof months);
    std::memcpy(&days, value + 4, sizeof days);
    std::memcpy(&nanoseconds, value + 8, sizeof nanoseconds);
    AppendInterval(months, days, nanoseconds, out);
    return ValueForm::kText;
  }
};

// The range of child rows that makes one list.
template <class Offset>
std::pair<int64_t, int64_t> ListRange(const ArrowArray& array, int64_t row) {
  auto* offsets = static_cast<const Offset*>(array.buffers[1]) + row;
  return {offsets[0], offsets[1]};
}

template <class Offset>
class ListColumn : public ColumnRenderer {
 public:
  explicit ListColumn(std::unique_ptr<ColumnRenderer> element) : ColumnRenderer(element->type_name() + "[]"), element_(std::move(element)) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto [begin, end] = ListRange<Offset>(array, row);
    out += '[';
    for (auto i = begin; i < end; i++) {
      if (i != begin) out += ',';
      element_->AppendJson(*array.children[0], i, out);
    }
    out += ']';
    return ValueForm::kNested;
  }

 private:
  std::unique_ptr<ColumnRenderer> element_;
};

class FixedListColumn : public ColumnRenderer {
 public:
  FixedListColumn(std::unique_ptr<ColumnRenderer> element, int64_t width)
      : ColumnRenderer(element->type_name() + "[" + std::to_string(width) + "]"), element_(std::move(element)), width_(width) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    out += '[';
    for (int64_t i = 0; i < width_; i++) {
      if (i != 0) out += ',';
      element_->AppendJson(*array.children[0], row * width_ + i, out);
    }
    out += ']';
    return ValueForm::kNested;
  }

 private:
  std::unique_ptr<ColumnRenderer> element_;
  int64_t width_;
};

class StructColumn : public ColumnRenderer {
 public:
  StructColumn(std::string type, std::vector<std::string> keys, Renderers fields) : ColumnRenderer(std::move(type)), keys_(std::move(keys)), fields_(std::move(fields)) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    out += '{';
    for (size_t i = 0; i < fields_.size(); i++) {
      if (i != 0) out += ',';
      out += keys_[i];
      fields_[i]->AppendJson(*array.children[i], row, out);
    }
    out += '}';
    return ValueForm::kNested;
  }

 private:
  std::vector<std::string> keys_;  // quoted, with the colon
  Renderers fields_;
};

// A JSON object; keys that are no text are written as their text.
class MapColumn : public ColumnRenderer {
 public:
  MapColumn(std::unique_ptr<ColumnRenderer> key, std::unique_ptr<ColumnRenderer> value)
      : ColumnRenderer("MAP(" + key->type_name() + ", " + value->type_name() + ")"), key_(std::move(key)), value_(std::move(value)) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override {
    auto [begin, end] = ListRange<int32_t>(array, row);
    auto& entries = *array.children[0];
    out += '{';
    std::string key;
    for (auto i = begin; i < end; i++) {
      if (i != begin) out += ',';
      key.clear();
      key_->Append(*entries.children[0], entries.offset + i, key);
      AppendJsonString(out, key);
      out += ':';
      value_->AppendJson(*entries.children[1], entries.offset + i, out);
    }
    out += '}';
    return ValueForm::kNested;
  }

 private:
  std::unique_ptr<ColumnRenderer> key_, value_;
};

// An ENUM: indices into a dictionary.
class DictionaryColumn : public ColumnRenderer {
 public:
  DictionaryColumn(char index_format, std::unique_ptr<ColumnRenderer> value) : ColumnRenderer("ENUM"), index_format_(index_format), value_(std::move(value)) {}
  ValueForm AppendValue(const ArrowArray& array, int64_t row, std::string& out) const override { return value_->Append(*array.dictionary, IndexAt(array, row), out); }

 private:
  int64_t IndexAt(const ArrowArray& array, int64_t row) const {
    switch (index_format_) {
      case 'c': return ValueAt<int8_t>(array, row);
      case 'C': return ValueAt<uint8_t>(array, row);
      case 's': return ValueAt<int16_t>(array, row);
      case 'S': return ValueAt<uint16_t>(array, row);
      case 'i': return ValueAt<int32_t>(array, row);
      case 'I': return ValueAt<uint32_t>(array, row);
      default: return ValueAt<int64_t>(array, row);
    }
  }
  char index_format_;
  std::unique_ptr<ColumnRenderer> value_;
};

template <class Column, class... Arguments>
std::unique_ptr<ColumnRenderer> New(Arguments&&... arguments) { return std::make_unique<Column>(std::forward<Arguments>(arguments)...); }

int64_t UnitsPerSecond(char unit) { return unit == 's' ? 1 : unit == 'm' ? 1'000 : unit == 'u' ? 1'000'000 : 1'000'000'000; }

std::unique_ptr<ColumnRenderer> MakePrimitive(std::string_view format) {
  if (format.size() != 1) return nullptr;
  switch (format[0]) {
    case 'n': return New<NullColumn>();
    case 'b': return New<BooleanColumn>();
    case 'c': return New<IntegerColumn<int8_t>>("TINYINT");
    case 'C': return New<IntegerColumn<uint8_t>>("UTINYINT");
    case 's': return New<IntegerColumn<int16_t>>("SMALLINT");
    case 'S': return New<IntegerColumn<uint16_t>>("USMALLINT");
    case 'i': return New<IntegerColumn<int32_t>>("INTEGER");
    case 'I': return New<IntegerColumn<uint32_t>>("UINTEGER");
    case 'l': return New<IntegerColumn<int64_t>>("BIGINT");
    case 'L': return New<IntegerColumn<uint64_t>>("UBIGINT");
    case 'f': return New<FloatColumn<float>>("FLOAT");
    case 'g': return New<FloatColumn<double>>("DOUBLE");
    case 'u': return New<BytesColumn<int32_t>>(false);
    case 'U': return New<BytesColumn<int64_t>>(false);
    case 'z': return New<BytesColumn<int32_t>>(true);
    case 'Z': return New<BytesColumn<int64_t>>(true);
    default: return nullptr;
  }
}

// Formats of more than one letter that have no children.
std::unique_ptr<ColumnRenderer> MakeParametric(std::string_view format) {
  if (format == "vu" || format == "vz") return New<ViewColumn>(format == "vz");
  if (format == "tdD" || format == "tdm") return New<DateColumn>(format == "tdm");
  if (format == "tin") return New<IntervalColumn>();
  if (format.size() == 3 && format.starts_with("tt")) return New<TimeColumn>(UnitsPerSecond(format[2]));
  if (format.size() >= 4 && format.starts_with("ts") && format[3] == ':') return New<TimestampColumn>(UnitsPerSecond(format[2]), format.size() > 4);
  if (format.starts_with("w:")) return New<FixedBytesColumn>(std::atoll(format.data() + 2));
  if (format.starts_with("d:")) {
    int precision = 0, scale = 0, bits = 128;
    if (std::sscanf(format.data(), "d:%d,%d,%d", &precision, &scale, &bits) >= 2 && bits == 128) return New<DecimalColumn>(precision, scale);
  }
  return nullptr;
}

Result<std::unique_ptr<ColumnRenderer>> MakeStruct(const ArrowSchema& schema) {
  ASSIGN_OR_RETURN(auto fields, MakeRenderers(schema));
  std::vector<std::string> keys;
  std::string type = "STRUCT(";
  for (size_t i = 0; i < fields.size(); i++) {
    auto& key = keys.emplace_back();
    AppendJsonString(key, schema.children[i]->name);
    type += (i == 0 ? "" : ", ") + key + " " + fields[i]->type_name();
    key += ':';
  }
  return New<StructColumn>(type + ")", std::move(keys), std::move(fields));
}

Result<std::unique_ptr<ColumnRenderer>> MakeNested(const ArrowSchema& schema) {
  std::string_view format = schema.format;
  auto unknown = Error{ErrorCode::kInvalid, "a column of a type that cannot be rendered (" + std::string(format) + ")", "cast it to VARCHAR"};
  if (format == "+s") return MakeStruct(schema);
  if (schema.n_children != 1) return unknown;
  if (format == "+m") {
    auto& entries = *schema.children[0];
    ASSIGN_OR_RETURN(auto key, ColumnRenderer::Make(*entries.children[0]));
    ASSIGN_OR_RETURN(auto value, ColumnRenderer::Make(*entries.children[1]));
    return New<MapColumn>(std::move(key), std::move(value));
  }
  ASSIGN_OR_RETURN(auto element, ColumnRenderer::Make(*schema.children[0]));
  if (format == "+l") return New<ListColumn<int32_t>>(std::move(element));
  if (format == "+L") return New<ListColumn<int64_t>>(std::move(element));
  if (format.starts_with("+w:")) return New<FixedListColumn>(std::move(element), std::atoll(format.data() + 3));
  return unknown;
}

}  // namespace

Result<std::unique_ptr<ColumnRenderer>> ColumnRenderer::Make(const ArrowSchema& schema) {
  if (schema.dictionary != nullptr) {
    ASSIGN_OR_RETURN(auto value, Make(*schema.dictionary));
    return New<DictionaryColumn>(schema.format[0], std::move(value));
  }
  if (schema.format[0] == '+') return MakeNested(schema);
  if (auto primitive = MakePrimitive(schema.format)) return primitive;
  if (auto parametric = MakeParametric(schema.format)) return parametric;
  return Error{ErrorCode::kInvalid, "a column of a type that cannot be rendered (" + std::string(schema.format) + ")", "cast it to VARCHAR"};
}

ValueForm ColumnRenderer::Append(const ArrowArray& array, int64_t row, std::string& out) const {
  auto at = array.offset + row;
  auto* validity = array.null_count == 0 || array.n_buffers == 0 ? nullptr : static_cast<const uint8_t*>(array.buffers[0]);
  if (validity != nullptr && (validity[at >> 3] >> (at & 7) & 1) == 0) return ValueForm::kNull;
  return AppendValue(array, at, out);
}

void ColumnRenderer::AppendJson(const ArrowArray& array, int64_t row, std::string& out) const {
  size_t start = out.size();
  switch (Append(array, row, out)) {
    case ValueForm::kNull: out += "null"; break;
    case ValueForm::kText: {
      std::string text = out.substr(start);
      out.resize(start);
      AppendJsonString(out, text);
      break;
    }
    default: break;
  }
}

Result<std::vector<std::unique_ptr<ColumnRenderer>>> MakeRenderers(const ArrowSchema& schema) {
  Renderers out;
  for (int64_t i = 0; i < schema.n_children; i++) {
    ASSIGN_OR_RETURN(auto column, ColumnRenderer::Make(*schema.children[i]));
    out.push_back(std::move(column));
  }
  return out;
}

}  // namespace sluice::query
