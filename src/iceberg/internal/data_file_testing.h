// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For the tests of data files: objects in memory that fail on demand, and Columns from JSON.

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/columns.h"
#include "iceberg/data_file_reader.h"
#include "iceberg/data_file_writer.h"
#include "iceberg/internal/arrow_types.h"
#include "io/object_store.h"

namespace sluice::iceberg::testing {

// Objects that appear whole at Finish. Append number `fail_at` (from 0) of every object fails with `failure`; so does Finish
// when `fail_finish` is set.
class MemoryObjects final : public io::ObjectStore {
 public:
  std::map<std::string, std::string> objects;
  int open_writers = 0;
  int appends = 0;  // of all writers
  int fail_at = -1;
  bool fail_finish = false;
  Error failure{ErrorCode::kExhausted, "no space in memory", "delete something"};

  Result<std::unique_ptr<io::ObjectWriter>> Create(const std::string& uri) override {
    if (objects.contains(uri)) return Error{ErrorCode::kExists, "object \"" + uri + "\" exists"};
    return std::unique_ptr<io::ObjectWriter>(std::make_unique<Writer>(*this, uri));
  }
  Result<std::unique_ptr<io::ObjectReader>> Open(const std::string& uri) override {
    auto found = objects.find(uri);
    if (found == objects.end()) return Error{ErrorCode::kNotFound, "no object \"" + uri + "\""};
    return std::unique_ptr<io::ObjectReader>(std::make_unique<Reader>(*this, found->second));
  }
  Result<void> Remove(const std::string& uri) override {
    objects.erase(uri);
    return {};
  }
  Result<void> List(const std::string&, const std::function<void(const io::ObjectInfo&)>&) override { return {}; }

  bool fail_reads = false;

 private:
  struct Writer final : io::ObjectWriter {
    Writer(MemoryObjects& store, std::string uri) : store_(store), uri_(std::move(uri)) { store_.open_writers++; }
    ~Writer() override { store_.open_writers--; }
    Result<void> Append(std::string_view bytes) override {
      if (store_.appends++ == store_.fail_at) return store_.failure;
      bytes_ += bytes;
      return {};
    }
    Result<void> Finish() override {
      if (store_.fail_finish) return store_.failure;
      store_.objects[uri_] = bytes_;
      return {};
    }
    uint64_t position() const override { return bytes_.size(); }
    MemoryObjects& store_;
    std::string uri_, bytes_;
  };
  struct Reader final : io::ObjectReader {
    Reader(MemoryObjects& store, std::string bytes) : store_(store), bytes_(std::move(bytes)) {}
    Result<size_t> Read(uint64_t at, std::span<char> to) override {
      if (store_.fail_reads) return store_.failure;
      if (at >= bytes_.size()) return size_t{0};
      size_t n = std::min(to.size(), bytes_.size() - static_cast<size_t>(at));
      std::memcpy(to.data(), bytes_.data() + at, n);
      return n;
    }
    uint64_t size() const override { return bytes_.size(); }
    int descriptor() const override { return -1; }
    MemoryObjects& store_;
    std::string bytes_;
  };
};

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << result.error().ToString();
  return std::move(result).value();
}

inline std::shared_ptr<::arrow::Array> ArrayOf(const std::shared_ptr<::arrow::DataType>& type, const std::string& json) {
  auto array = ::arrow::json::ArrayFromJSONString(type, json);
  if (!array.ok()) ADD_FAILURE() << array.status().ToString() << " in " << json;
  return *array;
}

// A column of the table: the field it belongs to, and its values as JSON; `as`: of this Arrow type instead of the field's own.
struct ColumnText {
  NestedField field;
  std::string json;
  std::shared_ptr<::arrow::DataType> as = nullptr;
};

inline Columns ExportBatch(const ::arrow::RecordBatch& batch) {
  ArrowSchema schema{};
  ArrowArray array{};
  EXPECT_TRUE(::arrow::ExportRecordBatch(batch, &array, &schema).ok());
  return Columns(schema, array);
}

inline std::shared_ptr<::arrow::RecordBatch> MakeBatch(const std::vector<ColumnText>& columns) {
  ::arrow::FieldVector fields;
  ::arrow::ArrayVector arrays;
  for (const ColumnText& column : columns) {
    auto type = column.as != nullptr ? column.as : internal::MakeArrowType(column.field.type);
    fields.push_back(internal::MakeArrowField(column.field)->WithType(type));
    arrays.push_back(ArrayOf(type, column.json));
  }
  return ::arrow::RecordBatch::Make(::arrow::schema(fields), arrays.empty() ? 0 : arrays[0]->length(), arrays);
}

inline Columns MakeColumns(const std::vector<ColumnText>& columns) { return ExportBatch(*MakeBatch(columns)); }

inline TableSchema SchemaOf(std::vector<NestedField> fields) {
  TableSchema schema;
  schema.fields = std::move(fields);
  return schema;
}

// Writes one file of all the rows (or those listed) and returns what Finish said.
inline Result<WrittenDataFile> WriteFile(MemoryObjects& objects, const std::string& uri, const TableSchema& schema, const Columns& columns,
                                         DataFileOptions options = {}, std::optional<std::vector<uint32_t>> rows = std::nullopt) {
  ASSIGN_OR_RETURN(auto writer, DataFileWriter::Open(objects, uri, schema, std::move(options)));
  RETURN_IF_ERROR(rows.has_value() ? writer->Write(columns, *rows) : writer->Write(columns));
  return writer->Finish();
}

// All rows of a file, as one struct array per row group.
inline std::vector<std::shared_ptr<::arrow::RecordBatch>> ReadFile(MemoryObjects& objects, const std::string& uri, const TableSchema& wanted) {
  std::vector<std::shared_ptr<::arrow::RecordBatch>> batches;
  auto reader = Must(DataFileReader::Open(Must(objects.Open(uri)), wanted));
  for (int i = 0; i < reader->row_groups(); i++) {
    auto [schema, array] = Must(reader->ReadRowGroup(i)).Take();
    auto batch = ::arrow::ImportRecordBatch(&array, &schema);
    EXPECT_TRUE(batch.ok()) << batch.status().ToString();
    EXPECT_TRUE((*batch)->ValidateFull().ok()) << (*batch)->ValidateFull().ToString();
    batches.push_back(*batch);
  }
  return batches;
}

}  // namespace sluice::iceberg::testing
