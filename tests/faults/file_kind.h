// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace sluice::faults {

// What stands at `path`, relative to the data directory ("" is the directory itself): "journal-segment", "manifest", ... A file that the
// table of names does not know is "unknown(<path>)", which no list of edges has: whoever adds a kind of file gives it a name here.
std::string FileKind(std::string_view path, bool is_directory);

// What the unnamed files made in a directory are for.
std::string UnnamedFileKind(std::string_view directory);

}  // namespace sluice::faults
