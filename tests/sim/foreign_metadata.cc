// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_metadata.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "sim/foreign_columns.h"
#include "table/event_columns.h"
#include "table/event_schema.h"

namespace sluice::sim {
namespace {

using iceberg::NestedField;

Json With(const Json& list, Json item) {
  Json out = list.is_array() ? list : Json::MakeArray();
  out.Append(std::move(item));
  return out;
}

int64_t Highest(const Json& list, std::string_view member) {
  int64_t out = 0;
  for (auto& item : list.AsArray()) out = std::max(out, item[member].AsInt());
  return out;
}

// ---- rows in order ----------------------------------------------------------------------------------------------------------

// ALTER TABLE ... WRITE ORDERED BY
MetadataEdit AnyOrder(Dice& dice) {
  static constexpr const char* kTransforms[] = {"identity", "bucket[8]", "truncate[4]"};
  Json fields = Json::MakeArray();
  for (auto column : {table::EventColumn::kType, table::EventColumn::kId}) {
    Json field;
    field.Set("transform", dice.Pick(kTransforms));
    field.Set("source-id", static_cast<int64_t>(column) + 1);
    field.Set("direction", dice.Coin() ? "asc" : "desc");
    field.Set("null-order", dice.Coin() ? "nulls-first" : "nulls-last");
    fields.Append(std::move(field));
    if (dice.Coin()) break;
  }
  return [fields](Json& metadata) {
    Json order;
    order.Set("order-id", Highest(metadata["sort-orders"], "order-id") + 1);
    order.Set("fields", fields);
    metadata.Set("sort-orders", With(metadata["sort-orders"], order));
    metadata.Set("default-sort-order-id", order["order-id"]);
    return MetadataMark{"sort-orders", std::move(order)};
  };
}

// ---- tags and branches ------------------------------------------------------------------------------------------------------

constexpr std::string_view kRefs = "refs/";

MetadataEdit AnyRef(Dice& dice) {
  const auto name = (dice.Coin() ? "release-" : "audit-") + std::to_string(dice.Below(1'000'000));
  Json ref;
  ref.Set("type", name.starts_with("r") ? "tag" : "branch");
  if (dice.OneIn(3)) ref.Set("max-ref-age-ms", dice.Between(100, 100'000));
  if (name.starts_with("a") && dice.Coin()) ref.Set("min-snapshots-to-keep", dice.Between(1, 3));
  if (name.starts_with("a") && dice.Coin()) ref.Set("max-snapshot-age-ms", dice.Between(100, 100'000));
  return [name, ref](Json& metadata) {
    for (auto& snapshot : metadata["snapshots"].AsArray()) {
      if (snapshot["snapshot-id"] != metadata["current-snapshot-id"]) continue;
      MetadataMark mark{std::string(kRefs) + name, ref, snapshot["timestamp-ms"].AsInt()};
      mark.value.Set("snapshot-id", snapshot["snapshot-id"]);
      Json refs = metadata["refs"];
      refs.Set(name, mark.value);
      metadata.Set("refs", std::move(refs));
      return mark;
    }
    return MetadataMark();
  };
}

// ---- statistics -------------------------------------------------------------------------------------------------------------

// A Puffin file without blobs. Source: https://iceberg.apache.org/puffin-spec/
constexpr std::string_view kPuffin("PFA1PFA1{\"blobs\":[]}\x0C\0\0\0\0\0\0\0PFA1", 32);

Result<MetadataEdit> AnyStatistics(io::Env env, const iceberg::Table& table, Dice& dice) {
  const auto* snapshot = table.metadata->current_snapshot();
  if (snapshot == nullptr) return MetadataEdit();
  const bool of_partitions = dice.Coin();
  Json item;
  item.Set("snapshot-id", snapshot->snapshot_id);
  item.Set("statistics-path", table.metadata->location + "/metadata/" + env.random.NextUuid() + (of_partitions ? ".puffin" : ".stats"));
  item.Set("file-size-in-bytes", static_cast<int64_t>(kPuffin.size()));
  RETURN_IF_ERROR(io::WriteObject(env.objects, item["statistics-path"].AsString(), kPuffin));
  return MetadataEdit([item, member = std::string(of_partitions ? "partition-statistics" : "statistics")](Json& metadata) {
    metadata.Set(member, With(metadata[member], item));
    return MetadataMark{member, item};
  });
}

// ---- what only it knows -----------------------------------------------------------------------------------------------------

MetadataEdit AnyMember(Dice& dice) {
  const auto name = "x-engine-" + std::to_string(dice.Below(1'000'000));
  Json value;
  value.Set("of", "another engine");
  value.Set("numbers", Json(Json::Array{1, -2, 0.5, Json()}));
  return [name, value](Json& metadata) {
    metadata.Set(name, value);
    return MetadataMark{name, value};
  };
}

// Members that writers may leave out.
MetadataEdit LeaveOut(Dice& dice) {
  return [log = dice.Coin()](Json& metadata) {
    if (metadata["refs"].AsObject().size() <= 1) metadata.Erase("refs");
    if (log) metadata.Erase("snapshot-log");
    return MetadataMark();
  };
}

// ---- columns ----------------------------------------------------------------------------------------------------------------

using SchemaChange = std::function<void(Json& schema, int64_t& last_id)>;

// The current schema, changed, becomes a new one.
MetadataEdit NewSchema(SchemaChange change) {
  return [change = std::move(change)](Json& metadata) {
    Json schema;
    for (auto& one : metadata["schemas"].AsArray())
      if (one["schema-id"] == metadata["current-schema-id"]) schema = one;
    int64_t last_id = metadata["last-column-id"].AsInt();
    change(schema, last_id);
    schema.Set("schema-id", Highest(metadata["schemas"], "schema-id") + 1);
    metadata.Set("schemas", With(metadata["schemas"], schema));
    metadata.Set("current-schema-id", schema["schema-id"]);
    metadata.Set("last-column-id", last_id);
    return MetadataMark{"schemas", std::move(schema)};
  };
}

// `change` is given the fields and which of them has that id.
template <class Change>
MetadataEdit ChangeField(iceberg::FieldId id, Change change) {
  return NewSchema([id, change](Json& schema, int64_t& last_id) {
    auto fields = schema["fields"].AsArray();
    const auto at = std::find_if(fields.begin(), fields.end(), [&](auto& field) { return field["id"].AsInt() == id; });
    if (at != fields.end()) change(fields, at, last_id);
    schema.Set("fields", Json(std::move(fields)));
  });
}

// Empty: it stays what it is.
std::string Wider(const Json& type) {
  static constexpr std::pair<const char*, const char*> kWider[] = {
      {"int", "long"}, {"float", "double"}, {"decimal(9, 2)", "decimal(18, 2)"}};
  for (auto& [from, to] : kWider)
    if (type.AsString() == from) return to;
  return {};
}

MetadataEdit Widen(const NestedField& column) {
  return ChangeField(column.id, [](Json::Array&, auto at, int64_t& last_id) {
    Json type = (*at)["type"];
    if (auto wider = Wider(type); !wider.empty()) type = Json(wider);
    for (const char* part : {"element", "value"})
      if (auto wider = Wider(type[part]); !wider.empty()) type.Set(part, wider);
    if (type["fields"].is_array()) {
      Json field;
      field.Set("id", ++last_id);
      field.Set("name", "of_" + std::to_string(last_id));
      field.Set("required", false);
      field.Set("type", "long");
      type.Set("fields", With(type["fields"], std::move(field)));
    }
    at->Set("type", std::move(type));
  });
}

MetadataEdit Rename(const NestedField& column) {
  return ChangeField(column.id, [](Json::Array&, auto at, int64_t&) { at->Set("name", "was_" + (*at)["name"].AsString()); });
}

MetadataEdit Drop(const NestedField& column) {
  return ChangeField(column.id, [](Json::Array& fields, auto at, int64_t&) { fields.erase(at); });
}

MetadataEdit MoveToFront(const NestedField& column) {
  return ChangeField(column.id, [](Json::Array& fields, auto at, int64_t&) { std::rotate(fields.begin(), at, at + 1); });
}

MetadataEdit Identify() {
  return NewSchema([](Json& schema, int64_t&) {
    Json ids = Json::MakeArray();
    for (auto column : {table::EventColumn::kLogPartition, table::EventColumn::kLogOffset}) ids.Append(static_cast<int64_t>(column) + 1);
    schema.Set("identifier-field-ids", std::move(ids));
  });
}

// A column that the present partitioning or order needs does not leave.
bool IsNeeded(const iceberg::TableMetadata& metadata, iceberg::FieldId id) {
  const auto& fields = metadata.spec().fields;
  return std::any_of(fields.begin(), fields.end(), [&](auto& field) { return field.source_id == id; });
}

MetadataEdit AnyColumn(const iceberg::TableMetadata& metadata, Dice& dice) {
  const auto foreign = ForeignColumns(metadata.schema());
  if (foreign.empty() || dice.OneIn(6)) return Identify();
  const auto& column = dice.Pick(foreign);
  switch (dice.Below(6)) {
    case 0: return Rename(column);
    case 1: return MoveToFront(column);
    case 2:
      if (!IsNeeded(metadata, column.id)) return Drop(column);
      [[fallthrough]];
    default: return Widen(column);
  }
}

bool Holds(const Json& list, const Json& item) {
  return std::any_of(list.AsArray().begin(), list.AsArray().end(), [&](auto& one) { return one == item; });
}

// Whoever expires snapshots removes a tag or branch that is older than it says, or, if it says nothing, than its table does.
// Source: Iceberg table spec, "Snapshot References" and "Snapshot Retention Policy".
bool IsTooOld(const iceberg::TableMetadata& table, const MetadataMark& ref) {
  const int64_t age_ms_max = ref.value["max-ref-age-ms"].AsInt(table.PropertyInt("history.expire.max-ref-age-ms", INT64_MAX));
  return table.last_updated_ms - ref.snapshot_made_ms > age_ms_max;
}

bool IsRef(const MetadataMark& mark) { return mark.member.starts_with(kRefs); }

const Json& MemberOf(const Json& metadata, const MetadataMark& mark) {
  return IsRef(mark) ? metadata["refs"][mark.member.substr(kRefs.size())] : metadata[mark.member];
}

bool IsThere(const iceberg::TableMetadata& table, const Json& metadata, const MetadataMark& mark) {
  const Json& member = MemberOf(metadata, mark);
  if (IsRef(mark)) {
    if (member.is_null()) return IsTooOld(table, mark);
    const auto& said = mark.value.AsObject();
    return std::all_of(said.begin(), said.end(), [&](auto& one) { return member[one.first] == one.second; });
  }
  if (!mark.member.ends_with("statistics")) return member == mark.value || Holds(member, mark.value);
  const auto& snapshots = metadata["snapshots"].AsArray();
  const bool has_snapshot =
      std::any_of(snapshots.begin(), snapshots.end(), [&](auto& snapshot) { return snapshot["snapshot-id"] == mark.value["snapshot-id"]; });
  return Holds(member, mark.value) == has_snapshot;  // statistics of a snapshot that is gone are of no use
}

}  // namespace

Result<MetadataEdit> AnyEdit(io::Env env, const iceberg::Table& table, Dice& dice) {
  switch (dice.Below(10)) {
    case 0: return AnyOrder(dice);
    case 1: return AnyRef(dice);
    case 2: return AnyStatistics(env, table, dice);
    case 3: return AnyMember(dice);
    case 4: return LeaveOut(dice);
    default: return AnyColumn(*table.metadata, dice);
  }
}

Result<void> CheckMarks(const iceberg::Table& table, const std::vector<MetadataMark>& marks) {
  ASSIGN_OR_RETURN(const auto metadata, Json::Parse(iceberg::SerializeTableMetadata(*table.metadata)));
  for (auto& mark : marks)
    if (!mark.member.empty() && !IsThere(*table.metadata, metadata, mark))
      return Error{ErrorCode::kCorruption,
                   table.name.ToString() + " lost " + mark.member + " of another engine: " + mark.value.Dump() + ", it has " +
                       MemberOf(metadata, mark).Dump(),
                   {}};
  return {};
}

}  // namespace sluice::sim
