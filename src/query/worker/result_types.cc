// SPDX-License-Identifier: Apache-2.0
#include "query/worker/result_types.h"

#include <utility>

#include "duckdb/common/vector_operations/vector_operations.hpp"

namespace sluice::query {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

LogicalType ToResultType(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::LIST: {
      auto& child = duckdb::ListType::GetChildType(type);
      auto sent = ToResultType(child);
      return sent == child ? type : LogicalType::LIST(sent);
    }
    case LogicalTypeId::ARRAY: {
      auto& child = duckdb::ArrayType::GetChildType(type);
      auto sent = ToResultType(child);
      return sent == child ? type : LogicalType::ARRAY(sent, duckdb::ArrayType::GetSize(type));
    }
    case LogicalTypeId::MAP: {
      auto &key = duckdb::MapType::KeyType(type), &value = duckdb::MapType::ValueType(type);
      auto sent_key = ToResultType(key), sent_value = ToResultType(value);
      return sent_key == key && sent_value == value ? type : LogicalType::MAP(sent_key, sent_value);
    }
    case LogicalTypeId::STRUCT: {
      if (duckdb::StructType::IsUnnamed(type)) return LogicalType::VARCHAR;
      duckdb::child_list_t<LogicalType> children;
      bool same = true;
      for (auto& [name, child] : duckdb::StructType::GetChildTypes(type)) {
        children.emplace_back(name, ToResultType(child));
        same = same && children.back().second == child;
      }
      return same ? type : LogicalType::STRUCT(std::move(children));
    }
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::BOOLEAN:
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
    case LogicalTypeId::DECIMAL:
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIME:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::INTERVAL:
    case LogicalTypeId::CHAR:
    case LogicalTypeId::VARCHAR:
    case LogicalTypeId::BLOB:
    case LogicalTypeId::ENUM:
    case LogicalTypeId::UUID: return type;
    default: return LogicalType::VARCHAR;
  }
}

duckdb::DataChunk& CastChunk(duckdb::ClientContext& client, duckdb::DataChunk& chunk, const duckdb::vector<LogicalType>& types,
                             duckdb::DataChunk& space) {
  if (chunk.GetTypes() == types) return chunk;
  space.Destroy();
  space.Initialize(client, types, chunk.size());
  for (duckdb::idx_t i = 0; i < types.size(); i++) {
    if (chunk.data[i].GetType() == types[i]) space.data[i].Reference(chunk.data[i]);
    else duckdb::VectorOperations::Cast(client, chunk.data[i], space.data[i], chunk.size());
  }
  space.SetCardinality(chunk.size());
  return space;
}

}  // namespace sluice::query
