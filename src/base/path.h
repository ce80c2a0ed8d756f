// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Paths are plain strings with '/' between names; the simulated file system knows nothing else.

#include <string>
#include <string_view>

namespace sluice {

using Path = std::string;

namespace base {

inline Path JoinPath(std::string_view directory, std::string_view name) {
  Path out(directory);
  if (!out.empty() && out.back() != '/') out += '/';
  out += name;
  return out;
}
// "a/b/c" -> "a/b"; "c" -> "."; "/c" -> "/".
inline Path ParentPath(std::string_view path) {
  auto at = path.rfind('/');
  if (at == std::string_view::npos) return ".";
  return at == 0 ? "/" : Path(path.substr(0, at));
}
inline Path FileName(std::string_view path) {
  auto at = path.rfind('/');
  return Path(at == std::string_view::npos ? path : path.substr(at + 1));
}

}  // namespace base
}  // namespace sluice
