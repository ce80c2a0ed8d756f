// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Arrow IPC streams: from a worker into Columns, and from Columns to a client.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/columns.h"
#include "base/result.h"

namespace sluice::query {

// Takes a stream in pieces as they come. Everything is checked (offsets, lengths, UTF-8): the bytes are a worker's.
// Not thread-safe.
class ArrowStreamReader {
 public:
  // Called from Push, in the stream's order. An error ends the stream and is returned by Push.
  using OnSchema = std::function<Result<void>(const ArrowSchema&)>;
  using OnBatch = std::function<Result<void>(Columns)>;
  ArrowStreamReader(OnSchema on_schema, OnBatch on_batch);
  ~ArrowStreamReader();
  // kCorruption: no Arrow stream. After an error: do not call again.
  Result<void> Push(std::string bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Renders a result as one Arrow IPC stream: schema, batches, end mark. Each call appends to `out`. Not thread-safe.
class ArrowStreamWriter {
 public:
  ArrowStreamWriter();
  ~ArrowStreamWriter();
  // kInvalid: a type that Arrow does not know.
  Result<void> Begin(const ArrowSchema& schema, std::string& out);
  Result<void> Write(Columns batch, std::string& out);
  // The end mark; without it readers see a broken stream.
  Result<void> End(std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One batch as a whole stream.
Result<std::string> ToArrowStream(Columns columns);

}  // namespace sluice::query
