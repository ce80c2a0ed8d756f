// SPDX-License-Identifier: Apache-2.0
#include "query/render_csv.h"

namespace sluice::query {
namespace {

bool NeedsQuotes(std::string_view text) { return text.empty() || text.find_first_of(",\"\r\n") != std::string_view::npos || text.front() == ' ' || text.back() == ' '; }

void AppendField(std::string_view text, std::string& out) {
  if (!NeedsQuotes(text)) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

Result<void> CsvRenderer::Begin(const ArrowSchema& schema, std::string& out) {
  ASSIGN_OR_RETURN(columns_, MakeRenderers(schema));
  for (size_t i = 0; i < columns_.size(); i++) {
    if (i != 0) out += ',';
    AppendField(schema.children[i]->name, out);
  }
  out += '\n';
  return {};
}

void CsvRenderer::Append(const Columns& batch, std::string& out) {
  std::string value;
  for (int64_t row = 0; row < batch.rows(); row++) {
    for (size_t i = 0; i < columns_.size(); i++) {
      if (i != 0) out += ',';
      value.clear();
      if (columns_[i]->Append(*batch.array().children[i], batch.array().offset + row, value) != ValueForm::kNull) AppendField(value, out);
    }
    out += '\n';
  }
}

}  // namespace sluice::query
