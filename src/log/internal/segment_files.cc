// SPDX-License-Identifier: Apache-2.0
#include "log/internal/segment_files.h"

#include <cstring>
#include <new>
#include <span>

namespace sluice::log {
namespace {

constexpr size_t kZeroStep = 64 << 10;    // small enough that a commit beside it waits for one step at most
constexpr size_t kZeroStepUrgent = 1 << 20;  // commits wait for this segment anyway
constexpr int64_t kZeroPauseUs = 500;

struct AlignedDelete {
  void operator()(char* memory) const { ::operator delete(memory, std::align_val_t{io::kDirectAlignment}); }
};
using AlignedBytes = std::unique_ptr<char, AlignedDelete>;

AlignedBytes ZeroedBytes(size_t n) {
  AlignedBytes bytes(static_cast<char*>(::operator new(n, std::align_val_t{io::kDirectAlignment})));
  std::memset(bytes.get(), 0, n);
  return bytes;
}

Result<void> WriteZeros(io::Env env, io::File& file, const SegmentRequest& request) {
  auto zeros = ZeroedBytes(kZeroStepUrgent);
  for (uint64_t at = 0; at < request.bytes;) {
    if (request.ending != nullptr && request.ending->load(std::memory_order_relaxed)) return Error{ErrorCode::kCancelled, "the log is ending", {}};
    const bool urgent = request.urgent == nullptr || request.urgent->load(std::memory_order_relaxed);
    const size_t n = static_cast<size_t>(std::min<uint64_t>(urgent ? kZeroStepUrgent : kZeroStep, request.bytes - at));
    RETURN_IF_ERROR(file.Write(at, {zeros.get(), n}));
    at += n;
    if (!urgent) env.clock.SleepUs(kZeroPauseUs);
  }
  return file.Sync();
}

// That there is no room has to be known soon: until then commits gather for this segment. Not every file system tells.
Result<void> CheckSpace(io::Env env, const LogPaths& paths, uint64_t bytes) {
  ASSIGN_OR_RETURN(const auto space, env.files.Space(paths.journal));
  if (space.total_bytes == 0 || space.free_bytes >= bytes) return {};
  return Error{ErrorCode::kExhausted,
               "no space left for a journal segment of " + std::to_string(bytes) + " bytes in '" + paths.journal + "': " + std::to_string(space.free_bytes) + " are free",
               "free some space"};
}

Result<void> WriteHeader(io::Env env, io::File& file, const SegmentRequest& request, bool recycled) {
  auto block = ZeroedBytes(kBlock);
  EncodeSegmentHeader({kJournalFormatVersion, recycled, request.journal_id, request.number, request.bytes, env.clock.Now()}, block.get());
  RETURN_IF_ERROR(file.Write(0, {block.get(), kBlock}));
  return file.Sync();
}

// Moves a spare of the right size to `preparing`. False: there is none.
Result<bool> TakeSpare(io::Env env, const LogPaths& paths, uint64_t bytes) {
  ASSIGN_OR_RETURN(auto spares, ListSpares(env.files, paths));
  for (const auto& spare : spares) {
    ASSIGN_OR_RETURN(auto info, env.files.Stat(spare));
    if (info.size == bytes) {
      RETURN_IF_ERROR(env.files.Rename(spare, paths.preparing()));
      return true;
    }
    RETURN_IF_ERROR(env.files.Remove(spare));  // made under other options
  }
  return false;
}

Result<SegmentFile> Prepare(io::Env env, const LogPaths& paths, const SegmentRequest& request) {
  ASSIGN_OR_RETURN(bool recycled, TakeSpare(env, paths, request.bytes));
  if (!recycled) RETURN_IF_ERROR(CheckSpace(env, paths, request.bytes));
  auto mode = recycled ? io::OpenMode::kReadWrite : io::OpenMode::kCreate;
  ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, env.files.Open(paths.preparing(), {mode, true}));
  if (!recycled) RETURN_IF_ERROR(WriteZeros(env, *file, request));
  RETURN_IF_ERROR(WriteHeader(env, *file, request, recycled));
  RETURN_IF_ERROR(env.files.Rename(paths.preparing(), paths.segment(request.number)));
  RETURN_IF_ERROR(env.files.SyncDirectory(paths.journal));
  return SegmentFile{request.number, request.bytes, recycled, std::move(file)};
}

Result<void> RemoveIfThere(io::FileSystem& files, const Path& path) {
  auto removed = files.Remove(path);
  if (removed.ok() || removed.error().code == ErrorCode::kNotFound) return {};
  return removed;
}

}  // namespace

Result<SegmentFile> PrepareSegment(io::Env env, const LogPaths& paths, const SegmentRequest& request) {
  RETURN_IF_ERROR(RemoveIfThere(env.files, paths.preparing()));  // left by a crash
  auto made = Prepare(env, paths, request);
  if (!made.ok()) RETURN_IF_ERROR(RemoveIfThere(env.files, paths.preparing()));
  return made;
}

Result<SegmentFile> OpenSegment(io::Env env, const LogPaths& paths, SegmentNumber number, bool recycled) {
  ASSIGN_OR_RETURN(std::shared_ptr<io::File> file, env.files.Open(paths.segment(number), {io::OpenMode::kReadWrite, true}));
  ASSIGN_OR_RETURN(uint64_t bytes, file->Size());
  return SegmentFile{number, bytes, recycled, std::move(file)};
}

Result<void> RetireSegment(io::Env env, const LogPaths& paths, SegmentNumber number) {
  RETURN_IF_ERROR(env.files.Rename(paths.segment(number), paths.spare(number)));
  return env.files.SyncDirectory(paths.journal);
}

}  // namespace sluice::log
