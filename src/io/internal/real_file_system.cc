// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "io/internal/descriptor.h"
#include "io/internal/direct_alignment.h"
#include "io/internal/real_parts.h"
#include "io/internal/system_error.h"

namespace sluice::io {
namespace {

constexpr mode_t kFileMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

// How a file was opened: the emulated ones keep the promises of `direct` and `uncached` without O_DIRECT.
enum class WriteMode : uint8_t { kBuffered, kDirect, kEmulatedDirect, kUncached, kEmulatedUncached };

class RealFile final : public File {
 public:
  RealFile(Path path, Descriptor descriptor, WriteMode mode) : path_(std::move(path)), descriptor_(std::move(descriptor)), mode_(mode) {}

  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    if (mode_ != WriteMode::kBuffered) CheckDirectAligned(at, to.data(), to.size());
    size_t done = 0;
    while (done < to.size()) {
      ssize_t n = pread(descriptor_.get(), to.data() + done, to.size() - done, static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return SystemError("read", path_, errno);
      done += static_cast<size_t>(n);
      // The tail of a file ends a direct read at an odd position, from where another one is not allowed.
      if (n == 0 || (bypasses_cache() && done % kDirectAlignment != 0)) break;
    }
    return done;
  }

  Result<void> Write(uint64_t at, std::string_view from) override {
    if (mode_ != WriteMode::kBuffered) CheckDirectAligned(at, from.data(), from.size());
    size_t done = 0;
    while (done < from.size()) {
      ssize_t n = pwrite(descriptor_.get(), from.data() + done, from.size() - done, static_cast<off_t>(at + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return SystemError("write", path_, errno);
      done += static_cast<size_t>(n);
    }
    if (mode_ == WriteMode::kEmulatedDirect && fdatasync(descriptor_.get()) != 0) return SystemError("fdatasync", path_, errno);
    return {};
  }

  Result<void> Sync() override {
    // fdatasync writes the size, too; the times that it leaves out nobody reads.
    if (fdatasync(descriptor_.get()) != 0) return SystemError("fdatasync", path_, errno);
    return {};
  }

  Result<uint64_t> Size() override {
    struct stat status;
    if (fstat(descriptor_.get(), &status) != 0) return SystemError("stat", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

  Result<void> Truncate(uint64_t size) override {
    while (ftruncate(descriptor_.get(), static_cast<off_t>(size)) != 0)
      if (errno != EINTR) return SystemError("truncate", path_, errno);
    return {};
  }

  bool is_direct() const override { return mode_ == WriteMode::kDirect; }
  int descriptor() const override { return descriptor_.get(); }

 private:
  bool bypasses_cache() const { return mode_ == WriteMode::kDirect || mode_ == WriteMode::kUncached; }

  const Path path_;
  const Descriptor descriptor_;
  const WriteMode mode_;
};

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY;
    case OpenMode::kReadWrite: return O_RDWR;
    case OpenMode::kCreate: return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kCreateOrOpen: return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

// The descriptor, or the negative error number.
int OpenRetrying(const Path& path, int flags) {
  for (;;) {
    int fd = open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, kFileMode);
    if (fd >= 0) return fd;
    if (errno != EINTR) return -errno;
  }
}

Result<Descriptor> OpenDescriptor(const Path& path, int flags) {
  int fd = OpenRetrying(path, flags);
  if (fd < 0) return SystemError("open", path, -fd);
  return Descriptor(fd);
}

class RealFileLock final : public FileLock {
 public:
  explicit RealFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;
};

// The process id that a lock file tells, or 0.
int ReadHolder(int descriptor) {
  char text[32];
  ssize_t n = pread(descriptor, text, sizeof text, 0);
  int pid = 0;
  if (n > 0) std::from_chars(text, text + n, pid);
  return pid;
}

Error LockConflict(const Path& path, int holder) {
  std::string by = holder > 0 ? "process " + std::to_string(holder) : "another process";
  return Error{ErrorCode::kConflict, "lock \"" + path + "\": held by " + by, "stop " + by + " first"};
}

class RealFileSystem final : public FileSystem {
 public:
  explicit RealFileSystem(RealFileSystemOptions options) : options_(options) {}

  Result<std::unique_ptr<File>> Open(const Path& path, OpenOptions options) override {
    int flags = OpenFlags(options.mode);
    WriteMode mode = options.direct ? WriteMode::kEmulatedDirect : options.uncached ? WriteMode::kEmulatedUncached : WriteMode::kBuffered;
    int fd = -EINVAL;
    if (mode != WriteMode::kBuffered && options_.direct_allowed) {
      fd = OpenRetrying(path, flags | O_DIRECT | (options.direct ? O_DSYNC : 0));
      if (fd >= 0) mode = options.direct ? WriteMode::kDirect : WriteMode::kUncached;
      // A file system without O_DIRECT says EINVAL after it has created the file.
      if (fd == -EINVAL) flags &= ~O_EXCL;
    }
    if (fd == -EINVAL) fd = OpenRetrying(path, flags);
    if (fd < 0) return SystemError("open", path, -fd);
    Descriptor descriptor(fd);
    RETURN_IF_ERROR(CheckRegular(path, fd));
    return std::unique_ptr<File>(std::make_unique<RealFile>(path, std::move(descriptor), mode));
  }

  Result<std::unique_ptr<File>> OpenUnnamed(const Path& directory) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(directory, O_TMPFILE | O_RDWR));
    return std::unique_ptr<File>(std::make_unique<RealFile>(directory + "/(unnamed)", std::move(descriptor), WriteMode::kBuffered));
  }

  Result<FileInfo> Stat(const Path& path) override {
    struct stat status;
    if (stat(path.c_str(), &status) != 0) return SystemError("stat", path, errno);
    FileInfo info;
    info.size = static_cast<uint64_t>(status.st_size);
    info.is_directory = S_ISDIR(status.st_mode);
    info.inode = status.st_ino;
    info.modified_us = status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000;
    return info;
  }

  Result<std::vector<std::string>> List(const Path& directory) override {
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) return SystemError("list", directory, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    int failed = errno;
    closedir(stream);
    if (failed != 0) return SystemError("list", directory, failed);
    std::sort(names.begin(), names.end());
    return names;
  }

  // A directory is made only in one whose own name is durable, so that whatever has something in it survives.
  Result<void> CreateDirectories(const Path& directory) override {
    const Path parent = base::ParentPath(directory);
    if (directory == "." || parent == directory) return {};
    auto info = Stat(directory);
    if (!info.ok()) {
      if (info.error().code != ErrorCode::kNotFound) return std::move(info).error();
      RETURN_IF_ERROR(CreateDirectories(parent));
      const int failed = MakeDirectory(directory);
      if (failed != 0 && failed != EEXIST) return SystemError("mkdir", directory, failed);
    } else if (!info->is_directory) {
      return SystemError("mkdir", directory, ENOTDIR);
    } else if (access(parent.c_str(), R_OK | W_OK) != 0) {
      return {};  // a parent that belongs to somebody else is not ours to sync
    }
    return SyncDirectory(parent);  // also of one that is there: whoever made it may have been killed before
  }

  Result<void> Rename(const Path& from, const Path& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) return SystemError("rename", from, errno);
    return {};
  }

  Result<void> RenameToNew(const Path& from, const Path& to) override {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == EEXIST) return SystemError("rename to", to, errno);
    if (errno != EINVAL && errno != ENOSYS) return SystemError("rename", from, errno);
    // File systems without the flag: a link never replaces either, and both names are one file until the old one goes.
    if (link(from.c_str(), to.c_str()) != 0) return SystemError(errno == EEXIST ? "rename to" : "link", errno == EEXIST ? to : from, errno);
    if (unlink(from.c_str()) != 0) return SystemError("remove", from, errno);
    return {};
  }

  Result<void> Remove(const Path& path) override {
    if (unlink(path.c_str()) == 0) return {};
    if (errno != EISDIR) return SystemError("remove", path, errno);
    if (rmdir(path.c_str()) != 0) return SystemError("remove", path, errno);
    return {};
  }

  Result<void> SyncDirectory(const Path& directory) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(directory, O_RDONLY | O_DIRECTORY));
    if (fsync(descriptor.get()) != 0) return SystemError("fsync", directory, errno);
    return {};
  }

  Result<FileSystemSpace> Space(const Path& path) override {
    struct statvfs status;
    if (statvfs(path.c_str(), &status) != 0) return SystemError("statvfs", path, errno);
    return FileSystemSpace{status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
  }

  Result<std::unique_ptr<FileLock>> Lock(const Path& path) override {
    ASSIGN_OR_RETURN(Descriptor descriptor, OpenDescriptor(path, O_RDWR | O_CREAT));
    if (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return LockConflict(path, ReadHolder(descriptor.get()));
      return SystemError("lock", path, errno);
    }
    std::string holder = std::to_string(getpid()) + "\n";
    if (ftruncate(descriptor.get(), 0) != 0 || pwrite(descriptor.get(), holder.data(), holder.size(), 0) < 0) return SystemError("write", path, errno);
    return std::unique_ptr<FileLock>(std::make_unique<RealFileLock>(std::move(descriptor)));
  }

 private:
  static int MakeDirectory(const Path& directory) { return mkdir(directory.c_str(), kDirectoryMode) == 0 ? 0 : errno; }

  static Result<void> CheckRegular(const Path& path, int descriptor) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return SystemError("stat", path, errno);
    if (S_ISDIR(status.st_mode)) return SystemError("open", path, EISDIR);
    return {};
  }

  const RealFileSystemOptions options_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeRealFileSystem(RealFileSystemOptions options) { return std::make_unique<RealFileSystem>(options); }

}  // namespace sluice::io
