// SPDX-License-Identifier: Apache-2.0
#include "unsynced.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace sluice::faults {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kSector = 512;

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

[[noreturn]] void GiveUp(const char* what, const std::string& path) {
  std::fprintf(stderr, "faults: %s %s: error %d\n", what, path.c_str(), errno);
  std::abort();
}

// Past this library's own functions of the same names.
ssize_t ReadAt(int descriptor, char* to, size_t size, uint64_t at) {
  if ((fcntl(descriptor, F_GETFL) & O_DIRECT) == 0) return syscall(SYS_pread64, descriptor, to, size, at);
  // Past the page cache only whole blocks can be read.
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  const auto buffered = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (buffered < 0) GiveUp("open of", path);
  const ssize_t n = syscall(SYS_pread64, buffered, to, size, at);
  syscall(SYS_close, buffered);
  return n;
}
void WriteAt(int descriptor, const char* from, size_t size, uint64_t at) {
  if (syscall(SYS_pwrite64, descriptor, from, size, at) != static_cast<ssize_t>(size)) GiveUp("write of", "old bytes");
}
uint64_t SizeOf(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) GiveUp("stat of", "a descriptor");
  return static_cast<uint64_t>(status.st_size);
}
bool Coin(std::mt19937_64& dice) { return (dice() & 1) != 0; }

}  // namespace

void Unsynced::BeforeWrite(int descriptor, uint64_t at, uint64_t size) {
  if ((fcntl(descriptor, F_GETFL) & O_DSYNC) != 0) return;
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !paths_.contains(status.st_ino) || IsVolatile(paths_[status.st_ino])) return;
  auto& changes = bytes_[status.st_ino];
  const uint64_t file_size = static_cast<uint64_t>(status.st_size);
  for (uint64_t page = at / kPage * kPage; page < at + size; page += kPage) {
    const uint64_t begin = std::max(at, page), end = std::min(at + size, page + kPage);
    Old old{begin, std::string(end - begin, '\0'), end - begin, file_size};
    const ssize_t n = ReadAt(descriptor, old.bytes.data(), old.bytes.size(), begin);
    if (n < 0) GiveUp("read before a write of", paths_[status.st_ino]);
    old.bytes.resize(static_cast<size_t>(n));
    changes.push_back(std::move(old));
  }
}

void Unsynced::BeforeTruncate(int descriptor, uint64_t size) {
  struct stat status;
  if (fstat(descriptor, &status) != 0 || !paths_.contains(status.st_ino) || IsVolatile(paths_[status.st_ino])) return;
  const uint64_t file_size = static_cast<uint64_t>(status.st_size);
  Old old{size, std::string(file_size > size ? file_size - size : 0, '\0'), 0, file_size, true};
  if (!old.bytes.empty() && ReadAt(descriptor, old.bytes.data(), old.bytes.size(), size) != static_cast<ssize_t>(old.bytes.size()))
    GiveUp("read before a truncation of", paths_[status.st_ino]);
  bytes_[status.st_ino].push_back(std::move(old));
}

void Unsynced::Created(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return;
  bytes_.erase(status.st_ino);  // an earlier file of that number is gone
  Knows(status, path);
  names_.push_back({NameChange::kCreate, path, {}, {}, {Parent(path)}});
}

void Unsynced::MadeDirectory(const std::string& path) { names_.push_back({NameChange::kMakeDirectory, path, {}, {}, {Parent(path)}}); }

void Unsynced::Synced(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return;
  auto found = bytes_.find(status.st_ino);
  if (found == bytes_.end()) return;
  std::set<uint64_t> written;  // pages; one that was written again after a failed sync is written whole
  for (auto& old : found->second)
    if (!old.doomed) written.insert(old.at / kPage);
  std::erase_if(found->second, [&](auto& old) { return !old.doomed || old.truncation || written.contains(old.at / kPage); });
}

void Unsynced::FailedToSync(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return;
  for (auto& old : bytes_[status.st_ino]) old.doomed = true;
}

void Unsynced::SyncedDirectory(const std::string& path) {
  for (auto& name : names_) {
    name.waits_for.erase(path);
    if (name.waits_for.empty() && !name.replaced.empty()) syscall(SYS_unlink, name.replaced.c_str());
  }
  std::erase_if(names_, [](auto& name) { return name.waits_for.empty(); });
}

std::string Unsynced::Bury(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0) return {};
  const std::string grave = graveyard_ + "/" + std::to_string(getpid()) + "-" + std::to_string(++graves_);
  if (syscall(SYS_link, path.c_str(), grave.c_str()) != 0) GiveUp("burial of", path);
  return grave;
}

int Unsynced::Rename(const std::string& from, const std::string& to, unsigned flags) {
  struct stat status;
  const bool known = stat(from.c_str(), &status) == 0;
  std::string replaced = (flags & RENAME_NOREPLACE) != 0 ? "" : Bury(to);
  const int result = static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
  if (result != 0) {
    if (!replaced.empty()) syscall(SYS_unlink, replaced.c_str());
    return result;
  }
  if (known) Knows(status, to);
  names_.push_back({NameChange::kRename, to, from, std::move(replaced), {Parent(from), Parent(to)}});
  return 0;
}

int Unsynced::Unlink(const std::string& path) {
  struct stat status;
  const bool known = stat(path.c_str(), &status) == 0;
  std::string grave = Bury(path);
  const int result = static_cast<int>(syscall(SYS_unlink, path.c_str()));
  if (result != 0) return result;
  if (known) Knows(status, grave);
  names_.push_back({NameChange::kRemove, path, {}, std::move(grave), {Parent(path)}});
  return 0;
}

void Unsynced::Cut(std::mt19937_64& dice) {
  for (auto& [inode, changes] : bytes_)
    if (auto path = paths_.find(inode); path != paths_.end() && !changes.empty()) TakeBackBytes(path->second, changes, dice);
  const size_t kept = Coin(dice) ? 0 : dice() % (names_.size() + 1);
  for (size_t i = names_.size(); i > kept; i--) TakeBackName(names_[i - 1]);
}

void Unsynced::TakeBack(int descriptor, const Old& old) {
  if (!old.bytes.empty()) WriteAt(descriptor, old.bytes.data(), old.bytes.size(), old.at);
  if (syscall(SYS_ftruncate, descriptor, old.file_size) != 0) GiveUp("truncation of", "a file with old bytes");
}

// A truncation reached the disk, with any of the pages that were written after it, or nothing since it did.
void Unsynced::TakeBackBytes(const std::string& path, const std::vector<Old>& changes, std::mt19937_64& dice) {
  const int descriptor = static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.c_str(), O_RDWR | O_CLOEXEC));
  if (descriptor < 0) return;  // buried and gone
  size_t end = changes.size();
  for (;;) {
    size_t begin = end;
    while (begin > 0 && !changes[begin - 1].truncation) begin--;
    if (begin == 0 || Coin(dice)) {
      TakeBackPages(descriptor, changes, begin, end, dice);
      break;
    }
    for (size_t i = end; i >= begin; i--) TakeBack(descriptor, changes[i - 1]);
    end = begin - 1;
  }
  syscall(SYS_close, descriptor);
}

// Each page, or sector, goes back to one of the states that it had.
void Unsynced::TakeBackPages(int descriptor, const std::vector<Old>& changes, size_t begin, size_t end, std::mt19937_64& dice) {
  if (begin == end) return;
  const uint64_t unit = dice() % 4 == 0 ? kSector : kPage;
  const bool all = dice() % 3 == 0;
  struct Change {
    uint64_t at, end;
    size_t index;  // of the write
  };
  std::map<uint64_t, std::vector<Change>> units;
  for (size_t i = begin; i < end; i++)
    for (uint64_t at = changes[i].at; at < changes[i].at + changes[i].size;) {
      const uint64_t next = std::min(at / unit * unit + unit, changes[i].at + changes[i].size);
      units[at / unit].push_back({at, next, i});
      at = next;
    }
  uint64_t size = changes[begin].file_size;  // grows as far as what stays
  for (auto& [number, versions] : units) {
    const size_t kept = all ? 0 : dice() % (versions.size() + 1);
    for (size_t i = 0; i < kept; i++) size = std::max(size, versions[i].end);
    for (size_t i = versions.size(); i > kept; i--) {
      const Change& change = versions[i - 1];
      const Old& old = changes[change.index];
      std::string bytes =
          change.at - old.at < old.bytes.size() ? old.bytes.substr(change.at - old.at, change.end - change.at) : std::string();
      bytes.resize(change.end - change.at, '\0');
      WriteAt(descriptor, bytes.data(), bytes.size(), change.at);
    }
  }
  if (size < SizeOf(descriptor) && syscall(SYS_ftruncate, descriptor, size) != 0)
    GiveUp("truncation of", "a file without its newest pages");
}

void Unsynced::TakeBackName(const Name& name) {
  std::error_code ignored;
  switch (name.change) {
    case NameChange::kCreate: syscall(SYS_unlink, name.path.c_str()); return;
    case NameChange::kMakeDirectory:
      std::filesystem::remove_all(name.path, ignored);  // what is in it has no name without it
      return;
    case NameChange::kRename: syscall(SYS_rename, name.path.c_str(), name.from.c_str()); break;
    case NameChange::kRemove: break;
  }
  if (!name.replaced.empty()) syscall(SYS_rename, name.replaced.c_str(), name.path.c_str());
}

}  // namespace sluice::faults
