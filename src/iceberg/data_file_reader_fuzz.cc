// SPDX-License-Identifier: Apache-2.0
//
// Parquet files of other engines: footer and pages. Arrow and Parquet are not instrumented: what they do wrong shows where we read what
// they made, or as a crash.

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "iceberg/data_file_columns.h"
#include "iceberg/data_file_reader.h"
#include "iceberg/internal/data_file_testing.h"

namespace sluice::iceberg {
namespace {

using namespace testing;  // NOLINT: the fakes of these tests

const std::string kUri = "mem:///f.parquet";
constexpr int kRowGroupsMax = 4;

TableSchema Wanted() {
  TableSchema schema;
  schema.fields = {{1, "a", TypeId::kLong}, {2, "b", TypeId::kString}, {3, "m", Type::Map(4, TypeId::kString, 5, TypeId::kDouble, false)}};
  return schema;
}

void Run(std::string_view input) {
  MemoryObjects objects;
  auto object = objects.Create(kUri);
  CHECK(object.ok() && (*object)->Append(input).ok() && (*object)->Finish().ok(), "memory takes everything");
  auto reader = DataFileReader::Open(*objects.Open(kUri), Wanted());
  if (!reader.ok()) return;
  for (int group = 0; group < std::min((*reader)->row_groups(), kRowGroupsMax); group++) {
    auto columns = (*reader)->ReadRowGroup(group);
    if (!columns.ok()) continue;
    CHECK((*columns).rows() >= 0, "rows are counted");
  }
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  auto add = [&](const std::vector<ColumnText>& columns) {
    MemoryObjects objects;
    std::vector<NestedField> fields;
    for (const ColumnText& column : columns) fields.push_back(column.field);
    Must(WriteFile(objects, kUri, SchemaOf(fields), MakeColumns(columns)));
    auto object = *objects.Open(kUri);
    std::string bytes(object->size(), '\0');
    CHECK(object->Read(0, bytes).ok(), "memory reads");
    seeds.push_back(bytes);
  };
  add({{{1, "a", TypeId::kInt}, "[1, null]"}});
  add({{{2, "b", TypeId::kString}, R"(["x", null, "x"])"}});
  add({{{3, "m", Type::Map(4, TypeId::kString, 5, TypeId::kFloat, false)}, R"([[["k", 1.5]], null])"}});
  return seeds;
}

const base::FuzzRegistration kRegistration({"parquet_file", Run, Seeds});

}  // namespace
}  // namespace sluice::iceberg
