// SPDX-License-Identifier: Apache-2.0
#include "io/file_system.h"

namespace sluice::io {
namespace {

// One per path: two writers of one path would be a defect of the caller, and a leftover of a crash is simply written over.
Path TemporaryPath(const Path& path) { return path + ".tmp"; }

Result<void> WriteWhole(FileSystem& files, const Path& path, const std::function<Result<void>(File&)>& write, OpenOptions options) {
  options.mode = OpenMode::kCreateOrOpen;
  ASSIGN_OR_RETURN(auto file, files.Open(path, options));
  RETURN_IF_ERROR(file->Truncate(0));
  RETURN_IF_ERROR(write(*file));
  return file->Sync();
}

}  // namespace

Result<std::string> ReadFile(FileSystem& files, const Path& path, uint64_t bytes_max) {
  ASSIGN_OR_RETURN(auto file, files.Open(path, {}));
  ASSIGN_OR_RETURN(uint64_t size, file->Size());
  if (size > bytes_max)
    return Error{ErrorCode::kExhausted, "read \"" + path + "\": " + std::to_string(size) + " bytes, more than " + std::to_string(bytes_max), {}};
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(size_t n, file->Read(0, bytes));
  bytes.resize(n);
  return bytes;
}

Result<void> WriteFileAtomically(FileSystem& files, const Path& path, std::string_view bytes) {
  return WriteFileAtomically(files, path, [bytes](File& file) { return file.Write(0, bytes); });
}

Result<void> WriteFileAtomically(FileSystem& files, const Path& path, const std::function<Result<void>(File&)>& write, OpenOptions options) {
  Path temporary = TemporaryPath(path);
  if (auto written = WriteWhole(files, temporary, write, options); !written.ok()) {
    (void)files.Remove(temporary).ok();  // the first error is the one to tell
    return written;
  }
  RETURN_IF_ERROR(files.Rename(temporary, path));
  return files.SyncDirectory(base::ParentPath(path));
}

Result<bool> Exists(FileSystem& files, const Path& path) {
  auto info = files.Stat(path);
  if (info.ok()) return true;
  if (info.error().code == ErrorCode::kNotFound) return false;
  return std::move(info).error();
}

Result<void> RemoveTree(FileSystem& files, const Path& path) {
  auto removed = files.Remove(path);
  if (removed.ok() || removed.error().code == ErrorCode::kNotFound) return {};
  if (removed.error().code != ErrorCode::kExists) return removed;
  // A directory with something in it. (Links are removed above, never followed.)
  ASSIGN_OR_RETURN(auto names, files.List(path));
  for (auto& name : names) RETURN_IF_ERROR(RemoveTree(files, base::JoinPath(path, name)));
  return files.Remove(path);
}

}  // namespace sluice::io
