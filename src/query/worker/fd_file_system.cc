// SPDX-License-Identifier: Apache-2.0
#include "query/worker/fd_file_system.h"

#include <unistd.h>

#include <charconv>

namespace sluice::query {
namespace {

struct FdHandle : public duckdb::FileHandle {
  FdHandle(duckdb::FileSystem& fs, const std::string& file_path, duckdb::FileOpenFlags open_flags, std::shared_ptr<const OwnedDescriptor> fd)
      : FileHandle(fs, file_path, open_flags), descriptor(std::move(fd)) {}
  ~FdHandle() override = default;
  void Close() override { descriptor.reset(); }
  std::shared_ptr<const OwnedDescriptor> descriptor;
  duckdb::idx_t position = 0;
};

int DescriptorOf(duckdb::FileHandle& handle) {
  auto& descriptor = handle.Cast<FdHandle>().descriptor;
  if (!descriptor) throw duckdb::IOException("a file was used after it was closed");
  return descriptor->get();
}

bool IsSpill(const std::string& path) { return path.starts_with(kSpillScheme); }

}  // namespace

FdFileSystem::FdFileSystem(LakeContext& context, std::vector<OwnedDescriptor> spill_files) : context_(context) {
  for (auto& file : spill_files) spill_free_.push_back(std::make_shared<const OwnedDescriptor>(std::move(file)));
}

duckdb::unique_ptr<duckdb::FileHandle> FdFileSystem::OpenFile(const std::string& path, duckdb::FileOpenFlags flags,
                                                              duckdb::optional_ptr<duckdb::FileOpener>) {
  return IsSpill(path) ? OpenSpill(path, flags) : OpenData(path, flags);
}

duckdb::unique_ptr<duckdb::FileHandle> FdFileSystem::OpenData(const std::string& path, duckdb::FileOpenFlags flags) {
  auto directory = context_.FileDirectory();
  uint64_t id = 0;
  const char* end = path.data() + path.size();
  if (flags.OpenForWriting() || !path.starts_with(directory) || std::from_chars(path.data() + directory.size(), end, id).ptr != end) {
    if (flags.ReturnNullIfNotExists()) return nullptr;
    throw duckdb::PermissionException("files cannot be opened here");
  }
  {
    std::lock_guard lock(mutex_);
    if (auto shared = open_[id].lock()) return duckdb::make_uniq<FdHandle>(*this, path, flags, std::move(shared));
  }
  auto received = context_.server.Open(id);
  if (!received.ok()) throw duckdb::IOException(received.error().message);
  auto shared = std::make_shared<const OwnedDescriptor>(std::move(*received));
  std::lock_guard lock(mutex_);
  open_[id] = shared;
  files_opened_++;
  return duckdb::make_uniq<FdHandle>(*this, path, flags, std::move(shared));
}

duckdb::unique_ptr<duckdb::FileHandle> FdFileSystem::OpenSpill(const std::string& path, duckdb::FileOpenFlags flags) {
  std::lock_guard lock(mutex_);
  auto used = spill_used_.find(path);
  if (used == spill_used_.end()) {
    if (!flags.OpenForWriting() || spill_free_.empty()) {
      if (flags.ReturnNullIfNotExists()) return nullptr;
      throw duckdb::OutOfMemoryException("the spill space is used up");
    }
    used = spill_used_.emplace(path, std::move(spill_free_.back())).first;
    spill_free_.pop_back();
  }
  return duckdb::make_uniq<FdHandle>(*this, path, flags, used->second);
}

void FdFileSystem::Read(duckdb::FileHandle& handle, void* to, int64_t bytes, duckdb::idx_t at) {
  int fd = DescriptorOf(handle);
  for (auto* p = static_cast<char*>(to); bytes > 0;) {
    ssize_t n = pread(fd, p, static_cast<size_t>(bytes), static_cast<off_t>(at));
    if (n <= 0) throw duckdb::IOException("a data file is shorter than it should be");
    p += n;
    at += static_cast<duckdb::idx_t>(n);
    bytes -= n;
  }
}

int64_t FdFileSystem::Read(duckdb::FileHandle& handle, void* to, int64_t bytes) {
  auto& position = handle.Cast<FdHandle>().position;
  ssize_t n = pread(DescriptorOf(handle), to, static_cast<size_t>(bytes), static_cast<off_t>(position));
  if (n < 0) throw duckdb::IOException("a data file could not be read");
  position += static_cast<duckdb::idx_t>(n);
  return n;
}

void FdFileSystem::Write(duckdb::FileHandle& handle, void* from, int64_t bytes, duckdb::idx_t at) {
  if (!IsSpill(handle.path)) throw duckdb::PermissionException("data files are read-only");
  int fd = DescriptorOf(handle);
  for (auto* p = static_cast<const char*>(from); bytes > 0;) {
    ssize_t n = pwrite(fd, p, static_cast<size_t>(bytes), static_cast<off_t>(at));
    if (n <= 0) throw duckdb::OutOfMemoryException("the spill space is used up");  // RLIMIT_FSIZE, or a full disk
    p += n;
    at += static_cast<duckdb::idx_t>(n);
    bytes -= n;
  }
}

int64_t FdFileSystem::Write(duckdb::FileHandle& handle, void* from, int64_t bytes) {
  auto& position = handle.Cast<FdHandle>().position;
  Write(handle, from, bytes, position);
  position += static_cast<duckdb::idx_t>(bytes);
  return bytes;
}

void FdFileSystem::Truncate(duckdb::FileHandle& handle, int64_t bytes) {
  if (!IsSpill(handle.path)) throw duckdb::PermissionException("data files are read-only");
  if (ftruncate(DescriptorOf(handle), bytes) != 0) throw duckdb::IOException("a spill file could not be cut");
}

int64_t FdFileSystem::GetFileSize(duckdb::FileHandle& handle) {
  // Not fstat: glibc 2.36 calls newfstatat, which would have to be allowed with any path.
  auto end = lseek(DescriptorOf(handle), 0, SEEK_END);
  if (end < 0) throw duckdb::IOException("a file without a size");
  return end;
}

bool FdFileSystem::FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) {
  if (!IsSpill(path)) return path.starts_with(context_.FileDirectory());
  std::lock_guard lock(mutex_);
  return spill_used_.contains(path);
}

bool FdFileSystem::DirectoryExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) { return IsSpill(path); }

void FdFileSystem::RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) { TryRemoveFile(path, opener); }

bool FdFileSystem::TryRemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) {
  std::lock_guard lock(mutex_);
  auto used = spill_used_.find(path);
  if (used == spill_used_.end()) return false;
  if (ftruncate(used->second->get(), 0) != 0) throw duckdb::IOException("a spill file could not be cut");
  spill_free_.push_back(std::move(used->second));
  spill_used_.erase(used);
  return true;
}

duckdb::vector<duckdb::OpenFileInfo> FdFileSystem::Glob(const std::string& path, duckdb::FileOpener*) {
  duckdb::vector<duckdb::OpenFileInfo> out;
  if (!IsSpill(path)) out.emplace_back(path);
  return out;
}

void FdFileSystem::Seek(duckdb::FileHandle& handle, duckdb::idx_t at) { handle.Cast<FdHandle>().position = at; }

duckdb::idx_t FdFileSystem::SeekPosition(duckdb::FileHandle& handle) { return handle.Cast<FdHandle>().position; }

size_t FdFileSystem::files_opened() const {
  std::lock_guard lock(mutex_);
  return files_opened_;
}

}  // namespace sluice::query
