// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Columns: a batch of rows by column, as the Arrow C data interface lays it out. The currency between folders: a hot
// chunk, a Parquet writer, a SQL result and a front end exchange Columns and none of them needs another's library.
// Source: https://arrow.apache.org/docs/format/CDataInterface.html (the two structs and the guard are copied from there by
// its own invitation; the layout is an ABI).

#include <cstdint>
#include <utility>

extern "C" {
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE
}

namespace sluice {

// Owns one struct-typed ArrowArray (a record batch) and its schema. Movable, not copyable. Either both are set or none.
class Columns {
 public:
  Columns() = default;
  // Takes both over: their release callbacks are called here.
  Columns(ArrowSchema schema, ArrowArray array) : schema_(schema), array_(array) {}
  Columns(Columns&& other) noexcept : schema_(std::exchange(other.schema_, {})), array_(std::exchange(other.array_, {})) {}
  Columns& operator=(Columns&& other) noexcept {
    if (this != &other) {
      Release();
      schema_ = std::exchange(other.schema_, {});
      array_ = std::exchange(other.array_, {});
    }
    return *this;
  }
  ~Columns() { Release(); }

  bool empty() const { return array_.release == nullptr; }
  int64_t rows() const { return empty() ? 0 : array_.length; }
  int64_t column_count() const { return empty() ? 0 : array_.n_children; }
  const ArrowSchema& schema() const { return schema_; }
  const ArrowArray& array() const { return array_; }

  // Gives both away (an import of Arrow or DuckDB takes them over); this is empty afterwards.
  std::pair<ArrowSchema, ArrowArray> Take() { return {std::exchange(schema_, {}), std::exchange(array_, {})}; }

 private:
  void Release() {
    if (array_.release != nullptr) array_.release(&array_);
    if (schema_.release != nullptr) schema_.release(&schema_);
    array_ = {};
    schema_ = {};
  }
  ArrowSchema schema_{};
  ArrowArray array_{};
};

}  // namespace sluice
