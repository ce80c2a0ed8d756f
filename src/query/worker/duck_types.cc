// SPDX-License-Identifier: Apache-2.0
#include "query/worker/duck_types.h"

#include <bit>
#include <utility>

#include "base/bytes.h"
#include "duckdb/common/types/blob.hpp"
#include "duckdb/common/types/uuid.hpp"
#include "duckdb/parser/expression/constant_expression.hpp"

namespace sluice::query {
namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using iceberg::TypeId;

duckdb::hugeint_t ToHuge(iceberg::Int128 n) {
  duckdb::hugeint_t out;
  out.lower = static_cast<uint64_t>(n);
  out.upper = static_cast<int64_t>(n >> 64);
  return out;
}
iceberg::Int128 FromHuge(duckdb::hugeint_t n) {
  return static_cast<iceberg::Int128>(n.upper) * (static_cast<iceberg::Int128>(1) << 64) + static_cast<iceberg::Int128>(n.lower);
}

// A value of a table default. Only what a v3 schema can give as initial-default of a primitive.
duckdb::Value ToDuckValue(const iceberg::Value& value, const iceberg::Type& type) {
  auto as = ToDuckType(type);
  auto number = [&] { return std::get<int64_t>(value); };
  switch (type.id) {
    case TypeId::kBoolean: return duckdb::Value::BOOLEAN(std::get<bool>(value));
    case TypeId::kInt: return duckdb::Value::INTEGER(static_cast<int32_t>(number()));
    case TypeId::kLong: return duckdb::Value::BIGINT(number());
    case TypeId::kFloat: return duckdb::Value::FLOAT(std::get<float>(value));
    case TypeId::kDouble: return duckdb::Value::DOUBLE(std::get<double>(value));
    case TypeId::kDate: return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(number())));
    case TypeId::kTime: return duckdb::Value::TIME(duckdb::dtime_t(number()));
    case TypeId::kTimestamp: return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(number()));
    case TypeId::kTimestampTz: return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(duckdb::timestamp_t(number())));
    case TypeId::kDecimal: {
      auto huge = ToHuge(std::get<iceberg::Int128>(value));
      if (as.InternalType() == duckdb::PhysicalType::INT128) return duckdb::Value::DECIMAL(huge, static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
      return duckdb::Value::DECIMAL(static_cast<int64_t>(huge.lower), static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
    }
    case TypeId::kString: return duckdb::Value(std::get<std::string>(value));
    case TypeId::kUuid: {
      auto& bytes = std::get<std::string>(value);
      return duckdb::Value::UUID(duckdb::BaseUUID::FromBlob(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data())));
    }
    case TypeId::kFixed:
    case TypeId::kBinary: {
      auto& bytes = std::get<std::string>(value);
      return duckdb::Value::BLOB(reinterpret_cast<duckdb::const_data_ptr_t>(bytes.data()), bytes.size());
    }
    default: return duckdb::Value(as);
  }
}

}  // namespace

LogicalType ToDuckType(const iceberg::Type& type) {
  switch (type.id) {
    case TypeId::kBoolean: return LogicalType::BOOLEAN;
    case TypeId::kInt: return LogicalType::INTEGER;
    case TypeId::kLong: return LogicalType::BIGINT;
    case TypeId::kFloat: return LogicalType::FLOAT;
    case TypeId::kDouble: return LogicalType::DOUBLE;
    case TypeId::kDecimal: return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision), static_cast<uint8_t>(type.scale));
    case TypeId::kDate: return LogicalType::DATE;
    case TypeId::kTime: return LogicalType::TIME;
    case TypeId::kTimestamp: return LogicalType::TIMESTAMP;
    case TypeId::kTimestampTz: return LogicalType::TIMESTAMP_TZ;
    case TypeId::kString: return LogicalType::VARCHAR;
    case TypeId::kUuid: return LogicalType::UUID;
    case TypeId::kFixed:
    case TypeId::kBinary: return LogicalType::BLOB;
    case TypeId::kList: return LogicalType::LIST(ToDuckType(type.element().type));
    case TypeId::kMap: return LogicalType::MAP(ToDuckType(type.key().type), ToDuckType(type.value().type));
    case TypeId::kStruct: {
      duckdb::child_list_t<LogicalType> children;
      for (auto& field : type.fields) children.emplace_back(field.name, ToDuckType(field.type));
      return LogicalType::STRUCT(std::move(children));
    }
  }
  throw duckdb::InternalException("a column type without a mapping");
}

duckdb::MultiFileColumnDefinition ToDuckColumn(const iceberg::NestedField& field) {
  duckdb::MultiFileColumnDefinition out(field.name, ToDuckType(field.type));
  out.identifier = duckdb::Value::INTEGER(field.id);
  duckdb::Value missing(out.type);
  if (!field.initial_default.is_null() && field.type.is_primitive()) {
    auto value = iceberg::ValueFromJson(field.initial_default, field.type);
    if (value.ok() && !iceberg::IsNull(*value)) missing = ToDuckValue(*value, field.type);
  }
  out.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(std::move(missing));
  // Only structs are matched child by child; lists and maps are cast as a whole.
  if (field.type.id == TypeId::kStruct)
    for (auto& child : field.type.fields) out.children.push_back(ToDuckColumn(child));
  return out;
}

std::optional<iceberg::Value> ToLakeValue(const duckdb::Value& value, const iceberg::Type& type) {
  if (value.IsNull() || value.type() != ToDuckType(type)) return std::nullopt;
  switch (type.id) {
    case TypeId::kBoolean: return value.GetValueUnsafe<bool>();
    case TypeId::kInt:
    case TypeId::kDate: return static_cast<int64_t>(value.GetValueUnsafe<int32_t>());
    case TypeId::kLong:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: return value.GetValueUnsafe<int64_t>();
    case TypeId::kFloat: return value.GetValueUnsafe<float>();
    case TypeId::kDouble: return value.GetValueUnsafe<double>();
    case TypeId::kString: return duckdb::StringValue::Get(value);
    case TypeId::kFixed:
      if (duckdb::StringValue::Get(value).size() != static_cast<size_t>(type.length)) return std::nullopt;
      return duckdb::StringValue::Get(value);
    case TypeId::kBinary: return duckdb::StringValue::Get(value);
    case TypeId::kDecimal:
      switch (value.type().InternalType()) {
        case duckdb::PhysicalType::INT16: return static_cast<iceberg::Int128>(value.GetValueUnsafe<int16_t>());
        case duckdb::PhysicalType::INT32: return static_cast<iceberg::Int128>(value.GetValueUnsafe<int32_t>());
        case duckdb::PhysicalType::INT64: return static_cast<iceberg::Int128>(value.GetValueUnsafe<int64_t>());
        default: return FromHuge(value.GetValueUnsafe<duckdb::hugeint_t>());
      }
    case TypeId::kUuid: {
      std::string bytes(16, '\0');
      duckdb::BaseUUID::ToBlob(value.GetValueUnsafe<duckdb::hugeint_t>(), reinterpret_cast<duckdb::data_ptr_t>(bytes.data()));
      return bytes;
    }
    default: return std::nullopt;
  }
}

}  // namespace sluice::query
