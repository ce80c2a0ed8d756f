// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Files and directories. The real one calls the kernel; the simulated one forgets what was not synced.
//
// Durability: the bytes of a file survive a crash after Sync() (or after each Write of a kDirect file); its name survives after
// SyncDirectory() of the directory it stands in. A rename replaces the target atomically and is durable after SyncDirectory().
// Every call is a scheduling point: hold no lock across it.
//
// Errors of all calls: kNotFound (no such file), kExists, kExhausted (no space, quota, too many open files), kInvalid (not a
// directory, a directory where a file is meant, read-only file system, no permission, name too long), kIo (everything else). The message names the call, the path and the reason.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/path.h"
#include "base/result.h"

namespace sluice::io {

enum class OpenMode : uint8_t {
  kRead,          // an existing file, read-only
  kReadWrite,     // an existing file
  kCreate,        // a new file; kExists when there is one
  kCreateOrOpen,  // an existing file or a new, empty one
};

struct OpenOptions {
  OpenMode mode = OpenMode::kRead;
  // Bypass the page cache, and make each Write durable before it returns (O_DIRECT|O_DSYNC). Offsets, sizes and buffers must
  // then be multiples of kDirectAlignment. Where the file system refuses O_DIRECT, the file falls back to buffered
  // writes followed by fdatasync: same promise, File::is_direct() tells.
  bool direct = false;
  // Bypass the page cache, for bytes that nobody reads again soon: its fresh pages are dear. Offsets, sizes and buffers as above; nothing
  // is durable before Sync(). Where the file system refuses O_DIRECT the file is an ordinary one.
  bool uncached = false;
};
constexpr size_t kDirectAlignment = 4096;

// One open file. Reads and writes of different threads may overlap as long as their ranges do not.
class File {
 public:
  virtual ~File() = default;
  // Fills `to` from byte position `at`; fewer bytes than asked only at the end of the file.
  virtual Result<size_t> Read(uint64_t at, std::span<char> to) = 0;
  // Writes all of `from` at byte position `at`, or fails; after a failure the range holds unknown bytes.
  virtual Result<void> Write(uint64_t at, std::string_view from) = 0;
  // Makes all completed writes and the size durable. After a failure nothing about unsynced bytes is known, and repeating
  // the call proves nothing: the caller must stop using the file.
  virtual Result<void> Sync() = 0;
  virtual Result<uint64_t> Size() = 0;
  virtual Result<void> Truncate(uint64_t size) = 0;
  virtual bool is_direct() const = 0;
  // The kernel's descriptor, still owned by this, for handing to a worker process; -1 in the simulator.
  virtual int descriptor() const = 0;
};

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
  uint64_t inode = 0;
  int64_t modified_us = 0;
};

struct FileSystemSpace {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // for this process
};

// Held as long as it lives. Ends with the process, however that ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> Open(const Path& path, OpenOptions options) = 0;
  // A file without a name in `directory`, gone when closed (spill space of workers).
  virtual Result<std::unique_ptr<File>> OpenUnnamed(const Path& directory) = 0;
  virtual Result<FileInfo> Stat(const Path& path) = 0;
  // Names in `directory`, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> List(const Path& directory) = 0;
  // Creates it and missing parents, and makes the names of those and of `directory` durable. Success when it exists already. After an
  // error or a kill some may be there whose names are not durable: the next call that needs them makes up for it.
  virtual Result<void> CreateDirectories(const Path& directory) = 0;
  // Replaces `to` when it is a file.
  virtual Result<void> Rename(const Path& from, const Path& to) = 0;
  // The same, but kExists when `to` exists.
  virtual Result<void> RenameToNew(const Path& from, const Path& to) = 0;
  // Removes a file or an empty directory. kExists: the directory is not empty.
  virtual Result<void> Remove(const Path& path) = 0;
  virtual Result<void> SyncDirectory(const Path& directory) = 0;
  virtual Result<FileSystemSpace> Space(const Path& path) = 0;
  // An exclusive lock on a file that is created if missing. kConflict when another process (or another holder in
  // this one) has it; the message then names that process's id when the file tells it. Writes our process id into the file.
  virtual Result<std::unique_ptr<FileLock>> Lock(const Path& path) = 0;
};

// The whole file. kExhausted when it is larger than `bytes_max`.
Result<std::string> ReadFile(FileSystem& files, const Path& path, uint64_t bytes_max = uint64_t{1} << 30);
// Replaces `path` so that after a crash it holds either the old bytes or the new ones: temporary file, sync, rename, directory sync.
Result<void> WriteFileAtomically(FileSystem& files, const Path& path, std::string_view bytes);
// The same for a file that `write` fills; `options` say how it is opened, but for the mode.
Result<void> WriteFileAtomically(FileSystem& files, const Path& path, const std::function<Result<void>(File&)>& write, OpenOptions options = {});
// "not there" as false, other errors as errors.
Result<bool> Exists(FileSystem& files, const Path& path);
// Removes a directory and everything below it. Success when it does not exist.
Result<void> RemoveTree(FileSystem& files, const Path& path);

}  // namespace sluice::io
