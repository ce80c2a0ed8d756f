// SPDX-License-Identifier: Apache-2.0
#include "sim/table_rows.h"

#include <numeric>

#include "base/check.h"
#include "iceberg/data_file_reader.h"
#include "query/column_values.h"
#include "table/event_schema.h"
#include "table/hot_columns.h"
#include "table/hot_tail.h"

namespace sluice::sim {
namespace {

Result<void> AddRows(const Columns& columns, std::vector<Row>& out) {
  ASSIGN_OR_RETURN(auto renderers, query::MakeRenderers(columns.schema()));
  CHECK(renderers.size() == table::kEventColumnCount, "rows of another shape");
  for (int64_t r = 0; r < columns.rows(); r++) {
    Row& row = out.emplace_back();
    for (size_t c = 0; c < renderers.size(); c++) {
      std::string text;
      if (renderers[c]->Append(*columns.array().children[c], columns.array().offset + r, text) != query::ValueForm::kNull) row[c] = std::move(text);
    }
  }
  return {};
}

Result<void> AddHotRows(const query::ViewChunk& chunk, TableRows& out) {
  if (chunk.begin == chunk.end) return {};
  // There are no descriptors in the simulator: the chunk itself is asked, which is what the view's owner points at.
  auto hot = std::static_pointer_cast<const table::HotChunk>(chunk.owner);
  std::vector<uint32_t> rows(chunk.end - chunk.begin);
  std::iota(rows.begin(), rows.end(), chunk.begin);
  const auto reader = hot->reader();
  out.hot_files += hot->in_file() ? 1 : 0;
  const table::HotRows part{&reader, rows};
  return AddRows(table::GatherHotColumns({&part, 1}, chunk.owner), out.hot);
}

}  // namespace

Result<std::vector<Row>> ReadDataFile(io::Env env, const std::string& uri) {
  std::vector<Row> out;
  ASSIGN_OR_RETURN(auto object, env.objects.Open(uri));
  ASSIGN_OR_RETURN(auto reader, iceberg::DataFileReader::Open(std::move(object), table::EventTableSchema()));
  for (int group = 0; group < reader->row_groups(); group++) {
    ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
    RETURN_IF_ERROR(AddRows(columns, out));
  }
  return out;
}

Result<TableRows> ReadRows(io::Env env, const query::ViewTable& table) {
  TableRows out;
  ASSIGN_OR_RETURN(auto scan, table.Scan(query::TablePart::kAll, {}));
  for (auto& file : scan.files) {
    auto rows = ReadDataFile(env, file.uri);
    if (!rows.ok()) return rows.error().While("reading " + file.uri);
    if (static_cast<int64_t>(rows->size()) != file.rows)
      return Error{ErrorCode::kCorruption, file.uri + " holds " + std::to_string(rows->size()) + " rows, its manifest says " + std::to_string(file.rows)};
    out.lake.insert(out.lake.end(), std::make_move_iterator(rows->begin()), std::make_move_iterator(rows->end()));
  }
  for (auto& chunk : scan.chunks) RETURN_IF_ERROR(AddHotRows(chunk, out));
  return out;
}

}  // namespace sluice::sim
