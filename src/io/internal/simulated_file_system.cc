// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "io/internal/direct_alignment.h"
#include "io/internal/simulation.h"
#include "io/internal/system_error.h"

namespace sluice::io {
namespace {

constexpr uint64_t kTotalBytesWithoutLimit = uint64_t{1} << 40;
constexpr uint32_t kFirstPid = 1000;

uint64_t Pid(ProcessId process) { return kFirstPid + process; }

// How an error of the disk's model reads when `call` meets it.
Error AsCall(std::string_view call, const Path& path, const Error& error) {
  auto at = error.message.rfind(": ");
  std::string reason = at == std::string::npos ? ": " + error.message : error.message.substr(at);
  return Error{error.code, std::string(call) + " \"" + path + "\"" + reason, error.hint};
}

// kExhausted when the files would hold more than the limit.
Result<void> CheckSpace(IoGate& gate, const Path& path, uint64_t old_size, uint64_t new_size) {
  auto& simulation = gate.simulation();
  const uint64_t bytes_max = simulation.options.disk_bytes_max;
  if (bytes_max == 0 || new_size <= old_size) return {};
  if (simulation.disk.BytesUsed() + (new_size - old_size) > bytes_max) return SystemError("write", path, ENOSPC);
  return {};
}

class SimulatedFile final : public File {
 public:
  SimulatedFile(IoGate& gate, Path path, SimulatedInodePtr inode, OpenOptions options) : gate_(gate), path_(std::move(path)), inode_(std::move(inode)), options_(options) {}

  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    if (options_.direct || options_.uncached) CheckDirectAligned(at, to.data(), to.size());
    return gate_.Perform("read", path_, at ^ to.size(), [&](bool) -> Result<size_t> {
      if (gate_.Fault(gate_.simulation().options.read_error)) return SystemError("read", path_, EIO);
      auto& bytes = content().cached();
      if (at >= bytes.size()) return size_t{0};
      size_t n = std::min<size_t>(to.size(), bytes.size() - at);
      std::memcpy(to.data(), bytes.data() + at, n);
      if (in_run()) lies().TouchRead(options().lie, path_, to.data(), n, now_ns());
      return n;
    });
  }

  Result<void> Write(uint64_t at, std::string_view from) override {
    if (options_.direct || options_.uncached) CheckDirectAligned(at, from.data(), from.size());
    return gate_.Perform("write", path_, at ^ base::Crc32c(from), [&](bool in_flight) -> Result<void> {
      if (options_.mode == OpenMode::kRead) return SystemError("write", path_, EBADF);
      RETURN_IF_ERROR(CheckSpace(gate_, path_, content().cached().size(), at + from.size()));
      if (gate_.Fault(gate_.simulation().options.write_error)) {
        Put(at, from.substr(0, gate_.simulation().fault_random.Below(from.size() + 1)), false);
        return SystemError("write", path_, EIO);
      }
      Put(at, from, in_flight);
      return {};
    });
  }

  Result<void> Sync() override {
    return gate_.Perform("fdatasync", path_, 0, [&](bool in_flight) -> Result<void> {
      // A crash during the call: each of the bytes may have made it, as before the call.
      if (in_flight) return {};
      if (gate_.Fault(gate_.simulation().options.sync_error)) {
        if (gate_.simulation().fault_random.Coin()) content().FailSync();
        return SystemError("fdatasync", path_, EIO);
      }
      content().Sync();
      return {};
    });
  }

  Result<uint64_t> Size() override {
    return gate_.Perform("stat", path_, 0, [&](bool) -> Result<uint64_t> { return content().cached().size(); });
  }

  Result<void> Truncate(uint64_t size) override {
    return gate_.Perform("truncate", path_, size, [&](bool) -> Result<void> {
      if (options_.mode == OpenMode::kRead) return SystemError("truncate", path_, EINVAL);
      RETURN_IF_ERROR(CheckSpace(gate_, path_, content().cached().size(), size));
      content().Truncate(size);
      return {};
    });
  }

  bool is_direct() const override { return options_.direct; }
  int descriptor() const override { return -1; }

 private:
  SimulatedContent& content() { return inode_->content; }
  SimulatedLies& lies() { return gate_.simulation().lies; }
  const SimulationOptions& options() { return gate_.simulation().options; }
  bool in_run() { return gate_.simulation().scheduler.Self() != nullptr; }
  int64_t now_ns() { return gate_.simulation().scheduler.now_ns(); }

  void Put(uint64_t at, std::string_view bytes, bool in_flight) {
    const bool may_lie = !in_flight && in_run();
    if (may_lie && lies().TakeWrite(options().lie, path_, *inode_, at, bytes, options_.direct, now_ns())) return;
    if (!options_.direct) content().Write(at, bytes);
    else if (in_flight && options().crash_kind == CrashKind::kMachine) content().WriteInFlight(at, bytes);
    else content().WriteThrough(at, bytes);
    const auto& simulation = gate_.simulation();
    inode_->modified_us = simulation.options.start.us + simulation.wall_jump_us + simulation.scheduler.now_ns() / 1000;
    if (may_lie) lies().Rot(options().lie, path_, now_ns());
  }

  IoGate& gate_;
  const Path path_;
  const SimulatedInodePtr inode_;
  const OpenOptions options_;
};

class SimulatedFileLock final : public FileLock {
 public:
  SimulatedFileLock(IoGate& gate, uint64_t inode) : gate_(gate), inode_(inode) {}
  ~SimulatedFileLock() override {
    auto& locks = gate_.simulation().locks;
    auto held = locks.find(inode_);
    if (held != locks.end() && held->second == gate_.process()) locks.erase(held);
  }

 private:
  IoGate& gate_;
  const uint64_t inode_;
};

class SimulatedFileSystem final : public FileSystem {
 public:
  explicit SimulatedFileSystem(IoGate& gate) : gate_(gate) {}

  Result<std::unique_ptr<File>> Open(const Path& path, OpenOptions options) override {
    return gate_.Perform("open", path, static_cast<uint64_t>(options.mode), [&](bool) -> Result<std::unique_ptr<File>> {
      auto inode = FindOrCreate(path, options.mode);
      if (!inode.ok()) return AsCall("open", path, inode.error());
      if ((*inode)->is_directory) return SystemError("open", path, EISDIR);
      return std::unique_ptr<File>(std::make_unique<SimulatedFile>(gate_, path, *inode, options));
    });
  }

  Result<std::unique_ptr<File>> OpenUnnamed(const Path& directory) override {
    return gate_.Perform("open", directory, 0, [&](bool) -> Result<std::unique_ptr<File>> {
      RETURN_IF_ERROR(FindDirectory("open", directory));
      return std::unique_ptr<File>(
          std::make_unique<SimulatedFile>(gate_, directory + "/(unnamed)", disk().MakeInode(false), OpenOptions{.mode = OpenMode::kReadWrite}));
    });
  }

  Result<FileInfo> Stat(const Path& path) override {
    return gate_.Perform("stat", path, 0, [&](bool) -> Result<FileInfo> {
      auto inode = disk().Find(path);
      if (!inode.ok()) return AsCall("stat", path, inode.error());
      return FileInfo{(*inode)->content.cached().size(), (*inode)->is_directory, (*inode)->number, (*inode)->modified_us};
    });
  }

  Result<std::vector<std::string>> List(const Path& directory) override {
    return gate_.Perform("list", directory, 0, [&](bool) -> Result<std::vector<std::string>> {
      ASSIGN_OR_RETURN(auto inode, FindDirectory("list", directory));
      std::vector<std::string> names;
      for (auto& [name, child] : inode->names) names.push_back(name);
      return names;
    });
  }

  // As the real one does it.
  Result<void> CreateDirectories(const Path& directory) override {
    const Path parent = base::ParentPath(directory);
    if (directory == "." || parent == directory) return {};
    auto info = Stat(directory);
    if (!info.ok()) {
      if (info.error().code != ErrorCode::kNotFound) return std::move(info).error();
      RETURN_IF_ERROR(CreateDirectories(parent));
      if (auto made = MakeDirectory(directory); !made.ok() && made.error().code != ErrorCode::kExists) return made;
    } else if (!info->is_directory) {
      return SystemError("mkdir", directory, ENOTDIR);
    }
    return parent == "." ? SyncDirectory("/") : SyncDirectory(parent);
  }

  Result<void> Rename(const Path& from, const Path& to) override { return Move(from, to, true); }
  Result<void> RenameToNew(const Path& from, const Path& to) override { return Move(from, to, false); }

  Result<void> Remove(const Path& path) override {
    return gate_.Perform("remove", path, 0, [&](bool) { return disk().Remove(path); }, IoGate::MayThrow::kNo);
  }

  Result<void> SyncDirectory(const Path& directory) override {
    return gate_.Perform("fsync", directory, 0, [&](bool in_flight) -> Result<void> {
      if (in_flight) return {};
      if (gate_.Fault(gate_.simulation().options.sync_error)) return SystemError("fsync", directory, EIO);
      auto synced = disk().SyncDirectory(directory);
      if (!synced.ok()) return AsCall("fsync", directory, synced.error());
      return {};
    });
  }

  Result<FileSystemSpace> Space(const Path& path) override {
    return gate_.Perform("statvfs", path, 0, [&](bool) -> Result<FileSystemSpace> {
      uint64_t total = gate_.simulation().options.disk_bytes_max, used = disk().BytesUsed();
      if (total == 0) total = kTotalBytesWithoutLimit;
      return FileSystemSpace{total, total - std::min(used, total)};
    });
  }

  Result<std::unique_ptr<FileLock>> Lock(const Path& path) override {
    return gate_.Perform("lock", path, 0, [&](bool) -> Result<std::unique_ptr<FileLock>> {
      auto inode = FindOrCreate(path, OpenMode::kCreateOrOpen);
      if (!inode.ok()) return AsCall("lock", path, inode.error());
      auto& locks = gate_.simulation().locks;
      auto held = locks.find((*inode)->number);
      if (held != locks.end() && !gate_.simulation().scheduler.IsDoomed(held->second)) {
        std::string by = "process " + std::to_string(Pid(held->second));
        return Error{ErrorCode::kConflict, "lock \"" + path + "\": held by " + by, "stop " + by + " first"};
      }
      locks[(*inode)->number] = gate_.process();
      (*inode)->content.Truncate(0);
      (*inode)->content.Write(0, std::to_string(Pid(gate_.process())) + "\n");
      return std::unique_ptr<FileLock>(std::make_unique<SimulatedFileLock>(gate_, (*inode)->number));
    });
  }

 private:
  SimulatedDisk& disk() { return gate_.simulation().disk; }

  Result<SimulatedInodePtr> FindOrCreate(const Path& path, OpenMode mode) {
    if (mode == OpenMode::kCreate) return disk().CreateFile(path);
    auto found = disk().Find(path);
    bool missing = !found.ok() && found.error().code == ErrorCode::kNotFound;
    return missing && mode == OpenMode::kCreateOrOpen ? disk().CreateFile(path) : found;
  }

  Result<SimulatedInodePtr> FindDirectory(std::string_view call, const Path& path) {
    auto inode = disk().Find(path);
    if (!inode.ok()) return AsCall(call, path, inode.error());
    if (!(*inode)->is_directory) return SystemError(call, path, ENOTDIR);
    return inode;
  }

  Result<void> MakeDirectory(const Path& directory) {
    return gate_.Perform("mkdir", directory, 0, [&](bool) -> Result<void> {
      if (disk().Find(directory).ok()) return SystemError("mkdir", directory, EEXIST);
      return disk().CreateDirectory(directory);
    });
  }

  Result<void> Move(const Path& from, const Path& to, bool replace) {
    return gate_.Perform("rename", from + " to " + to, 0, [&](bool) { return disk().Rename(from, to, replace); });
  }

  IoGate& gate_;
};

}  // namespace

std::unique_ptr<FileSystem> MakeSimulatedFileSystem(IoGate& gate) { return std::make_unique<SimulatedFileSystem>(gate); }

}  // namespace sluice::io
