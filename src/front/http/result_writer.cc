// SPDX-License-Identifier: Apache-2.0
#include "front/http/result_writer.h"

#include "front/http/http_message.h"
#include "front/http/sql_endpoint.h"
#include "query/arrow_stream.h"
#include "query/render_csv.h"
#include "query/render_json.h"

namespace sluice::front::http {
namespace {

class JsonWriter : public ResultWriter {
 public:
  std::string_view content_type() const override { return kJsonType; }
  Result<void> Begin(const ArrowSchema& schema, std::string& out) override { return renderer_.Begin(schema, out); }
  Result<void> Append(Columns batch, std::string& out) override {
    renderer_.Append(batch, out);
    return {};
  }
  Result<void> End(const query::StatementStats& stats, std::string& out) override {
    renderer_.End(stats, out);
    return {};
  }
  bool Fail(const query::QueryError& error, const query::StatementStats& stats, std::string& out) override {
    renderer_.Fail(error, stats, out);
    return true;
  }

 private:
  query::JsonRenderer renderer_;
};

class NdjsonWriter : public ResultWriter {
 public:
  std::string_view content_type() const override { return kNdjsonType; }
  Result<void> Begin(const ArrowSchema& schema, std::string& out) override { return renderer_.Begin(schema, out); }
  Result<void> Append(Columns batch, std::string& out) override {
    renderer_.Append(batch, out);
    return {};
  }
  Result<void> End(const query::StatementStats&, std::string&) override { return {}; }
  bool Fail(const query::QueryError& error, const query::StatementStats&, std::string& out) override {
    renderer_.Fail(error, out);
    return true;
  }

 private:
  query::NdjsonRenderer renderer_;
};

class CsvWriter : public ResultWriter {
 public:
  std::string_view content_type() const override { return "text/csv; charset=utf-8; header=present"; }
  Result<void> Begin(const ArrowSchema& schema, std::string& out) override { return renderer_.Begin(schema, out); }
  Result<void> Append(Columns batch, std::string& out) override {
    renderer_.Append(batch, out);
    return {};
  }
  Result<void> End(const query::StatementStats&, std::string&) override { return {}; }
  bool Fail(const query::QueryError&, const query::StatementStats&, std::string&) override { return false; }

 private:
  query::CsvRenderer renderer_;
};

class ArrowWriter : public ResultWriter {
 public:
  std::string_view content_type() const override { return kArrowType; }
  Result<void> Begin(const ArrowSchema& schema, std::string& out) override { return writer_.Begin(schema, out); }
  Result<void> Append(Columns batch, std::string& out) override { return writer_.Write(std::move(batch), out); }
  Result<void> End(const query::StatementStats&, std::string& out) override { return writer_.End(out); }
  bool Fail(const query::QueryError&, const query::StatementStats&, std::string&) override { return false; }

 private:
  query::ArrowStreamWriter writer_;
};

}  // namespace

std::unique_ptr<ResultWriter> MakeResultWriter(ResultFormat format) {
  switch (format) {
    case ResultFormat::kNdjson: return std::make_unique<NdjsonWriter>();
    case ResultFormat::kCsv: return std::make_unique<CsvWriter>();
    case ResultFormat::kArrow: return std::make_unique<ArrowWriter>();
    case ResultFormat::kJson: break;
  }
  return std::make_unique<JsonWriter>();
}

}  // namespace sluice::front::http
