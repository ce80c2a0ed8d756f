// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// GET /openapi.json: the routes as an OpenAPI 3.1 document, made of the routes themselves.
// https://spec.openapis.org/oas/v3.1.1.html

#include <vector>

#include "base/json.h"
#include "front/http/router.h"

namespace sluice::front::http {

// Call with all routes but the one that answers it. `version`: what GET /version answers.
Json MakeOpenApi(const std::vector<Route>& routes, const Json& version);

}  // namespace sluice::front::http
