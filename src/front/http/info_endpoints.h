// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What an operator asks over HTTP: topics, tables, health, version, metrics and a first page.

#include <string>
#include <vector>

#include "front/http/engine_info.h"
#include "front/http/router.h"

namespace sluice::front::http {

inline constexpr int64_t kFlushTimeoutMsDefault = 60'000;
inline constexpr int64_t kFlushTimeoutMsMax = 600'000;

// `engine` must outlive the routes.
std::vector<Route> InfoRoutes(EngineInfo& engine);

}  // namespace sluice::front::http
