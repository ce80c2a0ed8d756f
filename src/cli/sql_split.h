// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

// Statements of a text.
struct SplitSql {
  std::vector<std::string> statements;  // complete ones, without their ';', spaces around them and empty ones
  std::string rest;                     // behind the last ';', as it was written; maybe only spaces and comments
  bool rest_is_blank = true;            // nothing but spaces and whole comments
};

// Splits at each ';' outside of 'quotes', "names", $tag$dollar quotes$tag$, -- and /* nested /* comments */ */.
SplitSql SplitStatements(std::string_view text);

}  // namespace sluice::cli
