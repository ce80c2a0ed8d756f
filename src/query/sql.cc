// SPDX-License-Identifier: Apache-2.0
#include "query/sql.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.h"

namespace sluice::query {

std::string_view QueryErrorName(QueryErrorKind kind) {
  static constexpr std::array<std::string_view, kQueryErrorKindCount> kNames = {"syntax",        "unknown_name", "invalid",   "forbidden",
                                                                                "out_of_memory", "timeout",      "cancelled", "exhausted",
                                                                                "unavailable",   "worker_died",  "internal"};
  auto at = static_cast<size_t>(kind);
  CHECK(at < kNames.size(), "a kind without a name");
  return kNames[at];
}

Result<void> ValidateRequest(const SqlRequest& request) {
  auto exhausted = [](std::string message, std::string hint) { return Error{ErrorCode::kExhausted, std::move(message), std::move(hint)}; };
  if (request.sql.size() > kSqlBytesMax)
    return exhausted("the statement is longer than " + std::to_string(kSqlBytesMax) + " bytes", "pass long values as parameters");
  if (request.parameters.size() > kSqlParametersMax)
    return exhausted("more than " + std::to_string(kSqlParametersMax) + " parameters", "pass one JSON array and unnest it");
  size_t bytes = 0;
  for (auto& p : request.parameters)
    if (auto* text = std::get_if<std::string>(&p)) bytes += text->size();
  if (bytes > kSqlParameterBytesMax) return exhausted("parameters of more than " + std::to_string(kSqlParameterBytesMax) + " bytes", "");
  if (request.timeout_ms < 1 || request.timeout_ms > kTimeoutMsMax)
    return Error{ErrorCode::kInvalid, "\"timeout_ms\" is not between 1 and " + std::to_string(kTimeoutMsMax), ""};
  return {};
}

namespace {
bool SameText(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}
}  // namespace

std::pair<std::string, TablePart> SplitTableName(std::string_view name) {
  struct Suffix {
    std::string_view text;
    TablePart part;
  };
  static constexpr std::array<Suffix, 4> kSuffixes = {
      {{"hot", TablePart::kHot}, {"lake", TablePart::kLake}, {"snapshots", TablePart::kSnapshots}, {"files", TablePart::kFiles}}};
  for (auto& suffix : kSuffixes) {
    if (name.size() < suffix.text.size() || !SameText(name.substr(name.size() - suffix.text.size()), suffix.text)) continue;
    auto rest = name.substr(0, name.size() - suffix.text.size());
    size_t separator = rest.ends_with("__") ? 2 : rest.ends_with('$') ? 1 : 0;
    if (separator != 0 && rest.size() > separator) return {std::string(rest.substr(0, rest.size() - separator)), suffix.part};
  }
  return {std::string(name), TablePart::kAll};
}

}  // namespace sluice::query
