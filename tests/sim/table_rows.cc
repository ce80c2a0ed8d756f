// SPDX-License-Identifier: Apache-2.0
#include "sim/table_rows.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/time.h"
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
      if (renderers[c]->Append(*columns.array().children[c], columns.array().offset + r, text) != query::ValueForm::kNull)
        row[c] = std::move(text);
    }
  }
  return {};
}

Result<void> AddHotRows(const query::ViewChunk& chunk, TableRows& out) {
  if (chunk.begin == chunk.end) return {};
  if (chunk.check) RETURN_IF_ERROR(chunk.check());
  // There are no descriptors in the simulator: the chunk itself is asked, which is what the view's owner points at.
  auto hot = std::static_pointer_cast<const table::HotChunk>(chunk.owner);
  std::vector<uint32_t> rows(chunk.end - chunk.begin);
  std::iota(rows.begin(), rows.end(), chunk.begin);
  const auto reader = hot->reader();
  out.hot_files += hot->in_file() ? 1 : 0;
  const table::HotRows part{&reader, rows};
  return AddRows(table::GatherHotColumns({&part, 1}, chunk.owner), out.hot);
}

// An object that was read already.
class BytesReader final : public io::ObjectReader {
 public:
  explicit BytesReader(std::string_view bytes) : bytes_(bytes) {}
  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    if (at >= bytes_.size()) return size_t{0};
    return bytes_.copy(to.data(), to.size(), at);
  }
  uint64_t size() const override { return bytes_.size(); }
  int descriptor() const override { return -1; }

 private:
  const std::string_view bytes_;
};

Result<Rows> Decode(std::string_view bytes) {
  auto out = std::make_shared<std::vector<Row>>();
  ASSIGN_OR_RETURN(auto reader, iceberg::DataFileReader::Open(std::make_unique<BytesReader>(bytes), table::EventTableSchema()));
  for (int group = 0; group < reader->row_groups(); group++) {
    ASSIGN_OR_RETURN(auto columns, reader->ReadRowGroup(group));
    RETURN_IF_ERROR(AddRows(columns, *out));
  }
  return Rows(std::move(out));
}

// A condition that a row of the file fulfils, for each kind of condition: the file must be in the scan.
Result<void> CheckPruning(const query::ViewTable& table, const std::string& uri, const Row& row) {
  using iceberg::FilterOp;
  using table::EventColumn;
  const auto filter = [](EventColumn column, FilterOp op, std::vector<iceberg::Value> values) {
    return iceberg::ColumnFilter{static_cast<iceberg::FieldId>(static_cast<int32_t>(column) + 1), op, std::move(values)};
  };
  const int64_t offset = std::stoll(*Cell(row, EventColumn::kLogOffset));
  const std::string id = *Cell(row, EventColumn::kId), type = *Cell(row, EventColumn::kType);
  const bool has_subject = Cell(row, EventColumn::kSubject).has_value();
  const iceberg::ColumnFilter filters[] = {
      filter(EventColumn::kId, FilterOp::kEqual, {id}),
      filter(EventColumn::kType, FilterOp::kIn, {std::string("another"), type}),
      filter(EventColumn::kType, FilterOp::kGreaterEqual, {type}),
      filter(EventColumn::kId, FilterOp::kLess, {id + "x"}),
      filter(EventColumn::kLogOffset, FilterOp::kLessEqual, {offset}),
      filter(EventColumn::kLogOffset, FilterOp::kGreater, {offset - 1}),
      filter(EventColumn::kSubject, has_subject ? FilterOp::kIsNotNull : FilterOp::kIsNull, {}),
      filter(EventColumn::kLogPartition, FilterOp::kEqual, {int64_t{std::stoll(*Cell(row, EventColumn::kLogPartition))}}),
  };
  for (size_t i = 0; i < std::size(filters); i++) {
    ASSIGN_OR_RETURN(auto scan, table.Scan(query::TablePart::kLake, {&filters[i], 1}));
    if (std::none_of(scan.files.begin(), scan.files.end(), [&](auto& file) { return file.uri == uri; }))
      return Error{
          ErrorCode::kCorruption, uri + " holds a row that matches condition " + std::to_string(i) + " and is left out of its scan", {}};
  }
  return {};
}

// The texts of one column; empty: there is no such column.
Result<std::vector<std::string>> ColumnTexts(const Columns& columns, std::string_view name) {
  ASSIGN_OR_RETURN(auto renderers, query::MakeRenderers(columns.schema()));
  std::vector<std::string> out;
  for (size_t c = 0; c < renderers.size(); c++)
    for (int64_t r = 0; columns.schema().children[c]->name == name && r < columns.rows(); r++)
      renderers[c]->Append(*columns.array().children[c], columns.array().offset + r, out.emplace_back());
  return out;
}

// The table as one of its older snapshots left it, by number and by time; and what it says of its files.
Result<void> CheckHistory(const query::ViewTable& table, const query::TableScan& now) {
  ASSIGN_OR_RETURN(auto files, table.MetadataRows(query::TablePart::kFiles));
  if (static_cast<size_t>(files.rows()) != now.files.size())
    return Error{
        ErrorCode::kCorruption, "it names " + std::to_string(files.rows()) + " files and has " + std::to_string(now.files.size()), {}};
  ASSIGN_OR_RETURN(auto snapshots, table.MetadataRows(query::TablePart::kSnapshots));
  ASSIGN_OR_RETURN(auto ids, ColumnTexts(snapshots, "snapshot_id"));
  ASSIGN_OR_RETURN(auto times, ColumnTexts(snapshots, "committed_at"));
  if (ids.empty()) return {};
  const size_t pick = now.files.size() % ids.size();
  ASSIGN_OR_RETURN(auto older, table.At(int64_t{std::stoll(ids[pick])}));
  ASSIGN_OR_RETURN(auto scan, older->Scan(query::TablePart::kAll, {}));
  int64_t rows = 0;
  for (auto& file : scan.files) rows += file.rows;
  if (!scan.chunks.empty() || (older->info().lake_rows && rows != *older->info().lake_rows))
    return Error{ErrorCode::kCorruption, "snapshot " + ids[pick] + " has " + std::to_string(rows) + " rows, and says another number", {}};
  Timestamp time;
  if (!base::ParseRfc3339(times.at(pick), time)) return Error{ErrorCode::kCorruption, "\"" + times[pick] + "\" is no time", {}};
  // A later one of the same millisecond may have expired.
  auto at = table.At(time);
  if (!at.ok() && at.error().code != ErrorCode::kNotFound) return at.error();
  return {};
}

}  // namespace

Result<Rows> DataFiles::Read(io::Env env, const std::string& uri) {
  ASSIGN_OR_RETURN(auto object, env.objects.Open(uri));
  std::string bytes(object->size(), '\0');
  ASSIGN_OR_RETURN(auto size, object->Read(0, bytes));
  bytes.resize(size);
  auto& known = decoded_[uri];
  if (known.rows != nullptr && known.bytes == bytes) return known.rows;
  ASSIGN_OR_RETURN(auto rows, Decode(bytes));
  known = {std::move(bytes), rows};
  return rows;
}

Result<TableRows> ReadRows(io::Env env, const query::ViewTable& table, DataFiles& files) {
  TableRows out;
  ASSIGN_OR_RETURN(auto scan, table.Scan(query::TablePart::kAll, {}));
  for (auto& file : scan.files) {
    auto rows = files.Read(env, file.uri);
    if (!rows.ok()) return rows.error().While("reading " + file.uri);
    if (static_cast<int64_t>((*rows)->size()) != file.rows)
      return Error{ErrorCode::kCorruption,
                   file.uri + " holds " + std::to_string((*rows)->size()) + " rows, its manifest says " + std::to_string(file.rows)};
    out.lake.push_back(std::move(*rows));
  }
  if (!scan.files.empty() && !out.lake.back()->empty())
    RETURN_IF_ERROR(CheckPruning(table, scan.files.back().uri, out.lake.back()->front()));
  RETURN_IF_ERROR(CheckHistory(table, scan));
  for (auto& chunk : scan.chunks) RETURN_IF_ERROR(AddHotRows(chunk, out));
  return out;
}

}  // namespace sluice::sim
