// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A history as text, one operation a line, written when it is over:
//
//   {"do":"send","at":17,"until":19,"client":"a","outcome":"acknowledged","events":[["id","raw-events","content"]],"places":[[3,12]]}
//   {"do":"read","at":20,"until":25,"reader":"sql","topics":{"raw-events":{"from":{"3":12},"rows":[[3,12,"id","content"]]}}}
//   {"do":"mark","at":26,"what":"kill"}
//
// "until" is missing when no answer came; "content", "places" and "from" may be; "may_lag":true belongs to a read.

#include <string_view>

#include "base/result.h"
#include "history.h"

namespace sluice::history {

// kInvalid names the line. An operation that the format does not know is an error, not something to skip.
Result<History> ParseHistory(std::string_view text);

}  // namespace sluice::history
