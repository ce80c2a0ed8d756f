// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/parquet_schema.h"

#include <cmath>

namespace sluice::iceberg::internal {

namespace pq = ::parquet;
using pq::LogicalType;
using pq::schema::GroupNode;
using pq::schema::NodePtr;
using pq::schema::NodeVector;
using pq::schema::PrimitiveNode;

int32_t DecimalBytes(int32_t precision) {
  constexpr double kBitsPerDigit = 3.321928094887362;  // log2(10)
  return static_cast<int32_t>(std::ceil((precision * kBitsPerDigit + 1) / 8));
}

namespace {

struct Physical {
  pq::Type::type type;
  std::shared_ptr<const LogicalType> logical;
  int32_t length = -1;
};

Physical DecimalPhysical(const Type& type) {
  auto logical = LogicalType::Decimal(type.precision, type.scale);
  if (type.precision <= kDecimalInt32DigitsMax) return {pq::Type::INT32, logical};
  if (type.precision <= kDecimalInt64DigitsMax) return {pq::Type::INT64, logical};
  return {pq::Type::FIXED_LEN_BYTE_ARRAY, logical, DecimalBytes(type.precision)};
}

Physical PhysicalOf(const Type& type) {
  constexpr auto kMicros = LogicalType::TimeUnit::MICROS;
  switch (type.id) {
    case TypeId::kBoolean: return {pq::Type::BOOLEAN, LogicalType::None()};
    case TypeId::kInt: return {pq::Type::INT32, LogicalType::None()};
    case TypeId::kLong: return {pq::Type::INT64, LogicalType::None()};
    case TypeId::kFloat: return {pq::Type::FLOAT, LogicalType::None()};
    case TypeId::kDouble: return {pq::Type::DOUBLE, LogicalType::None()};
    case TypeId::kDecimal: return DecimalPhysical(type);
    case TypeId::kDate: return {pq::Type::INT32, LogicalType::Date()};
    case TypeId::kTime: return {pq::Type::INT64, LogicalType::Time(false, kMicros)};
    case TypeId::kTimestamp: return {pq::Type::INT64, LogicalType::Timestamp(false, kMicros)};
    case TypeId::kTimestampTz: return {pq::Type::INT64, LogicalType::Timestamp(true, kMicros)};
    case TypeId::kString: return {pq::Type::BYTE_ARRAY, LogicalType::String()};
    case TypeId::kUuid: return {pq::Type::FIXED_LEN_BYTE_ARRAY, LogicalType::UUID(), kUuidBytes};
    case TypeId::kFixed: return {pq::Type::FIXED_LEN_BYTE_ARRAY, LogicalType::None(), type.length};
    case TypeId::kBinary: return {pq::Type::BYTE_ARRAY, LogicalType::None()};
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap: break;
  }
  CHECK(false, "a nested type has no physical type");
}

NodePtr MakeNode(const NestedField& field, const std::string& name) {
  auto repetition = field.required ? pq::Repetition::REQUIRED : pq::Repetition::OPTIONAL;
  const Type& type = field.type;
  if (type.id == TypeId::kStruct) {
    NodeVector children;
    for (const NestedField& child : type.fields) children.push_back(MakeNode(child, child.name));
    return GroupNode::Make(name, repetition, children, nullptr, field.id);
  }
  if (type.id == TypeId::kList) {
    auto list = GroupNode::Make("list", pq::Repetition::REPEATED, {MakeNode(type.element(), "element")});
    return GroupNode::Make(name, repetition, {list}, LogicalType::List(), field.id);
  }
  if (type.id == TypeId::kMap) {
    auto entries = GroupNode::Make("key_value", pq::Repetition::REPEATED, {MakeNode(type.key(), "key"), MakeNode(type.value(), "value")});
    return GroupNode::Make(name, repetition, {entries}, LogicalType::Map(), field.id);
  }
  Physical physical = PhysicalOf(type);
  return PrimitiveNode::Make(name, repetition, physical.logical, physical.type, physical.length, field.id);
}

}  // namespace

std::shared_ptr<pq::schema::GroupNode> MakeParquetSchema(const TableSchema& schema) {
  NodeVector nodes;
  for (const NestedField& field : schema.fields) nodes.push_back(MakeNode(field, field.name));
  return std::static_pointer_cast<GroupNode>(GroupNode::Make("table", pq::Repetition::REQUIRED, nodes));
}

}  // namespace sluice::iceberg::internal
