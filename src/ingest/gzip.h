// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sluice::ingest {

// The other side of inflate.h, for those who send: `bytes` as a gzip stream, fast rather than small.
std::string Gzip(std::string_view bytes);

}  // namespace sluice::ingest
