// SPDX-License-Identifier: Apache-2.0
#include "sim/guest_tables.h"

#include <functional>
#include <iterator>
#include <utility>

#include "base/json.h"
#include "sim/foreign_avro.h"
#include "sim/foreign_files.h"

namespace sluice::sim {
namespace {

using Edit = void (*)(Json& metadata);

constexpr int64_t kSnapshot = 7'001, kMadeMs = 1'700'000'000'000;
constexpr int64_t kRows = 3;

Json Parsed(const char* text) { return *Json::Parse(text); }

// ---- sound ones -------------------------------------------------------------------------------------------------------------

// What every version has.
Json Metadata(int64_t version, const std::string& location) {
  Json out;
  out.Set("format-version", version);
  out.Set("location", location);
  out.Set("last-updated-ms", kMadeMs);
  out.Set("last-column-id", 2);
  out.Set("properties", Parsed(R"({"owner":"somebody else"})"));
  out.Set("current-snapshot-id", kSnapshot);
  out.Set("snapshot-log", Json::MakeArray());
  return out;
}

const char kFields[] =
    R"([{"id":1,"name":"number","required":true,"type":"long"},{"id":2,"name":"text","required":false,"type":"string","doc":"a note"}])";

Json Schema() {
  Json out = Parsed(R"({"type":"struct","schema-id":0})");
  out.Set("fields", Parsed(kFields));
  return out;
}

Json Snapshot() {
  Json out;
  out.Set("snapshot-id", kSnapshot);
  out.Set("timestamp-ms", kMadeMs);
  out.Set("summary", Parsed(R"({"operation":"append"})"));
  return out;
}

// As the first version had it: one schema, one spec, no orders, no numbers of commits. A list of manifests, or their names.
Json FirstVersion(const std::string& location, bool has_list, bool has_uuid) {
  Json out = Metadata(1, location);
  if (has_uuid) out.Set("table-uuid", "11111111-2222-3333-4444-555555555555");
  out.Set("schema", Schema());
  out.Set("partition-spec", Parsed(R"([{"name":"number_bucket","transform":"bucket[4]","source-id":1}])"));
  Json snapshot = Snapshot();
  if (has_list) snapshot.Set("manifest-list", location + "/metadata/list.avro");
  else snapshot.Set("manifests", Json(Json::Array{location + "/metadata/manifest.avro"}));
  out.Set("snapshots", Json(Json::Array{snapshot}));
  return out;
}

Json SecondVersion(const std::string& location) {
  Json out = Metadata(2, location);
  out.Set("table-uuid", "11111111-2222-3333-4444-666666666666");
  out.Set("last-sequence-number", 1);
  out.Set("schemas", Json(Json::Array{Schema()}));
  out.Set("current-schema-id", 0);
  out.Set("partition-specs",
          Parsed(R"([{"spec-id":0,"fields":[{"name":"number_bucket","transform":"bucket[4]","source-id":1,"field-id":1000}]}])"));
  out.Set("default-spec-id", 0);
  out.Set("last-partition-id", 1000);
  out.Set("sort-orders", Parsed(R"([{"order-id":0,"fields":[]}])"));
  out.Set("default-sort-order-id", 0);
  out.Set("refs", Parsed(R"({"main":{"snapshot-id":7001,"type":"branch"}})"));
  Json snapshot = Snapshot();
  snapshot.Set("sequence-number", 1);
  snapshot.Set("manifest-list", location + "/metadata/list.avro");
  out.Set("snapshots", Json(Json::Array{snapshot}));
  return out;
}

// Of the first version: no contents, no numbers of commits, counts that nobody knew.
const char kListSchema[] = R"({"type":"record","name":"manifest_file","fields":[
    {"name":"manifest_path","type":"string","field-id":500},{"name":"manifest_length","type":"long","field-id":501},
    {"name":"partition_spec_id","type":"int","field-id":502},{"name":"added_snapshot_id","type":["null","long"],"field-id":503},
    {"name":"added_data_files_count","type":["null","int"],"field-id":504}]})";
const char kManifestSchema[] = R"({"type":"record","name":"manifest_entry","fields":[
    {"name":"status","type":"int","field-id":0},{"name":"snapshot_id","type":["null","long"],"field-id":1},
    {"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
      {"name":"file_path","type":"string","field-id":100},
      {"name":"file_format","type":"string","field-id":101},
      {"name":"partition","field-id":102,"type":{"type":"record","name":"r102","fields":[
        {"name":"number_bucket","type":["null","int"],"field-id":1000}]}},
      {"name":"record_count","type":"long","field-id":103},{"name":"file_size_in_bytes","type":"long","field-id":104},
      {"name":"block_size_in_bytes","type":"long","field-id":105},
      {"name":"tags","type":["null",{"type":"map","values":"string"}]},{"name":"ratio","type":["double","float"]},
      {"name":"digest","type":{"type":"fixed","name":"digest","size":2}},{"name":"other","type":"digest"},
      {"name":"level","type":{"type":"enum","name":"level","symbols":["LOW","HIGH"]}}]}}]})";

std::string ManifestEntry(const iceberg::DataFile& file) {
  std::string out;
  PutLong(1, out);  // added
  PutLong(1, out), PutLong(kSnapshot, out);
  PutBytes(file.path, out);
  PutBytes("PARQUET", out);
  PutLong(1, out), PutLong(2, out);  // the bucket
  PutLong(file.record_count, out);
  PutLong(file.file_size_bytes, out);
  PutLong(64 << 20, out);
  // What only it knows: a map in a block that says how long it is, a number, two bytes, a type that was defined before, a level.
  PutLong(1, out), PutLong(-1, out), PutLong(4, out), PutBytes("k", out), PutBytes("v", out), PutLong(0, out);
  PutLong(1, out), out.append(4, '\0');
  out += "abcd";
  PutLong(1, out);
  return out;
}

std::string ListEntry(const std::string& path, size_t length) {
  std::string out;
  PutBytes(path, out);
  PutLong(static_cast<int64_t>(length), out);
  PutLong(0, out);
  PutLong(1, out), PutLong(kSnapshot, out);
  PutLong(0, out);
  return out;
}

// A file with rows, its manifest, and a list of that.
Result<void> WriteFiles(io::Env env, const std::string& location) {
  iceberg::TableSchema schema;
  ASSIGN_OR_RETURN(schema, iceberg::SchemaFromJson(Schema()));
  static_assert(kRows == 3);
  ASSIGN_OR_RETURN(auto file, WriteForeignFile(env.objects, location + "/data/rows.parquet", schema, {"[1,2,3]", "[\"a\",null,\"c\"]"}));
  const auto manifest = AvroFile(kManifestSchema, {ManifestEntry(file)});
  const auto path = location + "/metadata/manifest.avro";
  RETURN_IF_ERROR(io::WriteObject(env.objects, path, manifest));
  return io::WriteObject(env.objects, location + "/metadata/list.avro", AvroFile(kListSchema, {ListEntry(path, manifest.size())}));
}

// ---- and others -------------------------------------------------------------------------------------------------------------

// What is wrong with it, made of a sound one of the second version, and what is said of it.
struct Flaw {
  const char* named;
  Edit make;
};

void SetType(Json& metadata, Json type) {
  Json schema = metadata["schemas"].AsArray()[0], fields = Json::MakeArray();
  for (Json field : schema["fields"].AsArray()) {
    if (field["id"].AsInt() == 2) field.Set("type", type);
    fields.Append(std::move(field));
  }
  schema.Set("fields", std::move(fields));
  metadata.Set("schemas", Json(Json::Array{schema}));
}

void SetFields(Json& metadata, const char* fields) {
  Json schema = metadata["schemas"].AsArray()[0];
  schema.Set("fields", Parsed(fields));
  metadata.Set("schemas", Json(Json::Array{schema}));
}

constexpr Flaw kFlaws[] = {
    {"format version 3 is not supported", [](Json& m) { m.Set("format-version", 3); }},
    {"unknown type \"variant\"", [](Json& m) { SetType(m, "variant"); }},
    {"unknown type \"decimal(many)\"", [](Json& m) { SetType(m, "decimal(many)"); }},
    {"\"decimal(40, 2)\" has a precision or scale out of range", [](Json& m) { SetType(m, "decimal(40, 2)"); }},
    {"unknown type \"fixed[-1]\"", [](Json& m) { SetType(m, "fixed[-1]"); }},
    {"unknown type \"vector\"", [](Json& m) { SetType(m, Parsed(R"({"type":"vector"})")); }},
    {"\"element-id\" is no field id: 0", [](Json& m) { SetType(m, Parsed(R"({"type":"list","element-id":0,"element":"int"})")); }},
    {"\"current-schema-id\" 9 is not in \"schemas\"", [](Json& m) { m.Set("current-schema-id", 9); }},
    {"\"default-spec-id\" 9 is not in \"partition-specs\"", [](Json& m) { m.Set("default-spec-id", 9); }},
    {"\"default-sort-order-id\" 9 is not in \"sort-orders\"", [](Json& m) { m.Set("default-sort-order-id", 9); }},
    {"\"current-snapshot-id\" 9 is not in \"snapshots\"", [](Json& m) { m.Set("current-snapshot-id", 9); }},
    {"\"refs\" says that main is snapshot", [](Json& m) { m.Set("current-snapshot-id", -1); }},
    {"ref \"gone\" names snapshot 9", [](Json& m) { m.Set("refs", Parsed(R"({"gone":{"snapshot-id":9,"type":"tag"}})")); }},
    {"the fields of a partition spec are no array", [](Json& m) { m.Set("partition-specs", Parsed(R"([{"spec-id":0}])")); }},
    {"\"source-id\" of a partition field is missing",
     [](Json& m) { m.Set("partition-specs", Parsed(R"([{"spec-id":0,"fields":[{"name":"p","transform":"day"}]}])")); }},
    {"\"location\"", [](Json& m) { m.Erase("location"); }},
    {"field id 1 occurs twice", [](Json& m) { SetFields(m, R"([{"id":1,"name":"a","type":"int"},{"id":1,"name":"b","type":"int"}])"); }},
    {"two fields are named \"a\"", [](Json& m) { SetFields(m, R"([{"id":1,"name":"a","type":"int"},{"id":2,"name":"a","type":"int"}])"); }},
    {"field 1 has no name", [](Json& m) { SetFields(m, R"([{"id":1,"name":"","type":"int"}])"); }},
    {"identifier field 9 is not in the schema",
     [](Json& m) {
       Json schema = Schema();
       schema.Set("identifier-field-ids", Parsed("[9]"));
       m.Set("schemas", Json(Json::Array{schema}));
     }},
};

// Types and members that are known here, or may be passed by.
void Enrich(Json& m) {
  // Its writer did not count.
  SetFields(m, R"json([{"id":1,"name":"number","required":true,"type":"long"},{"id":2,"name":"more","required":false,"type":
      {"type":"map","key-id":3,"key":"string","value-id":4,"value-required":true,"value":{"type":"struct","fields":[
        {"id":5,"name":"d","required":false,"type":"decimal(9,2)","initial-default":"1.50","write-default":"2.50"},
        {"id":6,"name":"f","required":false,"type":"fixed[3]"},{"id":7,"name":"u","required":false,"type":"uuid"}]}}}])json");
  m.Set("partition-specs", Parsed(R"([{"spec-id":0,"fields":[{"name":"p","transform":"zorder[2]","source-ids":[1],"field-id":1000}]}])"));
  m.Set("last-partition-id", 999);
  m.Set("statistics", Parsed(R"([{"snapshot-id":7001,"statistics-path":"s3://elsewhere/stats"}])"));
}

}  // namespace

void MakeGuest(RunState& run, io::Env env, Dice& dice) {
  const auto name = "guest_" + std::to_string(run.all.guests.size());
  const auto location = io::PathToUri(run.scenario.server.data + "/warehouse") + "/" + kGuests + "/" + name;
  std::string named;
  Json metadata;
  switch (dice.Below(4)) {
    case 0: metadata = FirstVersion(location, dice.Coin(), dice.Coin()); break;
    case 1:
      metadata = SecondVersion(location);
      if (dice.Coin()) Enrich(metadata);
      break;
    default: {
      const auto& flaw = dice.Pick(kFlaws);
      metadata = SecondVersion(location);
      flaw.make(metadata);
      named = flaw.named;
    }
  }
  std::string bytes = metadata.Dump();
  if (named.empty() && dice.OneIn(6)) {
    bytes.resize(bytes.size() / 2);
    named = "reading \"";  // that it is no JSON, and where
  }
  run.all.guests[name] = named;
  const auto uri = location + "/metadata/v1.metadata.json";
  auto made = WriteFiles(env, location);
  if (made.ok()) made = io::WriteObject(env.objects, uri, bytes);
  auto& catalog = run.world.catalog("visitor");
  if (made.ok()) made = catalog.CreateNamespace(kGuests, {});
  if (made.ok()) made = catalog.CreateTable(kGuests, name, uri);
  if (made.ok()) run.reached.Note(Reach::kGuest);
}

std::string TakeGuestFindings(RunState& run, std::vector<std::string>& findings) {
  if (run.all.guests.empty()) return {};
  auto names = run.world.catalog("").ListTables(kGuests);
  if (!names.ok()) return names.error().ToString();
  for (auto& name : *names) {
    const auto begin = "table " + std::string(kGuests) + "." + name + ": ";
    const auto& named = run.all.guests.at(name);
    size_t said = 0;
    for (auto& finding : findings)
      if (finding.starts_with(begin)) said += !named.empty() && finding.find(named) != std::string::npos ? 1 : 2;
    if (said != (named.empty() ? 0 : 1)) return "of the table " + name + " it should say \"" + named + "\", once";
    if (said == 1) run.reached.Note(Reach::kGuestNamed);
    std::erase_if(findings, [&](auto& finding) { return finding.starts_with(begin); });
  }
  return {};
}

}  // namespace sluice::sim
