// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "io/file_system.h"

namespace sluice::sim {

// Another file. Planted bugs override a method.
class ForwardingFile : public io::File {
 public:
  explicit ForwardingFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}
  Result<size_t> Read(uint64_t at, std::span<char> to) override { return file_->Read(at, to); }
  Result<void> Write(uint64_t at, std::string_view from) override { return file_->Write(at, from); }
  Result<void> Sync() override { return file_->Sync(); }
  Result<uint64_t> Size() override { return file_->Size(); }
  Result<void> Truncate(uint64_t size) override { return file_->Truncate(size); }
  bool is_direct() const override { return file_->is_direct(); }
  int descriptor() const override { return file_->descriptor(); }

 protected:
  const std::unique_ptr<io::File> file_;
};

// Another file system, owned by somebody else.
class ForwardingFiles : public io::FileSystem {
 public:
  explicit ForwardingFiles(io::FileSystem& files) : files_(files) {}
  ForwardingFiles(const ForwardingFiles&) = delete;  // as ForwardingCatalog
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override { return files_.Open(path, options); }
  Result<std::unique_ptr<io::File>> OpenUnnamed(const Path& directory) override { return files_.OpenUnnamed(directory); }
  Result<io::FileInfo> Stat(const Path& path) override { return files_.Stat(path); }
  Result<std::vector<std::string>> List(const Path& directory) override { return files_.List(directory); }
  Result<void> CreateDirectories(const Path& directory) override { return files_.CreateDirectories(directory); }
  Result<void> Rename(const Path& from, const Path& to) override { return files_.Rename(from, to); }
  Result<void> RenameToNew(const Path& from, const Path& to) override { return files_.RenameToNew(from, to); }
  Result<void> Remove(const Path& path) override { return files_.Remove(path); }
  Result<void> SyncDirectory(const Path& directory) override { return files_.SyncDirectory(directory); }
  Result<io::FileSystemSpace> Space(const Path& path) override { return files_.Space(path); }
  Result<std::unique_ptr<io::FileLock>> Lock(const Path& path) override { return files_.Lock(path); }

 protected:
  io::FileSystem& files_;
};

}  // namespace sluice::sim
