// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/arrow_types.h"

#include <arrow/array.h>
#include <arrow/array/builder_decimal.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "iceberg/data_file_columns.h"
#include "iceberg/internal/parquet_schema.h"
#include "iceberg/value.h"

namespace sluice::iceberg::internal {

namespace {

using ArrayPtr = std::shared_ptr<::arrow::Array>;
using ArrayDataPtr = std::shared_ptr<::arrow::ArrayData>;

Error FromStatus(const ::arrow::Status& status) { return Error{ErrorCode::kCorruption, "arrow: " + status.message()}; }

std::shared_ptr<::arrow::Scalar> MakeScalar(const Value& value, const Type& type) {
  auto arrow_type = MakeArrowType(type);
  if (auto* truth = std::get_if<bool>(&value)) return std::make_shared<::arrow::BooleanScalar>(*truth);
  if (auto* number = std::get_if<float>(&value)) return std::make_shared<::arrow::FloatScalar>(*number);
  if (auto* number = std::get_if<double>(&value)) return std::make_shared<::arrow::DoubleScalar>(*number);
  if (auto* number = std::get_if<Int128>(&value)) {
    ::arrow::Decimal128 decimal(static_cast<int64_t>(*number >> 64), static_cast<uint64_t>(*number));
    return std::make_shared<::arrow::Decimal128Scalar>(decimal, arrow_type);
  }
  if (auto* text = std::get_if<std::string>(&value)) {
    if (type.id == TypeId::kString) return std::make_shared<::arrow::StringScalar>(*text);
    auto buffer = ::arrow::Buffer::FromString(*text);
    if (type.id == TypeId::kBinary) return std::make_shared<::arrow::BinaryScalar>(buffer);
    return std::make_shared<::arrow::FixedSizeBinaryScalar>(buffer, arrow_type);
  }
  int64_t number = std::get<int64_t>(value);
  switch (type.id) {
    case TypeId::kInt: return std::make_shared<::arrow::Int32Scalar>(static_cast<int32_t>(number));
    case TypeId::kDate: return std::make_shared<::arrow::Date32Scalar>(static_cast<int32_t>(number));
    case TypeId::kTime: return std::make_shared<::arrow::Time64Scalar>(number, arrow_type);
    case TypeId::kLong: return std::make_shared<::arrow::Int64Scalar>(number);
    default: return std::make_shared<::arrow::TimestampScalar>(number, arrow_type);
  }
}

template <class From, class Builder>
Result<ArrayPtr> Widen(const ::arrow::Array& array) {
  const auto& from = static_cast<const From&>(array);
  Builder builder;
  if (auto status = builder.Reserve(from.length()); !status.ok()) return FromStatus(status);
  for (int64_t i = 0; i < from.length(); i++) {
    if (from.IsNull(i)) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(from.Value(i));
    }
  }
  auto finished = builder.Finish();
  if (!finished.ok()) return FromStatus(finished.status());
  return *finished;
}

Result<ArrayPtr> AdaptPrimitive(const ArrayPtr& array, const NestedField& field) {
  using Id = ::arrow::Type;
  auto wanted = MakeArrowType(field.type);
  if (array->type()->Equals(*wanted)) return array;
  Id::type have = array->type_id();
  if (have == Id::INT32 && wanted->id() == Id::INT64) return Widen<::arrow::Int32Array, ::arrow::Int64Builder>(*array);
  if (have == Id::FLOAT && wanted->id() == Id::DOUBLE) return Widen<::arrow::FloatArray, ::arrow::DoubleBuilder>(*array);
  if (have == Id::DECIMAL128 && wanted->id() == Id::DECIMAL128) {
    const auto& from = static_cast<const ::arrow::Decimal128Type&>(*array->type());
    if (from.scale() == field.type.scale && from.precision() <= field.type.precision) {
      auto data = array->data()->Copy();
      data->type = wanted;
      return ::arrow::MakeArray(data);
    }
  }
  return Error{ErrorCode::kCorruption, "column \"" + field.name + "\" is " + field.type.ToString() + " in the table and " + array->type()->ToString() + " in the file"};
}

// `data` with the type and children that `field` wants; validity and offsets stay.
Result<ArrayPtr> WithChildren(const ArrayPtr& array, const Type& type, std::vector<ArrayDataPtr> children) {
  auto data = array->data()->Copy();
  data->type = MakeArrowType(type);
  data->child_data = std::move(children);
  return ::arrow::MakeArray(data);
}

Result<ArrayDataPtr> AdaptChild(const ArrayDataPtr& child, const NestedField& field) {
  ASSIGN_OR_RETURN(ArrayPtr adapted, AdaptArray(::arrow::MakeArray(child), field));
  return adapted->data();
}

Result<ArrayPtr> AdaptStruct(const ArrayPtr& array, const NestedField& field) {
  std::vector<ArrayDataPtr> children;
  int64_t rows = array->length() + array->offset();
  for (const NestedField& wanted : field.type.fields) {
    int found = -1;
    for (int i = 0; i < array->type()->num_fields(); i++) {
      if (FieldIdOf(*array->type()->field(i)) == wanted.id) found = i;
    }
    if (found >= 0) {
      ASSIGN_OR_RETURN(ArrayDataPtr child, AdaptChild(array->data()->child_data[static_cast<size_t>(found)], wanted));
      children.push_back(std::move(child));
    } else {
      ASSIGN_OR_RETURN(ArrayPtr missing, MissingArray(wanted, rows));
      children.push_back(missing->data());
    }
  }
  return WithChildren(array, field.type, std::move(children));
}

Result<ArrayPtr> AdaptMap(const ArrayPtr& array, const NestedField& field) {
  auto entries = array->data()->child_data[0]->Copy();
  ASSIGN_OR_RETURN(entries->child_data[0], AdaptChild(entries->child_data[0], field.type.key()));
  ASSIGN_OR_RETURN(entries->child_data[1], AdaptChild(entries->child_data[1], field.type.value()));
  entries->type = MakeArrowType(field.type)->field(0)->type();
  return WithChildren(array, field.type, {entries});
}

}  // namespace

std::shared_ptr<::arrow::Field> MakeArrowField(const NestedField& field) {
  auto metadata = ::arrow::key_value_metadata({std::string(kFieldIdMetadataKey)}, {std::to_string(field.id)});
  return ::arrow::field(field.name, MakeArrowType(field.type), !field.required, metadata);
}

std::shared_ptr<::arrow::DataType> MakeArrowType(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean: return ::arrow::boolean();
    case TypeId::kInt: return ::arrow::int32();
    case TypeId::kLong: return ::arrow::int64();
    case TypeId::kFloat: return ::arrow::float32();
    case TypeId::kDouble: return ::arrow::float64();
    case TypeId::kDecimal: return ::arrow::decimal128(type.precision, type.scale);
    case TypeId::kDate: return ::arrow::date32();
    case TypeId::kTime: return ::arrow::time64(::arrow::TimeUnit::MICRO);
    case TypeId::kTimestamp: return ::arrow::timestamp(::arrow::TimeUnit::MICRO);
    case TypeId::kTimestampTz: return ::arrow::timestamp(::arrow::TimeUnit::MICRO, "UTC");
    case TypeId::kString: return ::arrow::utf8();
    case TypeId::kUuid: return ::arrow::fixed_size_binary(kUuidBytes);
    case TypeId::kFixed: return ::arrow::fixed_size_binary(type.length);
    case TypeId::kBinary: return ::arrow::binary();
    case TypeId::kList: return ::arrow::list(MakeArrowField(type.element()));
    case TypeId::kMap: return std::make_shared<::arrow::MapType>(MakeArrowField(type.key()), MakeArrowField(type.value()));
    case TypeId::kStruct: break;
  }
  ::arrow::FieldVector fields;
  for (const NestedField& child : type.fields) fields.push_back(MakeArrowField(child));
  return ::arrow::struct_(fields);
}

FieldId FieldIdOf(const ::arrow::Field& field) {
  if (!field.HasMetadata()) return -1;
  auto text = field.metadata()->Get(std::string(kFieldIdMetadataKey));
  return text.ok() ? static_cast<FieldId>(std::atoi(text->c_str())) : -1;
}

Result<ArrayPtr> MissingArray(const NestedField& field, int64_t rows) {
  ASSIGN_OR_RETURN(Value value, field.type.is_primitive() ? ValueFromJson(field.initial_default, field.type) : Result<Value>(Value{}));
  if (IsNull(value) && field.required) {
    return Error{ErrorCode::kInvalid, "the file has no column \"" + field.name + "\" (field id " + std::to_string(field.id) + "), which is required and has no default"};
  }
  auto array = IsNull(value) ? ::arrow::MakeArrayOfNull(MakeArrowType(field.type), rows)
                             : ::arrow::MakeArrayFromScalar(*MakeScalar(value, field.type), rows);
  if (!array.ok()) return FromStatus(array.status());
  return *array;
}

Result<ArrayPtr> AdaptArray(const ArrayPtr& array, const NestedField& field) {
  if (field.type.is_primitive()) return AdaptPrimitive(array, field);
  if (array->type_id() != MakeArrowType(field.type)->id()) {
    return Error{ErrorCode::kCorruption, "column \"" + field.name + "\" is a " + field.type.ToString() + " in the table and " + array->type()->ToString() + " in the file"};
  }
  if (field.type.id == TypeId::kStruct) return AdaptStruct(array, field);
  if (field.type.id == TypeId::kMap) return AdaptMap(array, field);
  ASSIGN_OR_RETURN(ArrayDataPtr element, AdaptChild(array->data()->child_data[0], field.type.element()));
  return WithChildren(array, field.type, {element});
}

}  // namespace sluice::iceberg::internal
