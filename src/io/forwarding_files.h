// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For tests: a file system that hands everything on to another one, for faults and bugs that override a method.

#include <memory>
#include <utility>

#include "io/file_system.h"

namespace sluice::io {

// Another file.
class ForwardingFile : public File {
 public:
  explicit ForwardingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}
  Result<size_t> Read(uint64_t at, std::span<char> to) override { return file_->Read(at, to); }
  Result<void> Write(uint64_t at, std::string_view from) override { return file_->Write(at, from); }
  Result<void> Sync() override { return file_->Sync(); }
  Result<uint64_t> Size() override { return file_->Size(); }
  Result<void> Truncate(uint64_t size) override { return file_->Truncate(size); }
  bool is_direct() const override { return file_->is_direct(); }
  int descriptor() const override { return file_->descriptor(); }

 protected:
  const std::unique_ptr<File> file_;
};

// Another file system, owned by somebody else.
class ForwardingFiles : public FileSystem {
 public:
  explicit ForwardingFiles(FileSystem& files) : files_(files) {}
  ForwardingFiles(const ForwardingFiles&) = delete;
  Result<std::unique_ptr<File>> Open(const Path& path, OpenOptions options) override { return files_.Open(path, options); }
  Result<std::unique_ptr<File>> OpenUnnamed(const Path& directory) override { return files_.OpenUnnamed(directory); }
  Result<FileInfo> Stat(const Path& path) override { return files_.Stat(path); }
  Result<std::vector<std::string>> List(const Path& directory) override { return files_.List(directory); }
  Result<void> CreateDirectories(const Path& directory) override { return files_.CreateDirectories(directory); }
  Result<void> Rename(const Path& from, const Path& to) override { return files_.Rename(from, to); }
  Result<void> RenameToNew(const Path& from, const Path& to) override { return files_.RenameToNew(from, to); }
  Result<void> Remove(const Path& path) override { return files_.Remove(path); }
  Result<void> SyncDirectory(const Path& directory) override { return files_.SyncDirectory(directory); }
  Result<FileSystemSpace> Space(const Path& path) override { return files_.Space(path); }
  Result<std::unique_ptr<FileLock>> Lock(const Path& path) override { return files_.Lock(path); }

 protected:
  FileSystem& files_;
};

}  // namespace sluice::io
