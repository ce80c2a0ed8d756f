// SPDX-License-Identifier: Apache-2.0
//
// The library that is preloaded into the real binary: the calls of libc by which it and SQLite change files, each with a name, an
// "edge", made of what it does and to which kind of file ("sync journal-segment"). The product knows nothing of it.
//
//   call ─▶ edge ─▶ plan: anything to do here? ─▶ kill, cut, fail, delay, or the call itself (past libc, by its number)
//                └▶ record
//
// What a process does without these calls it does unseen: test_edges.py looks for other doors in the binary.
#undef _FORTIFY_SOURCE  // would define some of them inline
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "file_kind.h"
#include "plan.h"
#include "unsynced.h"

namespace sluice::faults {
namespace {

thread_local bool inside = false;  // calls of this library's own tools pass

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

class Layer {
 public:
  static Layer& Get() {
    static auto* layer = new Layer;  // never destroyed: threads may still write while the process ends
    return *layer;
  }

  bool on() const { return !root_.empty(); }

  // The path below the root; nothing for other paths.
  const char* Below(const char* path) const {
    if (!on() || path == nullptr || std::string_view(path).substr(0, root_.size()) != root_) return nullptr;
    if (path[root_.size()] == '\0') return path + root_.size();
    return path[root_.size()] == '/' ? path + root_.size() + 1 : nullptr;
  }

  // The kind of an open file; empty: not one of ours.
  std::string KindOf(int descriptor) {
    struct stat status;
    if (!on() || fstat(descriptor, &status) != 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))) return {};
    std::lock_guard lock(mutex_);
    auto found = kinds_.find({status.st_dev, status.st_ino});
    return found == kinds_.end() ? std::string() : found->second;
  }

  void Opened(int descriptor, std::string kind, const std::string& path, bool created) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return;
    std::lock_guard lock(mutex_);
    kinds_[{status.st_dev, status.st_ino}] = std::move(kind);
    if (S_ISDIR(status.st_mode)) directories_[status.st_ino] = path;
    else if (unsynced_ && !path.empty()) created ? unsynced_->Created(path) : unsynced_->Knows(status, path);
  }
  std::string DirectoryOf(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 ? directories_[status.st_ino] : "";
  }
  void Renamed(const std::string& to, std::string kind) {
    struct stat status;
    if (stat(to.c_str(), &status) == 0) kinds_[{status.st_dev, status.st_ino}] = std::move(kind);
  }

  // Runs `call(part)` at `edge` as the plan says; `part` is 1 for the whole, 2 for half of it. `remember` and `made` tell the forgetting
  // disk what the call is going to do and what it did, `failed` that it was not done.
  template <class Call, class Remember, class Made, class Failed>
  auto Do(const std::string& edge, Call call, Remember remember, Made made, Failed failed) -> decltype(call(1)) {
    using Answer = decltype(call(1));
    std::unique_lock lock(mutex_);
    Tell(record_, edge);
    const Action action = plan_->Next(edge);
    if (action.kind != ActionKind::kNone) Tell(hits_, edge);
    if (!unsynced_) lock.unlock();
    switch (action.kind) {
      case ActionKind::kKill: Kill();
      case ActionKind::kCut: Cut();
      case ActionKind::kFail:
        if (unsynced_) failed(*unsynced_);
        errno = action.number;
        return Answer{-1};
      case ActionKind::kKillHalf: call(2); Kill();
      case ActionKind::kCutHalf:
        if (unsynced_) remember(*unsynced_);
        call(3);
        Cut();
      case ActionKind::kDelay: poll(nullptr, 0, action.number); break;
      default: break;
    }
    if (unsynced_) remember(*unsynced_);
    const Answer answer = call(action.kind == ActionKind::kShort ? 2 : 1);
    const int error = errno;
    if (answer >= 0) {
      if (!lock.owns_lock()) lock.lock();
      inside = true;
      made();
      inside = false;
    }
    if (action.kind == ActionKind::kKillAfter) Kill();
    if (action.kind == ActionKind::kCutAfter) Cut();
    errno = error;
    if (action.kind != ActionKind::kFailAfter) return answer;
    errno = action.number;
    return Answer{-1};
  }
  template <class Call, class Remember, class Made>
  auto Do(const std::string& edge, Call call, Remember remember, Made made) -> decltype(call(1)) {
    return Do(edge, call, remember, made, [](Unsynced&) {});
  }
  template <class Call>
  auto Do(const std::string& edge, Call call) -> decltype(call(1)) {
    return Do(
        edge, call, [](Unsynced&) {}, [] {});
  }

  Unsynced* unsynced() { return unsynced_.get(); }
  std::mt19937_64& dice() { return plan_->dice(); }
  int64_t clock_ns() const { return clock_ != nullptr ? __atomic_load_n(clock_, __ATOMIC_RELAXED) : 0; }

 private:
  Layer() : root_(Variable("SLUICE_FAULTS_ROOT")) {
    inside = true;
    const std::string seed = Variable("SLUICE_FAULTS_SEED"), graveyard = Variable("SLUICE_FAULTS_GRAVEYARD"),
                      clock = Variable("SLUICE_FAULTS_CLOCK");
    plan_ = std::make_unique<Plan>(Variable("SLUICE_FAULTS_PLAN"), std::strtoull(seed.c_str(), nullptr, 10));
    if (!graveyard.empty()) unsynced_ = std::make_unique<Unsynced>(graveyard);
    record_ = OpenList("SLUICE_FAULTS_RECORD");
    hits_ = OpenList("SLUICE_FAULTS_HITS");
    if (!clock.empty()) {
      const int file = static_cast<int>(syscall(SYS_openat, AT_FDCWD, clock.c_str(), O_RDONLY | O_CLOEXEC));
      void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
      if (mapped == MAP_FAILED) std::abort();
      clock_ = static_cast<int64_t*>(mapped);
      syscall(SYS_close, file);
    }
    if (plan_->has_cuts() && !unsynced_) std::abort();
    inside = false;
  }

  // A descriptor, or -1: nobody asked.
  static int OpenList(const char* variable) {
    const std::string path = Variable(variable);
    return path.empty() ? -1
                        : static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  }
  static void Tell(int list, const std::string& edge) {
    if (list < 0) return;
    const std::string line = edge + "\n";
    syscall(SYS_write, list, line.data(), line.size());
  }

  [[noreturn]] static void Kill() {
    for (;;) syscall(SYS_kill, getpid(), SIGKILL);
  }
  // Under the lock: no other call of this process is half done, and none will begin.
  [[noreturn]] void Cut() {
    inside = true;
    unsynced_->Cut(plan_->dice());
    Kill();
  }

  struct HashOfFile {
    size_t operator()(const std::pair<dev_t, ino_t>& file) const {
      return std::hash<uint64_t>()(file.first * 0x9E3779B97F4A7C15u + file.second);
    }
  };

  const std::string root_;
  std::mutex mutex_;
  std::unique_ptr<Plan> plan_;
  std::unique_ptr<Unsynced> unsynced_;  // null: a kill is the worst that happens
  std::unordered_map<std::pair<dev_t, ino_t>, std::string, HashOfFile> kinds_;
  std::unordered_map<ino_t, std::string> directories_;
  int record_ = -1;
  int hits_ = -1;
  const int64_t* clock_ = nullptr;
};

ssize_t WriteParts(int descriptor, const char* from, size_t size, off_t at, int part) {
  const auto write = [&](size_t begin, size_t end) {
    return syscall(SYS_pwrite64, descriptor, from + begin, end - begin, at + static_cast<off_t>(begin));
  };
  constexpr size_t kBlock = 4096;
  const size_t half = size > kBlock ? size / 2 / kBlock * kBlock : size / 2;
  if (part == 1) return write(0, size);
  const bool direct = (fcntl(descriptor, F_GETFL) & O_DIRECT) != 0;
  if (part == 2) return direct && half % kBlock != 0 ? 0 : write(0, half);
  // Power fails in the middle: some sectors reach the disk, in any order.
  auto& dice = Layer::Get().dice();
  const size_t unit = direct || dice() % 2 == 0 ? kBlock : 512;
  for (size_t begin = 0; begin < size; begin += unit)
    if (dice() % 2 == 0) write(begin, std::min(size, begin + unit));
  return 0;
}

int Open(int directory, const char* path, int flags, mode_t mode) {
  auto& layer = Layer::Get();
  const auto open = [&](int) { return static_cast<int>(syscall(SYS_openat, directory, path, flags, mode)); };
  const char* below = inside ? nullptr : layer.Below(path);
  if (below == nullptr) return open(1);
  if ((flags & O_TRUNC) != 0) std::abort();  // nobody truncates so yet; the forgetting disk would not know
  if ((flags & O_TMPFILE) == O_TMPFILE) {
    const std::string kind = UnnamedFileKind(below);
    const int descriptor = layer.Do("create " + kind, open);
    if (descriptor >= 0) layer.Opened(descriptor, kind, "", false);
    return descriptor;
  }
  struct stat status;
  const bool exists = fstatat(directory, path, &status, 0) == 0, creates = (flags & O_CREAT) != 0 && !exists;
  const std::string kind = FileKind(below, exists && S_ISDIR(status.st_mode));
  const int descriptor = creates ? layer.Do("create " + kind, open) : open(1);
  const int error = errno;
  if (descriptor >= 0) layer.Opened(descriptor, kind, path, creates);
  errno = error;
  return descriptor;
}

ssize_t Write(int descriptor, const void* from, size_t size, off_t at) {
  auto& layer = Layer::Get();
  const auto write = [&](int part) { return WriteParts(descriptor, static_cast<const char*>(from), size, at, part); };
  const std::string kind = inside ? "" : layer.KindOf(descriptor);
  if (kind.empty()) return write(1);
  return layer.Do(
      "write " + kind, write, [&](Unsynced& u) { u.BeforeWrite(descriptor, static_cast<uint64_t>(at), size); }, [] {});
}

ssize_t Read(int descriptor, void* to, size_t size, off_t at) {
  auto& layer = Layer::Get();
  const auto read = [&](int part) { return syscall(SYS_pread64, descriptor, to, part == 2 ? size / 2 : size, at); };
  const std::string kind = inside ? "" : layer.KindOf(descriptor);
  return kind.empty() ? read(1) : layer.Do("read " + kind, read);
}

int Sync(int descriptor, long number) {
  auto& layer = Layer::Get();
  const auto sync = [&](int) { return static_cast<int>(syscall(number, descriptor)); };
  const std::string kind = inside ? "" : layer.KindOf(descriptor);
  if (kind.empty()) return sync(1);
  const auto failed = [&](Unsynced& unsynced) { unsynced.FailedToSync(descriptor); };
  const auto made = [&] {
    if (layer.unsynced() == nullptr) return;
    const std::string directory = kind.ends_with("-directory") ? layer.DirectoryOf(descriptor) : "";
    directory.empty() ? layer.unsynced()->Synced(descriptor) : layer.unsynced()->SyncedDirectory(directory);
  };
  return layer.Do(
      "sync " + kind, sync, [](Unsynced&) {}, made, failed);
}

int Truncate(int descriptor, off_t size) {
  auto& layer = Layer::Get();
  const auto truncate = [&](int) { return static_cast<int>(syscall(SYS_ftruncate, descriptor, size)); };
  const std::string kind = inside ? "" : layer.KindOf(descriptor);
  if (kind.empty()) return truncate(1);
  return layer.Do(
      "truncate " + kind, truncate, [&](Unsynced& u) { u.BeforeTruncate(descriptor, static_cast<uint64_t>(size)); }, [] {});
}

int Rename(const char* from, const char* to, unsigned flags) {
  auto& layer = Layer::Get();
  const char* below = inside ? nullptr : layer.Below(to);
  const auto plain = [&](int) { return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags)); };
  if (below == nullptr) return plain(1);
  struct stat status;
  const std::string kind = FileKind(below, stat(from, &status) == 0 && S_ISDIR(status.st_mode));
  const auto call = [&](int part) {
    if (layer.unsynced() == nullptr) return plain(part);
    inside = true;
    const int answer = layer.unsynced()->Rename(from, to, flags);
    inside = false;
    return answer;
  };
  return layer.Do(
      "rename " + kind, call, [](Unsynced&) {}, [&] { layer.Renamed(to, kind); });
}

int Unlink(const char* path) {
  auto& layer = Layer::Get();
  const char* below = inside ? nullptr : layer.Below(path);
  const auto plain = [&](int) { return static_cast<int>(syscall(SYS_unlink, path)); };
  struct stat status;
  if (below == nullptr || lstat(path, &status) != 0 || S_ISDIR(status.st_mode)) return plain(1);
  const auto call = [&](int part) {
    if (layer.unsynced() == nullptr) return plain(part);
    inside = true;
    const int answer = layer.unsynced()->Unlink(path);
    inside = false;
    return answer;
  };
  return layer.Do("unlink " + FileKind(below, false), call);
}

int MakeDirectory(const char* path, mode_t mode) {
  auto& layer = Layer::Get();
  const char* below = inside ? nullptr : layer.Below(path);
  const auto make = [&](int) { return static_cast<int>(syscall(SYS_mkdir, path, mode)); };
  if (below == nullptr) return make(1);
  const auto made = [&] {  // the root's own parent is none of ours, and its sync is not seen
    if (layer.unsynced() != nullptr && *below != '\0') layer.unsynced()->MadeDirectory(path);
  };
  return layer.Do(
      "mkdir " + FileKind(below, true), make, [](Unsynced&) {}, made);
}

int RemoveDirectory(const char* path) {
  auto& layer = Layer::Get();
  const char* below = inside ? nullptr : layer.Below(path);
  const auto remove = [&](int) { return static_cast<int>(syscall(SYS_rmdir, path)); };
  return below == nullptr ? remove(1) : layer.Do("rmdir " + FileKind(below, true), remove);
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

}  // namespace
}  // namespace sluice::faults

// What libc calls so, for whoever is linked behind this library.
extern "C" {

#define SLUICE_FAULTS_MODE                                      \
  va_list arguments;                                            \
  va_start(arguments, flags);                                   \
  const mode_t mode = sluice::faults::ModeOf(flags, arguments); \
  va_end(arguments)

int open(const char* path, int flags, ...) {
  SLUICE_FAULTS_MODE;
  return sluice::faults::Open(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  SLUICE_FAULTS_MODE;
  return sluice::faults::Open(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  SLUICE_FAULTS_MODE;
  return sluice::faults::Open(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
  SLUICE_FAULTS_MODE;
  return sluice::faults::Open(directory, path, flags, mode);
}
ssize_t pwrite(int descriptor, const void* from, size_t size, off_t at) { return sluice::faults::Write(descriptor, from, size, at); }
ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t at) { return sluice::faults::Write(descriptor, from, size, at); }
ssize_t pread(int descriptor, void* to, size_t size, off_t at) { return sluice::faults::Read(descriptor, to, size, at); }
ssize_t pread64(int descriptor, void* to, size_t size, off64_t at) { return sluice::faults::Read(descriptor, to, size, at); }
int fsync(int descriptor) { return sluice::faults::Sync(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return sluice::faults::Sync(descriptor, SYS_fdatasync); }
int ftruncate(int descriptor, off_t size) noexcept { return sluice::faults::Truncate(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) noexcept { return sluice::faults::Truncate(descriptor, size); }
int rename(const char* from, const char* to) noexcept { return sluice::faults::Rename(from, to, 0); }
int renameat2(int, const char* from, int, const char* to, unsigned flags) noexcept { return sluice::faults::Rename(from, to, flags); }
int unlink(const char* path) noexcept { return sluice::faults::Unlink(path); }
int mkdir(const char* path, mode_t mode) noexcept { return sluice::faults::MakeDirectory(path, mode); }
int rmdir(const char* path) noexcept { return sluice::faults::RemoveDirectory(path); }

int clock_gettime(clockid_t clock, timespec* to) noexcept {
  const int answer = static_cast<int>(syscall(SYS_clock_gettime, clock, to));
  const int64_t more = answer == 0 && clock == CLOCK_REALTIME && !sluice::faults::inside ? sluice::faults::Layer::Get().clock_ns() : 0;
  if (more == 0) return answer;
  constexpr int64_t kNanos = 1'000'000'000;
  const int64_t now = to->tv_sec * kNanos + to->tv_nsec + more;
  to->tv_sec = now / kNanos;
  to->tv_nsec = now % kNanos;
  return answer;
}

}  // extern "C"
