// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A disk that forgets: what was written, made, renamed or removed and not synced, with what was there before.
//
//   bytes   survive fsync or fdatasync of their file, or a write through O_DSYNC
//   names   survive fsync of their directory (of both, when a rename leaves one)
//
// A power cut takes back what is not synced: all of it, or page by page to one of the states that it had since the last sync, or torn
// in sectors of 512 bytes; of names the newest ones, as file systems keep the order of those. The directory is then what the next start finds.
//
// Not remembered: the index of the catalog's WAL, which SQLite maps and builds anew, and files without a name.

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace sluice::faults {

// Guarded by its owner's lock, which is held over the call that is remembered: a cut finds no call half done.
class Unsynced {
 public:
  // `graveyard` is a directory on the same file system where removed files wait until their removal is durable.
  explicit Unsynced(std::string graveyard) : graveyard_(std::move(graveyard)) {}

  // Before the call: `descriptor` will write `size` bytes at `at`, or get the size `size`.
  void BeforeWrite(int descriptor, uint64_t at, uint64_t size);
  void BeforeTruncate(int descriptor, uint64_t size);
  // After the call.
  void Created(const std::string& path);
  void MadeDirectory(const std::string& path);
  void Synced(int descriptor);
  // The kernel forgets which pages a failed sync did not write: a later one that succeeds proves nothing about them.
  void FailedToSync(int descriptor);
  void SyncedDirectory(const std::string& path);

  // Instead of the call; 0 or -1 with errno, as the call.
  int Rename(const std::string& from, const std::string& to, unsigned flags);
  int Unlink(const std::string& path);

  // Where the file now stands, as the calls told.
  void Knows(const struct stat& file, const std::string& path) { paths_[file.st_ino] = path; }

  // The machine is without power. Nothing may be called afterwards.
  void Cut(std::mt19937_64& dice);

 private:
  struct Old {  // what a write or truncation replaced
    uint64_t at = 0;
    std::string bytes;  // as far as there were any
    uint64_t size = 0;  // of the range
    uint64_t file_size = 0;
    bool truncation = false;
    bool doomed = false;  // by a failed sync
  };
  enum class NameChange : uint8_t { kCreate, kMakeDirectory, kRename, kRemove };
  struct Name {
    NameChange change;
    std::string path;                 // the new name; of a removal: the old one
    std::string from;                 // of a rename
    std::string replaced;             // in the graveyard: what stood at `path`; empty: nothing
    std::set<std::string> waits_for;  // directories to sync
  };
  static void TakeBack(int descriptor, const Old& old);
  void TakeBackBytes(const std::string& path, const std::vector<Old>& changes, std::mt19937_64& dice);
  void TakeBackPages(int descriptor, const std::vector<Old>& changes, size_t begin, size_t end, std::mt19937_64& dice);
  void TakeBackName(const Name& name);
  std::string Bury(const std::string& path);  // gives the file a second name in the graveyard; empty: there is none at `path`
  static bool IsVolatile(const std::string& path) { return path.ends_with("catalog.db-shm"); }

  const std::string graveyard_;
  std::map<ino_t, std::string> paths_;
  std::map<ino_t, std::vector<Old>> bytes_;
  std::vector<Name> names_;
  uint64_t graves_ = 0;
};

}  // namespace sluice::faults
