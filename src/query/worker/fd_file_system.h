// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// DuckDB's files: received descriptors under two schemes of ours. What it gets of a data file with a seal was compared with its checksums
// (iceberg/data_file_seal.h): DuckDB itself looks at none.
//
//   lakefd://<nonce>/<id>     a data file of the running statement, asked of the server at open; read-only
//   lakespill://<nonce>/...   spill space: unnamed files that were handed over at start

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/object_store.h"
#include "query/worker/lake_context.h"

namespace sluice::query {

// Thread-safe. `context` must outlive it.
class FdFileSystem : public duckdb::FileSystem {
 public:
  FdFileSystem(LakeContext& context, std::vector<OwnedDescriptor> spill_files);

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(const std::string& path, duckdb::FileOpenFlags flags,
                                                  duckdb::optional_ptr<duckdb::FileOpener> opener) override;
  void Read(duckdb::FileHandle& handle, void* to, int64_t bytes, duckdb::idx_t at) override;
  int64_t Read(duckdb::FileHandle& handle, void* to, int64_t bytes) override;
  void Write(duckdb::FileHandle& handle, void* from, int64_t bytes, duckdb::idx_t at) override;
  int64_t Write(duckdb::FileHandle& handle, void* from, int64_t bytes) override;
  void Truncate(duckdb::FileHandle& handle, int64_t bytes) override;
  bool Trim(duckdb::FileHandle&, duckdb::idx_t, duckdb::idx_t) override { return false; }
  int64_t GetFileSize(duckdb::FileHandle& handle) override;
  // Data files never change: constants keep DuckDB's caches valid.
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle&) override { return duckdb::timestamp_t(0); }
  std::string GetVersionTag(duckdb::FileHandle&) override { return "1"; }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override { return duckdb::FileType::FILE_TYPE_REGULAR; }
  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override;
  bool DirectoryExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override;
  void CreateDirectory(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  void RemoveDirectory(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  bool ListFiles(const std::string&, const std::function<void(const std::string&, bool)>&, duckdb::FileOpener*) override { return true; }
  void RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override;
  bool TryRemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override;
  void FileSync(duckdb::FileHandle&) override {}
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override;
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t at) override;
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override;
  void Reset(duckdb::FileHandle& handle) override { Seek(handle, 0); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return true; }  // false makes the Parquet reader fetch whole row groups ahead
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kFileScheme) || path.starts_with(kSpillScheme); }
  bool IsManuallySet() override { return true; }
  std::string GetName() const override { return "FdFileSystem"; }

  // Data files opened since start: a worker keeps the metadata of each in memory and is replaced in time.
  size_t files_opened() const;

  struct DamagedFile {
    uint64_t id = 0;
    std::string what;
  };
  // The first one that was met since the last call.
  std::optional<DamagedFile> TakeDamagedFile();

 private:
  struct Handle;
  // Fewer only at the end.
  int64_t ReadAt(duckdb::FileHandle& handle, void* to, int64_t bytes, duckdb::idx_t at);
  // `error` is why a data file cannot be read.
  [[noreturn]] void Fail(uint64_t id, const Error& error);
  duckdb::unique_ptr<duckdb::FileHandle> OpenData(const std::string& path, duckdb::FileOpenFlags flags);
  duckdb::unique_ptr<duckdb::FileHandle> OpenSpill(const std::string& path, duckdb::FileOpenFlags flags);

  LakeContext& context_;
  mutable std::mutex mutex_;
  // Several threads open the same file: they share its descriptor while one has it.
  std::map<uint64_t, std::weak_ptr<io::ObjectReader>> open_;
  std::map<std::string, std::shared_ptr<const OwnedDescriptor>> spill_used_;
  std::vector<std::shared_ptr<const OwnedDescriptor>> spill_free_;
  std::optional<DamagedFile> damaged_;
  size_t files_opened_ = 0;
};

}  // namespace sluice::query
