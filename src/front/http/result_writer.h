// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// One statement's result in one of the formats that /v1/sql speaks.

#include <memory>
#include <string>
#include <string_view>

#include "base/columns.h"
#include "base/result.h"
#include "query/sql.h"

namespace sluice::front::http {

enum class ResultFormat : uint8_t;

// Begin, Append..., then End or Fail; each appends bytes to `out`. Not thread-safe.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual std::string_view content_type() const = 0;
  // kInvalid: a type that the format cannot say.
  virtual Result<void> Begin(const ArrowSchema& schema, std::string& out) = 0;
  virtual Result<void> Append(Columns batch, std::string& out) = 0;
  virtual Result<void> End(const query::StatementStats& stats, std::string& out) = 0;
  // False: the format has no place for an error behind rows; the answer has to be broken.
  virtual bool Fail(const query::QueryError& error, const query::StatementStats& stats, std::string& out) = 0;
};

std::unique_ptr<ResultWriter> MakeResultWriter(ResultFormat format);

}  // namespace sluice::front::http
