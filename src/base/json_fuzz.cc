// SPDX-License-Identifier: Apache-2.0
//
// Documents of others that are small: metadata files, requests to /v1/sql, the feed's progress.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "base/json.h"
#include "base/time.h"

namespace sluice {
namespace {

void RunJson(std::string_view input) {
  auto json = Json::Parse(input);
  if (!json.ok()) return;
  for (int indent : {-1, 2}) {
    auto again = Json::Parse(json->Dump(indent));
    CHECK(again.ok() && *again == *json, "what was read can be written and reads the same");
  }
}

void RunTime(std::string_view input) {
  Timestamp time, again;
  if (!base::ParseRfc3339(input, time)) return;
  CHECK(base::ParseRfc3339(base::FormatRfc3339(time), again) && again == time, "a time can be written and reads the same");
}

std::vector<std::string> JsonSeeds() {
  return {R"({"a":[1,-2.5e3,"\u00e9\ud83d\ude00\n",true,false,null,{}],"":9223372036854775807})", "-9223372036854775808", "18446744073709551615", "1e400", "\"\\u0000\"", "[[[]]]"};
}
std::vector<std::string> TimeSeeds() {
  return {"2026-01-15T10:00:00Z", "2026-01-15t10:00:00.123456789+02:00", "1969-12-31T23:59:60.5-00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2024-02-29T00:00:00-23:59"};
}

const base::FuzzRegistration kJson({"json", RunJson, JsonSeeds});
const base::FuzzRegistration kTime({"rfc3339", RunTime, TimeSeeds});

}  // namespace
}  // namespace sluice
