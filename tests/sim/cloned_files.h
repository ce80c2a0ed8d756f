// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/forwarding_files.h"

namespace sluice::sim {

// The machine on which a snapshot of `data` was mounted, at the same path: what is below `data` lies below `place`, except the
// warehouse, which both machines mount. A snapshot of a volume keeps inodes, so `data` itself has the one of the original.
class ClonedFiles final : public io::ForwardingFiles {
 public:
  ClonedFiles(io::FileSystem& files, Path data, Path place) : ForwardingFiles(files), data_(std::move(data)), place_(std::move(place)) {}
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override { return files_.Open(Placed(path), options); }
  Result<std::unique_ptr<io::File>> OpenUnnamed(const Path& directory) override { return files_.OpenUnnamed(Placed(directory)); }
  Result<io::FileInfo> Stat(const Path& path) override { return files_.Stat(path == data_ ? path : Placed(path)); }
  Result<std::vector<std::string>> List(const Path& directory) override { return files_.List(Placed(directory)); }
  Result<void> CreateDirectories(const Path& directory) override { return files_.CreateDirectories(Placed(directory)); }
  Result<void> Rename(const Path& from, const Path& to) override { return files_.Rename(Placed(from), Placed(to)); }
  Result<void> RenameToNew(const Path& from, const Path& to) override { return files_.RenameToNew(Placed(from), Placed(to)); }
  Result<void> Remove(const Path& path) override { return files_.Remove(Placed(path)); }
  Result<void> SyncDirectory(const Path& directory) override { return files_.SyncDirectory(Placed(directory)); }
  Result<io::FileSystemSpace> Space(const Path& path) override { return files_.Space(Placed(path)); }
  Result<std::unique_ptr<io::FileLock>> Lock(const Path& path) override { return files_.Lock(Placed(path)); }

 private:
  Path Placed(const Path& path) const { return !path.starts_with(data_) || path.starts_with(data_ + "/warehouse") ? path : place_ + path; }

  const Path data_, place_;
};

}  // namespace sluice::sim
