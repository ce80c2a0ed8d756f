// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

struct SqlStatement {
  std::string text;   // without its ';' and spaces around it
  int64_t line;       // where it begins in the whole, from 1
  bool operator==(const SqlStatement&) const = default;
};

// Statements of a text.
struct SplitSql {
  std::vector<SqlStatement> statements;  // complete ones; those that are empty are left out
  SqlStatement rest;                     // behind the last ';'; maybe nothing or a comment
  bool rest_is_blank = true;             // nothing but spaces and whole comments
  bool rest_is_open = false;             // inside of a quote or comment that goes on
};

// Splits at each ';' outside of 'quotes', "names", $tag$dollar quotes$tag$, -- and /* nested /* comments */ */.
SplitSql SplitStatements(std::string_view text);

}  // namespace sluice::cli
