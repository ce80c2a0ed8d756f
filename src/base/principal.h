// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Who sends a request. Until there is authentication everybody is the default principal.

#include <string>

namespace sluice {

struct Principal {
  std::string tenant = "default";
  std::string producer;  // client or key name; empty: none, the bronze column is null
};

}  // namespace sluice
