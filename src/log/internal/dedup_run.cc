// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_run.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::log {
namespace {

constexpr uint64_t kRunMagic = 0x5055444544434c53;  // "SLCDEDUP"
constexpr size_t kHeaderSize = 96;                   // of the 4 KiB in front
constexpr size_t kEntrySize = 24;
constexpr size_t kBlockHeaderSize = 8;
constexpr size_t kBlockEntries = (kBlock - kBlockHeaderSize) / kEntrySize;
constexpr size_t kBlocksAtOnce = 256;
constexpr size_t kPrefetchAhead = 16;
constexpr size_t kIndexEntrySize = 16;
constexpr size_t kFilterLineBytes = 64;
constexpr size_t kFilterWords = kFilterLineBytes / sizeof(uint64_t);
constexpr size_t kFilterBytesPerKey = 3;
constexpr size_t kFilterBits = 8;  // set per key, all in one line
constexpr std::string_view kRunSuffix = ".run";

size_t FilterLines(size_t keys) { return keys * kFilterBytesPerKey / kFilterLineBytes + 1; }
size_t BlockCount(size_t keys) { return (keys + kBlockEntries - 1) / kBlockEntries; }

size_t FilterLine(const DedupKey& key, size_t lines) {
  return static_cast<size_t>((key.low >> 32) * lines >> 32);  // fewer than 2^32 lines
}
// Bit i of a key in its line: nine bits of the half that does not choose the line.
size_t FilterBit(const DedupKey& key, size_t i) {
  return i < 7 ? key.high >> (9 * i) & 511 : (key.low & 511);
}

std::vector<uint64_t> MakeFilter(const std::vector<DedupEntry>& entries) {
  size_t lines = FilterLines(entries.size());
  std::vector<uint64_t> filter(lines * kFilterWords);
  for (size_t at = 0; at < entries.size(); at++) {
    if (at + kPrefetchAhead < entries.size()) __builtin_prefetch(&filter[FilterLine(entries[at + kPrefetchAhead].key, lines) * kFilterWords], 1);
    uint64_t* line = &filter[FilterLine(entries[at].key, lines) * kFilterWords];
    for (size_t i = 0; i < kFilterBits; i++) {
      size_t bit = FilterBit(entries[at].key, i);
      line[bit / 64] |= uint64_t{1} << bit % 64;
    }
  }
  return filter;
}

std::string_view BytesOf(const std::vector<uint64_t>& words) { return {reinterpret_cast<const char*>(words.data()), words.size() * 8}; }

// Entries are in memory as they are in the file: high, low, place.
static_assert(sizeof(DedupEntry) == kEntrySize && std::is_trivially_copyable_v<DedupEntry>);

// `to`: kBlock bytes.
void EncodeBlock(const DedupEntry* entries, size_t count, char* to) {
  std::memset(to, 0, kBlock);
  base::PutLittle(to + 4, static_cast<uint32_t>(count));
  std::memcpy(to + kBlockHeaderSize, entries, count * kEntrySize);
  base::PutLittle(to, base::Crc32c(to + 4, kBlock - 4));
}

// Piece by piece: a run is as large as the memory that it frees.
Result<void> WriteBlocks(io::File& file, const std::vector<DedupEntry>& entries) {
  std::string piece(kBlocksAtOnce * kBlock, '\0');
  uint64_t at = kBlock;
  for (size_t first = 0; first < entries.size();) {
    size_t bytes = 0;
    for (; bytes < piece.size() && first < entries.size(); bytes += kBlock) {
      const size_t count = std::min(kBlockEntries, entries.size() - first);
      EncodeBlock(&entries[first], count, piece.data() + bytes);
      first += count;
    }
    RETURN_IF_ERROR(file.Write(at, std::string_view(piece).substr(0, bytes)));
    at += bytes;
  }
  return {};
}

std::string EncodeIndex(const std::vector<DedupEntry>& entries) {
  std::string index;
  for (size_t i = 0; i < entries.size(); i += kBlockEntries) {
    base::AppendLittle(index, entries[i].key.high);
    base::AppendLittle(index, entries[i].key.low);
  }
  return index;
}

std::string EncodeHeader(const JournalId& journal, const DedupRunRange& range, uint64_t keys, uint32_t index_crc, uint32_t filter_crc) {
  std::string to;
  base::AppendLittle(to, kRunMagic);
  base::AppendLittle(to, kJournalFormatVersion);
  base::AppendLittle(to, uint32_t{0});
  to.append(journal.data(), journal.size());
  base::AppendLittle(to, range.first.get());
  base::AppendLittle(to, range.last.get());
  base::AppendLittle(to, range.oldest.us);
  base::AppendLittle(to, range.newest.us);
  base::AppendLittle(to, keys);
  base::AppendLittle(to, index_crc);
  base::AppendLittle(to, filter_crc);
  to.resize(kHeaderSize - 4, '\0');
  base::AppendLittle(to, base::Crc32c(to));
  to.resize(kBlock, '\0');
  return to;
}

Error Damaged(const Path& path, std::string_view what) {
  return Error{ErrorCode::kCorruption, "dedup run '" + path + "' is damaged: " + std::string(what), "restore the file from a backup"};
}

Path RunPath(const LogPaths& paths, const DedupRunRange& range) {
  return base::JoinPath(paths.dedup, std::to_string(range.first.get()) + "-" + std::to_string(range.last.get()) + std::string(kRunSuffix));
}

}  // namespace

Result<std::shared_ptr<const DedupRun>> DedupRun::Write(io::FileSystem& files, const LogPaths& paths, const JournalId& journal,
                                                        const DedupRunRange& range, const std::vector<DedupEntry>& entries) {
  RETURN_IF_ERROR(files.CreateDirectories(paths.dedup));
  std::string index = EncodeIndex(entries);
  auto filter = MakeFilter(entries);
  const std::string header = EncodeHeader(journal, range, entries.size(), base::Crc32c(index), base::Crc32c(BytesOf(filter)));
  const uint64_t index_at = kBlock + BlockCount(entries.size()) * kBlock;
  auto write = [&](io::File& file) -> Result<void> {
    RETURN_IF_ERROR(file.Write(0, header));
    RETURN_IF_ERROR(WriteBlocks(file, entries));
    RETURN_IF_ERROR(file.Write(index_at, index));
    return file.Write(index_at + index.size(), BytesOf(filter));
  };
  RETURN_IF_ERROR(io::WriteFileAtomically(files, RunPath(paths, range), write));
  return Open(files, RunPath(paths, range), journal);
}

Result<std::shared_ptr<const DedupRun>> DedupRun::Open(io::FileSystem& files, const Path& path, const JournalId& journal) {
  std::shared_ptr<DedupRun> run(new DedupRun);
  run->path_ = path;
  ASSIGN_OR_RETURN(run->file_, files.Open(path, {io::OpenMode::kRead}));
  RETURN_IF_ERROR(run->ReadHeader(journal));
  return std::shared_ptr<const DedupRun>(std::move(run));
}

Result<void> DedupRun::ReadHeader(const JournalId& journal) {
  ASSIGN_OR_RETURN(file_bytes_, file_->Size());
  std::string header(kBlock, '\0');
  ASSIGN_OR_RETURN(size_t got, file_->Read(0, header));
  if (got < kBlock) return Damaged(path_, "too short");
  base::ByteReader r(std::string_view(header).substr(32));
  range_.first = CommitSequence(r.Get<uint64_t>());
  range_.last = CommitSequence(r.Get<uint64_t>());
  range_.oldest = Timestamp{r.Get<int64_t>()};
  range_.newest = Timestamp{r.Get<int64_t>()};
  keys_ = r.Get<uint64_t>();
  uint32_t index_crc = r.Get<uint32_t>(), filter_crc = r.Get<uint32_t>();
  if (EncodeHeader(journal, range_, keys_, index_crc, filter_crc) != header) return Damaged(path_, "the header, or it belongs to another journal");
  size_t index_bytes = BlockCount(keys_) * kIndexEntrySize, filter_bytes = FilterLines(keys_) * kFilterLineBytes;
  uint64_t index_at = kBlock + BlockCount(keys_) * kBlock;
  if (file_bytes_ != index_at + index_bytes + filter_bytes) return Damaged(path_, "its size");
  std::string index(index_bytes, '\0'), filter(filter_bytes, '\0');
  RETURN_IF_ERROR(file_->Read(index_at, index));
  RETURN_IF_ERROR(file_->Read(index_at + index_bytes, filter));
  if (base::Crc32c(index) != index_crc || base::Crc32c(filter) != filter_crc) return Damaged(path_, "the index or the filter");
  base::ByteReader keys(index);
  while (keys.left() > 0) {
    uint64_t high = keys.Get<uint64_t>();
    first_keys_.push_back({high, keys.Get<uint64_t>()});
  }
  filter_.resize(filter_bytes / 8);
  std::memcpy(filter_.data(), filter.data(), filter_bytes);
  return {};
}

void DedupRun::Prefetch(const DedupKey& key) const {
  __builtin_prefetch(&filter_[FilterLine(key, filter_.size() / kFilterWords) * kFilterWords]);
}

bool DedupRun::MayHold(const DedupKey& key) const {
  const uint64_t* line = &filter_[FilterLine(key, filter_.size() / kFilterWords) * kFilterWords];
  for (size_t i = 0; i < kFilterBits; i++) {
    size_t bit = FilterBit(key, i);
    if ((line[bit / 64] >> bit % 64 & 1) == 0) return false;
  }
  return true;
}

Result<void> DedupRun::ReadBlock(size_t block, std::vector<DedupEntry>& entries) const {
  uint64_t at = kBlock * (1 + block);
  std::string bytes(kBlock, '\0');
  ASSIGN_OR_RETURN(size_t got, file_->Read(at, bytes));
  base::ByteReader r(bytes);
  uint32_t crc = r.Get<uint32_t>(), count = r.Get<uint32_t>();
  if (got != kBlock || crc != base::Crc32c(std::string_view(bytes).substr(4)) || count > kBlockEntries) {
    return Damaged(path_, "the block at byte " + std::to_string(at));
  }
  for (uint32_t i = 0; i < count; i++) {
    DedupKey key;
    key.high = r.Get<uint64_t>();
    key.low = r.Get<uint64_t>();
    entries.push_back({key, DedupPlace(r.Get<uint64_t>())});
  }
  return {};
}

Result<DedupPlace> DedupRun::Find(const DedupKey& key) const {
  auto after = std::upper_bound(first_keys_.begin(), first_keys_.end(), key);
  if (after == first_keys_.begin()) return DedupPlace();
  std::vector<DedupEntry> entries;
  RETURN_IF_ERROR(ReadBlock(static_cast<size_t>(after - first_keys_.begin()) - 1, entries));
  auto found = std::lower_bound(entries.begin(), entries.end(), key, [](const DedupEntry& e, const DedupKey& k) { return e.key < k; });
  return found != entries.end() && found->key == key ? found->place : DedupPlace();
}

Result<std::vector<DedupEntry>> DedupRun::ReadAll() const {
  std::vector<DedupEntry> entries;
  entries.reserve(keys_);
  for (size_t block = 0; block < first_keys_.size(); block++) RETURN_IF_ERROR(ReadBlock(block, entries));
  return entries;
}

Result<std::vector<std::shared_ptr<const DedupRun>>> OpenDedupRuns(io::FileSystem& files, const LogPaths& paths, const JournalId& journal,
                                                                   std::vector<Path>& obsolete) {
  std::vector<std::shared_ptr<const DedupRun>> all, runs;
  ASSIGN_OR_RETURN(bool there, io::Exists(files, paths.dedup));
  if (!there) return runs;
  ASSIGN_OR_RETURN(auto names, files.List(paths.dedup));
  for (const auto& name : names) {
    if (!name.ends_with(kRunSuffix)) continue;
    ASSIGN_OR_RETURN(auto run, DedupRun::Open(files, base::JoinPath(paths.dedup, name), journal));
    all.push_back(std::move(run));
  }
  // The longest of those that begin together comes first.
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a->range().first != b->range().first ? a->range().first < b->range().first : a->range().last > b->range().last;
  });
  for (auto& run : all) {
    if (!runs.empty() && run->range().last <= runs.back()->range().last) {
      obsolete.push_back(run->path());
    } else if (!runs.empty() && run->range().first != runs.back()->range().last + 1) {
      return Error{ErrorCode::kCorruption, "a dedup run between '" + runs.back()->path() + "' and '" + run->path() + "' is missing",
                   "restore the directory '" + paths.dedup + "' from a backup; without the file duplicates would be taken twice"};
    } else {
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

}  // namespace sluice::log
