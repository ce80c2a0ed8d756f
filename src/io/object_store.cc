// SPDX-License-Identifier: Apache-2.0
#include "io/object_store.h"

namespace sluice::io {
namespace {

constexpr std::string_view kScheme = "file:";
constexpr std::string_view kLocalHost = "//localhost/";

}  // namespace

Result<std::string> ReadObject(ObjectStore& objects, const std::string& uri, uint64_t bytes_max) {
  ASSIGN_OR_RETURN(auto reader, objects.Open(uri));
  if (reader->size() > bytes_max)
    return Error{ErrorCode::kExhausted, "read \"" + uri + "\": " + std::to_string(reader->size()) + " bytes, more than " + std::to_string(bytes_max), {}};
  std::string bytes(reader->size(), '\0');
  ASSIGN_OR_RETURN(size_t n, reader->Read(0, bytes));
  if (n != bytes.size()) return Error{ErrorCode::kIo, "read \"" + uri + "\": it became shorter while it was read", {}};
  return bytes;
}

Result<void> WriteObject(ObjectStore& objects, const std::string& uri, std::string_view bytes) {
  ASSIGN_OR_RETURN(auto writer, objects.Create(uri));
  RETURN_IF_ERROR(writer->Append(bytes));
  return writer->Finish();
}

std::string PathToUri(const Path& absolute_path) {
  CHECK(!absolute_path.empty() && absolute_path[0] == '/', "a URI needs an absolute path");
  return "file://" + absolute_path;
}

Result<Path> UriToPath(const std::string& uri) {
  std::string_view rest = uri;
  if (!rest.starts_with(kScheme)) return Error{ErrorCode::kInvalid, "\"" + uri + "\" is no file: location", {}};
  rest.remove_prefix(kScheme.size());
  if (rest.starts_with(kLocalHost)) rest.remove_prefix(kLocalHost.size() - 1);
  else if (rest.starts_with("///")) rest.remove_prefix(2);
  if (!rest.starts_with("/") || rest.starts_with("//")) return Error{ErrorCode::kInvalid, "\"" + uri + "\" is no absolute path of this machine", {}};
  return Path(rest);
}

}  // namespace sluice::io
