// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <mutex>
#include <set>

#include "io/object_store.h"

namespace sluice::io {
namespace {

constexpr std::string_view kTemporaryPrefix = ".tmp-";
// Leftovers of killed writers that a new one may have to step over.
constexpr int kTemporaryTriesMax = 10'000;
constexpr size_t kKnownDirectoriesMax = 100'000;
// Appends gather to writes of this size: a Parquet writer's pages are small.
constexpr size_t kWriteBufferBytes = size_t{256} << 10;

bool IsTemporary(std::string_view name) { return name.starts_with(kTemporaryPrefix); }

class FileObjectReader final : public ObjectReader {
 public:
  FileObjectReader(std::unique_ptr<File> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  Result<size_t> Read(uint64_t at, std::span<char> to) override { return file_->Read(at, to); }
  uint64_t size() const override { return size_; }
  int descriptor() const override { return file_->descriptor(); }

 private:
  const std::unique_ptr<File> file_;
  const uint64_t size_;
};

class FileObjectWriter final : public ObjectWriter {
 public:
  FileObjectWriter(FileSystem& files, std::unique_ptr<File> file, Path temporary, Path path)
      : files_(files), file_(std::move(file)), temporary_(std::move(temporary)), path_(std::move(path)) {}
  ~FileObjectWriter() override {
    file_.reset();
    if (!renamed_) (void)files_.Remove(temporary_).ok();  // RemoveUnfinishedObjects finds what stays
  }

  Result<void> Append(std::string_view bytes) override {
    position_ += bytes.size();
    if (buffer_.size() + bytes.size() < kWriteBufferBytes) {
      buffer_ += bytes;
      return {};
    }
    RETURN_IF_ERROR(Flush());
    return WriteThrough(bytes);
  }

  // The name appears only when the bytes are durable; it is never taken from an object that has it.
  Result<void> Finish() override {
    CHECK(!finished_, "an object was finished twice");
    finished_ = true;
    RETURN_IF_ERROR(Flush());
    RETURN_IF_ERROR(file_->Sync());
    auto renamed = files_.RenameToNew(temporary_, path_);
    if (!renamed.ok() && renamed.error().code == ErrorCode::kNotFound)
      return Error{ErrorCode::kUnavailable, "\"" + temporary_ + "\" was removed before it was finished",
                   "another process that starts on this warehouse does that: write it again"};
    RETURN_IF_ERROR(renamed);
    renamed_ = true;
    auto synced = files_.SyncDirectory(base::ParentPath(path_));
    if (!synced.ok()) return Error{ErrorCode::kCommitUnknown, synced.error().message, "the object is visible but may vanish in a crash"};
    return {};
  }

  uint64_t position() const override { return position_; }

 private:
  Result<void> Flush() {
    if (buffer_.empty()) return {};
    auto written = WriteThrough(buffer_);
    buffer_.clear();
    return written;
  }
  Result<void> WriteThrough(std::string_view bytes) {
    RETURN_IF_ERROR(file_->Write(written_, bytes));
    written_ += bytes.size();
    return {};
  }

  FileSystem& files_;
  std::unique_ptr<File> file_;
  const Path temporary_;
  const Path path_;
  std::string buffer_;
  uint64_t written_ = 0;
  uint64_t position_ = 0;
  bool finished_ = false;
  bool renamed_ = false;
};

class FileObjectStore final : public ObjectStore {
 public:
  explicit FileObjectStore(FileSystem& files) : files_(files) {}

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& uri) override {
    ASSIGN_OR_RETURN(Path path, UriToPath(uri));
    ASSIGN_OR_RETURN(bool used, Exists(files_, path));
    // Finish would find out, too, but after all the work.
    if (used) return Error{ErrorCode::kExists, "create \"" + uri + "\": the name was used", {}};
    Path directory = base::ParentPath(path);
    RETURN_IF_ERROR(EnsureDirectory(directory));
    for (int i = 0; i < kTemporaryTriesMax; i++) {
      Path temporary = base::JoinPath(directory, std::string(kTemporaryPrefix) + std::to_string(next_temporary_.fetch_add(1)));
      auto file = files_.Open(temporary, {.mode = OpenMode::kCreate});
      if (file.ok())
        return std::unique_ptr<ObjectWriter>(std::make_unique<FileObjectWriter>(files_, std::move(file).value(), temporary, path));
      if (file.error().code == ErrorCode::kNotFound) {
        // Somebody removed the directory that we knew.
        Forget(directory);
        RETURN_IF_ERROR(EnsureDirectory(directory));
      } else if (file.error().code != ErrorCode::kExists) {
        return std::move(file).error();
      }
    }
    return Error{ErrorCode::kExhausted, "create \"" + uri + "\": too many unfinished objects in its directory",
                 "remove the files named .tmp-* there"};
  }

  Result<std::unique_ptr<ObjectReader>> Open(const std::string& uri) override {
    ASSIGN_OR_RETURN(Path path, UriToPath(uri));
    ASSIGN_OR_RETURN(auto file, files_.Open(path, {}));
    ASSIGN_OR_RETURN(uint64_t size, file->Size());
    return std::unique_ptr<ObjectReader>(std::make_unique<FileObjectReader>(std::move(file), size));
  }

  Result<void> Remove(const std::string& uri) override {
    ASSIGN_OR_RETURN(Path path, UriToPath(uri));
    auto removed = files_.Remove(path);
    if (!removed.ok() && removed.error().code != ErrorCode::kNotFound) return removed;
    return {};
  }

  Result<void> List(const std::string& prefix, const std::function<void(const ObjectInfo&)>& visit) override {
    CHECK(prefix.ends_with('/'), "a prefix of objects ends with a slash");
    ASSIGN_OR_RETURN(Path directory, UriToPath(prefix));
    return ListBelow(directory, visit);
  }

 private:
  Result<void> EnsureDirectory(const Path& directory) {
    {
      std::lock_guard lock(mutex_);
      if (known_.contains(directory)) return {};
    }
    RETURN_IF_ERROR(files_.CreateDirectories(directory));
    std::lock_guard lock(mutex_);
    if (known_.size() >= kKnownDirectoriesMax) known_.clear();
    known_.insert(directory);
    return {};
  }
  void Forget(const Path& directory) {
    std::lock_guard lock(mutex_);
    known_.erase(directory);
  }

  // Things that vanish while we look are no objects any more.
  Result<void> ListBelow(const Path& directory, const std::function<void(const ObjectInfo&)>& visit) {
    auto names = files_.List(directory);
    if (!names.ok()) return names.error().code == ErrorCode::kNotFound ? Result<void>() : std::move(names).error();
    for (auto& name : *names) {
      if (IsTemporary(name)) continue;
      Path path = base::JoinPath(directory, name);
      auto info = files_.Stat(path);
      if (!info.ok() && info.error().code == ErrorCode::kNotFound) continue;
      if (!info.ok()) return std::move(info).error();
      if (info->is_directory) RETURN_IF_ERROR(ListBelow(path, visit));
      else visit({PathToUri(path), info->size, info->modified_us});
    }
    return {};
  }

  FileSystem& files_;
  std::atomic<uint64_t> next_temporary_{1};
  std::mutex mutex_;
  std::set<Path> known_;  // directories that exist and are durable
};

}  // namespace

std::unique_ptr<ObjectStore> MakeFileObjectStore(FileSystem& files) { return std::make_unique<FileObjectStore>(files); }

Result<size_t> RemoveUnfinishedObjects(FileSystem& files, const Path& directory) {
  ASSIGN_OR_RETURN(auto names, files.List(directory));
  size_t removed = 0;
  for (auto& name : names) {
    Path path = base::JoinPath(directory, name);
    auto info = files.Stat(path);
    if (!info.ok() && info.error().code == ErrorCode::kNotFound) continue;  // a writer of another process finished it meanwhile
    if (!info.ok()) return info.error();
    if (info->is_directory) {
      ASSIGN_OR_RETURN(size_t below, RemoveUnfinishedObjects(files, path));
      removed += below;
    } else if (IsTemporary(name)) {
      auto gone = files.Remove(path);
      if (!gone.ok() && gone.error().code != ErrorCode::kNotFound) return gone.error();
      removed += gone.ok() ? 1 : 0;
    }
  }
  return removed;
}

}  // namespace sluice::io
