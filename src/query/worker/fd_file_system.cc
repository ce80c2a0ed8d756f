// SPDX-License-Identifier: Apache-2.0
#include "query/worker/fd_file_system.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "iceberg/data_file_seal.h"

namespace sluice::query {
namespace {

// A received descriptor as an object. Thread-safe.
class DescriptorReader final : public io::ObjectReader {
 public:
  // Not fstat: glibc 2.36 calls newfstatat, which would have to be allowed with any path.
  explicit DescriptorReader(OwnedDescriptor file) : file_(std::move(file)), size_(lseek(file_.get(), 0, SEEK_END)) {}
  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    const ssize_t n = pread(file_.get(), to.data(), to.size(), static_cast<off_t>(at));
    if (n < 0) return Error{ErrorCode::kIo, "a data file could not be read", {}};
    return static_cast<size_t>(n);
  }
  uint64_t size() const override { return static_cast<uint64_t>(std::max<off_t>(size_, 0)); }
  int descriptor() const override { return file_.get(); }

 private:
  OwnedDescriptor file_;
  off_t size_;
};

bool IsSpill(const std::string& path) { return path.starts_with(kSpillScheme); }

}  // namespace

// Of a data file or of a spill file; neither: it was closed.
struct FdFileSystem::Handle : public duckdb::FileHandle {
  Handle(FdFileSystem& fs, const std::string& file_path, duckdb::FileOpenFlags open_flags) : FileHandle(fs, file_path, open_flags) {}
  ~Handle() override = default;
  void Close() override {
    data.reset();
    spill.reset();
  }
  int descriptor() const {
    if (!data && !spill) throw duckdb::IOException("a file was used after it was closed");
    return data ? data->descriptor() : spill->get();
  }

  std::shared_ptr<io::ObjectReader> data;
  std::shared_ptr<const OwnedDescriptor> spill;
  uint64_t id = 0;  // of a data file
  duckdb::idx_t position = 0;
};

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
  auto handle = duckdb::make_uniq<Handle>(*this, path, flags);
  handle->id = id;
  {
    std::lock_guard lock(mutex_);
    handle->data = open_[id].lock();
    if (handle->data) return handle;
  }
  auto received = context_.server.Open(id);
  if (!received.ok()) throw duckdb::IOException(received.error().message);
  auto verified = iceberg::VerifySeal(std::make_unique<DescriptorReader>(std::move(*received)));
  if (!verified.ok()) Fail(id, verified.error());
  handle->data = std::move(*verified);
  std::lock_guard lock(mutex_);
  open_[id] = handle->data;
  files_opened_++;
  return handle;
}

void FdFileSystem::Fail(uint64_t id, const Error& error) {
  if (error.code == ErrorCode::kCorruption) {
    std::lock_guard lock(mutex_);
    if (!damaged_) damaged_ = DamagedFile{id, error.message};
  }
  throw duckdb::IOException(error.message);
}

std::optional<FdFileSystem::DamagedFile> FdFileSystem::TakeDamagedFile() {
  std::lock_guard lock(mutex_);
  return std::exchange(damaged_, std::nullopt);
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
  auto handle = duckdb::make_uniq<Handle>(*this, path, flags);
  handle->spill = used->second;
  return handle;
}

void FdFileSystem::Read(duckdb::FileHandle& file, void* to, int64_t bytes, duckdb::idx_t at) {
  for (auto* p = static_cast<char*>(to); bytes > 0;) {
    const int64_t n = ReadAt(file, p, bytes, at);
    if (n == 0) throw duckdb::IOException("a data file is shorter than it should be");
    p += n;
    at += static_cast<duckdb::idx_t>(n);
    bytes -= n;
  }
}

int64_t FdFileSystem::Read(duckdb::FileHandle& file, void* to, int64_t bytes) {
  auto& position = file.Cast<Handle>().position;
  const int64_t n = ReadAt(file, to, bytes, position);
  position += static_cast<duckdb::idx_t>(n);
  return n;
}

int64_t FdFileSystem::ReadAt(duckdb::FileHandle& file, void* to, int64_t bytes, duckdb::idx_t at) {
  auto& handle = file.Cast<Handle>();
  if (!handle.data) {
    const ssize_t n = pread(handle.descriptor(), to, static_cast<size_t>(bytes), static_cast<off_t>(at));
    if (n < 0) throw duckdb::IOException("a spill file could not be read");
    return n;
  }
  auto read = handle.data->Read(at, {static_cast<char*>(to), static_cast<size_t>(bytes)});
  if (!read.ok()) Fail(handle.id, read.error());
  return static_cast<int64_t>(*read);
}

void FdFileSystem::Write(duckdb::FileHandle& handle, void* from, int64_t bytes, duckdb::idx_t at) {
  if (!IsSpill(handle.path)) throw duckdb::PermissionException("data files are read-only");
  const int fd = handle.Cast<Handle>().descriptor();
  for (auto* p = static_cast<const char*>(from); bytes > 0;) {
    ssize_t n = pwrite(fd, p, static_cast<size_t>(bytes), static_cast<off_t>(at));
    if (n <= 0) throw duckdb::OutOfMemoryException("the spill space is used up");  // RLIMIT_FSIZE, or a full disk
    p += n;
    at += static_cast<duckdb::idx_t>(n);
    bytes -= n;
  }
}

int64_t FdFileSystem::Write(duckdb::FileHandle& handle, void* from, int64_t bytes) {
  auto& position = handle.Cast<Handle>().position;
  Write(handle, from, bytes, position);
  position += static_cast<duckdb::idx_t>(bytes);
  return bytes;
}

void FdFileSystem::Truncate(duckdb::FileHandle& handle, int64_t bytes) {
  if (!IsSpill(handle.path)) throw duckdb::PermissionException("data files are read-only");
  if (ftruncate(handle.Cast<Handle>().descriptor(), bytes) != 0) throw duckdb::IOException("a spill file could not be cut");
}

int64_t FdFileSystem::GetFileSize(duckdb::FileHandle& handle) {
  auto end = lseek(handle.Cast<Handle>().descriptor(), 0, SEEK_END);
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

void FdFileSystem::Seek(duckdb::FileHandle& handle, duckdb::idx_t at) { handle.Cast<Handle>().position = at; }

duckdb::idx_t FdFileSystem::SeekPosition(duckdb::FileHandle& handle) { return handle.Cast<Handle>().position; }

size_t FdFileSystem::files_opened() const {
  std::lock_guard lock(mutex_);
  return files_opened_;
}

}  // namespace sluice::query
