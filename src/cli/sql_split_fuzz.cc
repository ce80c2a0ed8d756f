// SPDX-License-Identifier: Apache-2.0
//
// The shell's split of a text into statements.

#include <algorithm>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "cli/sql_split.h"

namespace sluice::cli {
namespace {

void Run(std::string_view input) {
  auto split = SplitStatements(input);
  int64_t line = 1, lines = 1 + std::count(input.begin(), input.end(), '\n');
  for (const SqlStatement& statement : split.statements) {
    CHECK(!statement.text.empty() && input.find(statement.text) != std::string_view::npos, "a statement is a part of the text");
    CHECK(statement.line >= line && statement.line <= lines, "statements come in order");
    line = statement.line;
    auto alone = SplitStatements(statement.text + "\n;");
    CHECK(alone.statements.size() == 1 && alone.statements[0].text == statement.text, "a statement is one statement");
  }
  CHECK(split.rest.text.size() <= input.size(), "the rest is a part of the text");
}

std::vector<std::string> Seeds() {
  return {"SELECT 1; SELECT ';', \";\", $$;$$, $t$ ; $$ $t$ -- ;\n, 2 /* ; /* ; */ */;\n\nSELECT 'it''s'; ", "SELECT $1; SELECT 'open", "/* a */; ;;-- c", "SELECT E'\\';'; x"};
}

const base::FuzzRegistration kRegistration({"sql_split", Run, Seeds});

}  // namespace
}  // namespace sluice::cli
