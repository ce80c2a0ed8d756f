// SPDX-License-Identifier: Apache-2.0
#include "sim/foreign_columns.h"

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/json/from_string.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "iceberg/data_file_reader.h"
#include "iceberg/data_file_writer.h"
#include "iceberg/scan_plan.h"
#include "table/event_columns.h"
#include "table/event_schema.h"

namespace sluice::sim {
namespace {

using iceberg::NestedField;
using iceberg::Type;
using iceberg::TypeId;
using iceberg::Value;

constexpr std::string_view kRewritten = "/data/rewritten-";
constexpr int64_t kKinds = 4;  // of rows, by their offset; those of kind 0 have no value
constexpr int64_t kNanKind = 3;
constexpr size_t kFilesAtOnce = 3;
constexpr int32_t kUuidBytes = 16, kDigits = 4;

using Batch = std::shared_ptr<::arrow::RecordBatch>;

Result<Batch> Imported(Columns columns) {
  auto [schema, array] = columns.Take();
  auto batch = ::arrow::ImportRecordBatch(&array, &schema);
  if (!batch.ok()) return Error{ErrorCode::kCorruption, batch.status().ToString(), {}};
  return *batch;
}

// Of a primitive type. Some are negative, and they are in the order of `kind`; a wider type has the same ones.
Value ValueOf(const Type& type, int64_t kind) {
  static constexpr const char* kLetters[] = {"", "ä", "€", "𝄞"};
  if (kind == 0) return Value();
  const char letter = static_cast<char>('a' + kind);
  const int64_t number = (kind - 2) * 1'234;
  switch (type.id) {
    case TypeId::kBoolean: return kind % 2 == 0;
    case TypeId::kFloat: return kind == kNanKind ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(number) / 8;
    case TypeId::kDouble: return kind == kNanKind ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(number) / 8;
    case TypeId::kDecimal: return static_cast<iceberg::Int128>(number);
    case TypeId::kTime: return (kind * 3'600 + 1) * kMicrosPerSecond;
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz: return number * kMicrosPerHour + kind;
    case TypeId::kString: return kLetters[kind] + std::string(" of 100% \"kind\"");
    case TypeId::kUuid: return std::string(kUuidBytes, letter);
    case TypeId::kFixed: return std::string(static_cast<size_t>(type.length), letter);
    case TypeId::kBinary: return std::string(static_cast<size_t>(kind), letter);
    default: return number;
  }
}

// As Arrow reads it.
std::string JsonOf(const Type& type, int64_t kind) {
  if (kind == 0) return "null";
  switch (type.id) {
    case TypeId::kStruct: {
      std::string out = "{";
      for (auto& field : type.fields) out += (out.size() > 1 ? ",\"" : "\"") + field.name + "\":" + JsonOf(field.type, kind);
      return out + "}";
    }
    case TypeId::kList: return "[" + JsonOf(type.element().type, kind) + ",null," + JsonOf(type.element().type, 1) + "]";
    case TypeId::kMap: return "[[" + JsonOf(type.key().type, kind) + "," + JsonOf(type.value().type, kind) + "]]";
    case TypeId::kDecimal: return "\"" + iceberg::ValueToText(ValueOf(type, kind), type) + "\"";
    case TypeId::kString:
    case TypeId::kUuid:
    case TypeId::kFixed:
    case TypeId::kBinary: return Json(std::get<std::string>(ValueOf(type, kind))).Dump();
    case TypeId::kFloat:
    case TypeId::kDouble:
      if (kind == kNanKind) return "NaN";
      [[fallthrough]];
    case TypeId::kBoolean: return iceberg::ValueToText(ValueOf(type, kind), type);
    default: return std::to_string(std::get<int64_t>(ValueOf(type, kind)));
  }
}

std::vector<int64_t> KindsOf(const ::arrow::RecordBatch& batch) {
  const auto column = batch.GetColumnByName("log_offset");
  const auto& offsets = static_cast<const ::arrow::Int64Array&>(*column);
  std::vector<int64_t> out;
  for (int64_t i = 0; i < offsets.length(); i++) out.push_back(offsets.Value(i) % kKinds);
  return out;
}

Result<std::shared_ptr<::arrow::Array>> Expected(const std::shared_ptr<::arrow::DataType>& arrow_type, const Type& type,
                                                 const std::vector<int64_t>& kinds) {
  std::string json = "[";
  for (const int64_t kind : kinds) json += (json.size() > 1 ? "," : "") + JsonOf(type, kind);
  auto array = ::arrow::json::ArrayFromJSONString(arrow_type, json + "]");
  if (!array.ok()) return Error{ErrorCode::kInvalid, array.status().ToString() + " in " + json, {}};
  return *array;
}

// The type without fields that no row of the column has: the file is from before they were added.
Type TypeInFile(const Type& type, const ::arrow::Array& column) {
  if (type.id != TypeId::kStruct) return type;
  const auto& array = static_cast<const ::arrow::StructArray&>(column);
  Type out = type;
  out.fields.clear();
  for (size_t i = 0; i < type.fields.size(); i++) {
    const auto child = array.field(static_cast<int>(i));
    if (child->null_count() < child->length()) out.fields.push_back(type.fields[i]);
  }
  return out;
}

bool IsSource(const iceberg::PartitionSpec& spec, iceberg::FieldId id) {
  return std::any_of(spec.fields.begin(), spec.fields.end(), [&](auto& field) { return field.source_id == id; });
}

// Rows that are written anew, and where they go.
class Rewriting {
 public:
  Rewriting(io::Env env, const iceberg::Table& table, const iceberg::PartitionSpec& spec, bool is_by_kind)
      : env_(env), metadata_(*table.metadata), spec_(spec), is_by_kind_(is_by_kind) {}

  Result<void> Add(const iceberg::DataFile& file) {
    out_.removed_paths.push_back(file.path);
    if (!is_by_kind_) partition_ = file.partition;
    ASSIGN_OR_RETURN(auto object, env_.objects.Open(file.path));
    ASSIGN_OR_RETURN(auto reader, iceberg::DataFileReader::Open(std::move(object), metadata_.schema()));
    for (int group = 0; group < reader->row_groups(); group++) {
      ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
      ASSIGN_OR_RETURN(auto batch, Imported(std::move(columns)));
      RETURN_IF_ERROR(Write(batch));
    }
    return {};
  }

  Result<iceberg::SnapshotChange> Finish() {
    for (auto& [kind, writer] : writers_) {
      ASSIGN_OR_RETURN(auto written, writer->Finish());
      written.file.partition = partition_;
      if (is_by_kind_) written.file.partition = PartitionOf(kind);
      out_.added.push_back({std::move(written.file), spec_.spec_id});
    }
    out_.operation = "replace";
    out_.based_on = metadata_.current_snapshot()->snapshot_id;
    out_.data_sequence = metadata_.current_snapshot()->sequence_number;
    return std::move(out_);
  }

 private:
  // Columns by which the files of a spec are told apart stay as they are, unless the rows go where they belong.
  Result<void> Write(Batch batch) {
    const auto kinds = KindsOf(*batch);
    for (auto& field : ForeignColumns(metadata_.schema())) {
      if (!is_by_kind_ && IsSource(spec_, field.id)) continue;
      const int at = batch->schema()->GetFieldIndex(field.name);
      ASSIGN_OR_RETURN(auto values, Expected(batch->column(at)->type(), field.type, kinds));
      batch = *batch->SetColumn(at, batch->schema()->field(at), values);
    }
    ArrowSchema schema{};
    ArrowArray array{};
    if (auto exported = ::arrow::ExportRecordBatch(*batch, &array, &schema); !exported.ok())
      return Error{ErrorCode::kInvalid, exported.ToString(), {}};
    const Columns columns(schema, array);
    if (!is_by_kind_) {
      ASSIGN_OR_RETURN(auto* writer, WriterOf(0));
      return writer->Write(columns);
    }
    for (int64_t kind = 0; kind < kKinds; kind++) {
      std::vector<uint32_t> rows;
      for (size_t i = 0; i < kinds.size(); i++)
        if (kinds[i] == kind) rows.push_back(static_cast<uint32_t>(i));
      if (rows.empty()) continue;
      ASSIGN_OR_RETURN(auto* writer, WriterOf(kind));
      RETURN_IF_ERROR(writer->Write(columns, rows));
    }
    return {};
  }

  Result<iceberg::DataFileWriter*> WriterOf(int64_t kind) {
    auto& writer = writers_[kind];
    if (writer != nullptr) return writer.get();
    // It wrote the properties itself, also those that we do not understand: a writer that does not follow them is as good.
    const auto options = iceberg::DataFileOptions::FromProperties(metadata_.schema(), metadata_.properties);
    const auto uri = metadata_.location + std::string(kRewritten) + env_.random.NextUuid() + ".parquet";
    ASSIGN_OR_RETURN(
        writer, iceberg::DataFileWriter::Open(env_.objects, uri, metadata_.schema(), options.ok() ? *options : iceberg::DataFileOptions()));
    return writer.get();
  }

  iceberg::PartitionValue PartitionOf(int64_t kind) const {
    iceberg::PartitionValue out;
    for (auto& field : spec_.fields) {
      const auto& type = metadata_.schema().FindById(field.source_id)->type;
      out.push_back(iceberg::ApplyTransform(field.transform, ValueOf(type, kind), type));
    }
    return out;
  }

  io::Env env_;
  const iceberg::TableMetadata& metadata_;
  const iceberg::PartitionSpec& spec_;
  const bool is_by_kind_;
  iceberg::PartitionValue partition_;
  std::map<int64_t, std::unique_ptr<iceberg::DataFileWriter>> writers_;
  iceberg::SnapshotChange out_;
};

// Conditions that the smallest and the largest of a file's rows fulfil.
Result<void> CheckFound(io::Env env, const iceberg::TableMetadata& metadata, const NestedField& field, const std::vector<int64_t>& kinds,
                        const std::string& path) {
  using iceberg::FilterOp;
  const auto [least, most] = std::minmax_element(kinds.begin(), kinds.end());
  const auto low = ValueOf(field.type, std::max<int64_t>(*least, 1)), high = ValueOf(field.type, *most);
  std::vector<iceberg::ColumnFilter> filters{{field.id, FilterOp::kEqual, {high}},
                                             {field.id, FilterOp::kGreaterEqual, {high}},
                                             {field.id, FilterOp::kIn, {Value(), high}},
                                             {field.id, FilterOp::kIsNotNull, {}}};
  if (*least == 0) filters.push_back({field.id, FilterOp::kIsNull, {}});
  if (*least > 0) filters.push_back({field.id, FilterOp::kLessEqual, {low}});
  for (auto& filter : filters) {
    ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, metadata, *metadata.current_snapshot(), {&filter, 1}, nullptr));
    if (std::none_of(plan.files.begin(), plan.files.end(), [&](auto& one) { return one.file->path == path; }))
      return Error{ErrorCode::kCorruption,
                   "column " + field.name + ", a " + field.type.ToString() + ", of " + path + " has a value by which it is not found",
                   {}};
  }
  return {};
}

// One file, as far as its foreign columns go.
Result<void> CheckFile(io::Env env, const iceberg::Table& table, const iceberg::DataFile& file) {
  const auto& metadata = *table.metadata;
  ASSIGN_OR_RETURN(auto object, env.objects.Open(file.path));
  ASSIGN_OR_RETURN(auto reader, iceberg::DataFileReader::Open(std::move(object), metadata.schema()));
  for (int group = 0; group < reader->row_groups(); group++) {
    ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
    ASSIGN_OR_RETURN(auto batch, Imported(std::move(columns)));
    const auto kinds = KindsOf(*batch);
    for (auto& field : ForeignColumns(metadata.schema())) {
      const auto column = batch->GetColumnByName(field.name);
      const auto where = "column " + field.name + ", a " + field.type.ToString() + ", of " + file.path;
      if (column->null_count() == column->length()) continue;  // the file is from before
      ASSIGN_OR_RETURN(auto expected, Expected(column->type(), TypeInFile(field.type, *column), kinds));
      if (!column->Equals(expected, ::arrow::EqualOptions().nans_equal(true)))
        return Error{ErrorCode::kCorruption, where + " holds " + column->ToString() + ", expected " + expected->ToString(), {}};
      if (!field.type.is_nested()) RETURN_IF_ERROR(CheckFound(env, metadata, field, kinds, file.path));
    }
  }
  return {};
}

}  // namespace

Type AnyType(Dice& dice) {
  const Type primitives[] = {TypeId::kBoolean,     TypeId::kInt,        TypeId::kLong,        TypeId::kFloat,
                             TypeId::kDouble,      TypeId::kDate,       TypeId::kTime,        TypeId::kTimestamp,
                             TypeId::kTimestampTz, TypeId::kString,     TypeId::kUuid,        TypeId::kBinary,
                             Type::Fixed(kDigits), Type::Decimal(9, 2), Type::Decimal(18, 0), Type::Decimal(38, 10)};
  const auto any = [&] { return primitives[dice.Below(std::size(primitives))]; };
  switch (dice.Below(6)) {
    case 0: return Type::List(1, any(), false);
    case 1: return Type::Map(1, TypeId::kString, 2, any(), false);
    case 2: return Type::Struct({{1, "a", any()}, {2, "b", Type::List(3, any(), false)}});
    default: return any();
  }
}

std::vector<NestedField> ForeignColumns(const iceberg::TableSchema& schema) {
  const auto events = table::EventTableSchema();
  std::vector<NestedField> out;
  for (auto& field : schema.fields)
    if (events.FindById(field.id) == nullptr) out.push_back(field);
  return out;
}

Result<iceberg::SnapshotChange> RewriteFiles(io::Env env, const iceberg::Table& table, Dice& dice) {
  const auto& metadata = *table.metadata;
  const auto* snapshot = metadata.current_snapshot();
  if (snapshot == nullptr) return iceberg::SnapshotChange();
  ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, metadata, *snapshot, {}, nullptr));
  if (plan.files.empty()) return iceberg::SnapshotChange();
  const auto foreign = ForeignColumns(metadata.schema());
  const auto& fields = metadata.spec().fields;
  const bool is_by_kind = std::all_of(fields.begin(), fields.end(), [&](auto& field) {
    return std::any_of(foreign.begin(), foreign.end(), [&](auto& column) { return column.id == field.source_id; });
  });
  const auto& first = plan.files[dice.Below(plan.files.size())];
  Rewriting rewriting(env, table, is_by_kind ? metadata.spec() : *metadata.FindSpec(first.spec_id), is_by_kind);
  size_t files = 0;
  for (auto& file : plan.files) {
    const bool fits = is_by_kind || (file.spec_id == first.spec_id && file.file->partition == first.file->partition);
    if (!fits || files == kFilesAtOnce) continue;
    files++;
    RETURN_IF_ERROR(rewriting.Add(*file.file));
  }
  return rewriting.Finish();
}

Result<void> CheckForeignColumns(io::Env env, const iceberg::Table& table) {
  const auto* snapshot = table.metadata->current_snapshot();
  if (snapshot == nullptr || ForeignColumns(table.metadata->schema()).empty()) return {};
  ASSIGN_OR_RETURN(auto plan, iceberg::PlanScan(env.objects, *table.metadata, *snapshot, {}, nullptr));
  for (auto& file : plan.files)
    if (auto checked = CheckFile(env, table, *file.file); !checked.ok()) return checked;
  return {};
}

}  // namespace sluice::sim
