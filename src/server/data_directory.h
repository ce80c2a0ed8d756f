// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The data directory: who uses it, of which format it is, and that it is still where it was made.
//
//   DIR/directory.json   format version, path, inode
//   DIR/LOCK             held by the process that uses it
//   DIR/log/             journal, topic files, state
//   DIR/catalog.db       the Iceberg SQL catalog
//   DIR/warehouse/       tables
//   DIR/spill/           unnamed files of SQL workers
//   DIR/hot/             unnamed files of rows that wait for their table
//   DIR/log.restored/, DIR/log.before-restore-N/   the next log and earlier ones (server/restore.h)

#include <functional>
#include <memory>
#include <string>

#include "base/path.h"
#include "base/result.h"
#include "io/env.h"

namespace sluice::server {

inline constexpr int64_t kDirectoryFormatVersion = 1;
inline constexpr const char* kCatalogName = "sluice";

// Opens the catalog that lies at `file`.
using CatalogOpener = std::function<Result<std::unique_ptr<io::CatalogStore>>(const Path& file)>;

class DataDirectory {
 public:
  // Makes the directory if there is none, and locks it. `path` must be absolute.
  // kConflict: another process has it. kInvalid: a newer format, or it was moved or copied (tables hold absolute paths).
  // kExhausted, kIo: full, read-only, not ours: one sentence that says what to do.
  static Result<std::unique_ptr<DataDirectory>> Open(io::Env env, const Path& path);

  // The lock alone, of a directory that Open would not accept. Errors as of Open.
  static Result<std::unique_ptr<io::FileLock>> Lock(io::Env env, const Path& path);
  // Whether MarkRestoring was called since the last Adopt.
  static Result<bool> IsRestoring(io::Env env, const Path& path);
  // From now on Open refuses the directory and names `sluice restore`, until Adopt. REQUIRES: the caller holds the lock.
  static Result<void> MarkRestoring(io::Env env, const Path& path);
  // Accepts the directory where it is now, after a restore from a backup to the same path. REQUIRES: the caller holds the lock.
  static Result<void> Adopt(io::Env env, const Path& path);

  // `error` of opening what is in it, for the person who started the server.
  Error Explain(const Error& error) const;

  const Path& path() const { return path_; }
  Path log() const { return path_ + "/log"; }
  Path catalog() const { return path_ + "/catalog.db"; }
  Path warehouse() const { return path_ + "/warehouse"; }
  Path spill() const { return path_ + "/spill"; }
  Path hot() const { return path_ + "/hot"; }

 private:
  DataDirectory(Path path, std::unique_ptr<io::FileLock> lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  const Path path_;
  std::unique_ptr<io::FileLock> lock_;
};

}  // namespace sluice::server
