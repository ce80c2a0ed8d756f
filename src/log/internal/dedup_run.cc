// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_run.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "log/internal/dedup_filter.h"

namespace sluice::log {
namespace {

constexpr uint64_t kRunMagic = 0x5055444544434c53;  // "SLCDEDUP"
constexpr uint32_t kRunFormatVersion = 3;
constexpr size_t kHeaderSize = 96;  // of the 4 KiB in front
constexpr size_t kEntrySize = 24;
constexpr size_t kBlockHeaderSize = 8;
constexpr size_t kBlockEntries = (kBlock - kBlockHeaderSize) / kEntrySize;
constexpr size_t kBlocksAtOnce = 256;     // are written: 1 MiB
constexpr size_t kBlocksReadAtOnce = 64;  // of each of the runs that are merged
// Larger runs are written past the page cache, whose new pages are dear. What is sent twice is mostly sent again soon: the newest runs
// are found in it.
constexpr size_t kCachedKeysMax = 2'000'000;
constexpr size_t kFilterLinesAtOnce = 4096;
static_assert(kFilterLinesAtOnce * sizeof(DedupFilterLine) % io::kDirectAlignment == 0 && kBlock % io::kDirectAlignment == 0);
constexpr size_t kIndexEntrySize = 16;
constexpr std::string_view kRunSuffix = ".run";
constexpr std::string_view kUnfinishedSuffix = ".run.tmp";  // as io::WriteFileAtomically names it

size_t BlockCount(size_t keys) { return (keys + kBlockEntries - 1) / kBlockEntries; }

size_t FilterBytes(size_t keys) { return FilterLines(keys) * sizeof(DedupFilterLine); }

// What the checksum of a block begins with, so that a block of another place, where the disk may have put it, is not taken for this one.
uint32_t BlockSeed(const DedupRunRange& range, uint64_t block) {
  std::string place;
  base::AppendLittle(place, range.first.get());
  base::AppendLittle(place, range.last.get());
  base::AppendLittle(place, block);
  return base::Crc32c(place);
}

// Entries are in memory as they are in the file: high, low, place.
static_assert(sizeof(DedupEntry) == kEntrySize && std::is_trivially_copyable_v<DedupEntry>);
// So are first keys; behind a filter, whose lines end where a key may begin.
static_assert(sizeof(DedupKey) == kIndexEntrySize && sizeof(DedupFilterLine) % alignof(DedupKey) == 0);

// Blocks and filter go to the file piece by piece, each to its place; the index grows meanwhile. All in whole blocks of aligned memory,
// because the file may be uncached.
class RunWriter {
 public:
  RunWriter(io::File& file, const DedupRunRange& range, size_t keys)
      : file_(file),
        range_(range),
        keys_left_(keys),
        filter_lines_(FilterLines(keys)),
        filter_at_(kBlock + BlockCount(keys) * kBlock),
        filter_(kFilterLinesAtOnce),
        piece_(kBlocksAtOnce * kBlock) {
    index_.reserve(BlockCount(keys) * kIndexEntrySize);
  }

  Result<void> Add(std::span<const DedupEntry> entries) {
    CHECK(entries.size() <= keys_left_, "more keys than there were said to be");
    keys_left_ -= entries.size();
    for (auto& entry : entries) {
      RETURN_IF_ERROR(AddToFilterPiece(entry.key));
      if (in_block_ == 0) {
        base::AppendLittle(index_, entry.key.high);
        base::AppendLittle(index_, entry.key.low);
      }
      std::memcpy(block() + kBlockHeaderSize + in_block_ * kEntrySize, &entry, kEntrySize);
      if (++in_block_ == kBlockEntries) RETURN_IF_ERROR(EndBlock());
    }
    return {};
  }

  // Answers the checksums of index and filter.
  Result<std::pair<uint32_t, uint32_t>> Finish() {
    CHECK(keys_left_ == 0, "fewer keys than there were said to be");
    if (in_block_ > 0) RETURN_IF_ERROR(EndBlock());
    RETURN_IF_ERROR(Flush());
    while (filter_lines_ - filter_first_ >= filter_.size()) RETURN_IF_ERROR(FlushFilter());
    RETURN_IF_ERROR(WriteEnd());
    return std::pair(base::Crc32c(index_), filter_crc_);
  }

 private:
  char* block() { return piece_.begin() + blocks_ * kBlock; }

  // Keys ascend, and so do their lines.
  Result<void> AddToFilterPiece(const DedupKey& key) {
    const size_t line = FilterLineOf(key, filter_lines_);
    while (line >= filter_first_ + filter_.size()) RETURN_IF_ERROR(FlushFilter());
    AddToFilter(filter_[line - filter_first_], DedupFilterBits(key));
    return {};
  }

  std::string_view FilterBytesOf(size_t lines) const {
    return {reinterpret_cast<const char*>(filter_.begin()), lines * sizeof(DedupFilterLine)};
  }

  Result<void> FlushFilter() {
    const auto bytes = FilterBytesOf(filter_.size());
    RETURN_IF_ERROR(file_.Write(filter_at_, bytes));
    filter_crc_ = base::Crc32c(bytes, filter_crc_);
    filter_at_ += bytes.size();
    filter_first_ += filter_.size();
    filter_.Clear();
    return {};
  }

  // The last lines of the filter, and the index behind them.
  Result<void> WriteEnd() {
    const auto lines = FilterBytesOf(filter_lines_ - filter_first_);
    filter_crc_ = base::Crc32c(lines, filter_crc_);
    const size_t size = lines.size() + index_.size();
    base::LargeArray<char> end((size + kBlock - 1) / kBlock * kBlock);
    std::memcpy(end.begin(), lines.data(), lines.size());
    std::memcpy(end.begin() + lines.size(), index_.data(), index_.size());
    RETURN_IF_ERROR(file_.Write(filter_at_, {end.begin(), end.size()}));
    return file_.Truncate(filter_at_ + size);
  }

  Result<void> EndBlock() {
    const size_t used = kBlockHeaderSize + in_block_ * kEntrySize;
    std::memset(block() + used, 0, kBlock - used);
    base::PutLittle(block() + 4, static_cast<uint32_t>(in_block_));
    base::PutLittle(block(), base::Crc32c(std::string_view(block() + 4, kBlock - 4), BlockSeed(range_, blocks_before_++)));
    in_block_ = 0;
    return ++blocks_ == kBlocksAtOnce ? Flush() : Result<void>();
  }

  Result<void> Flush() {
    const std::string_view bytes(piece_.begin(), blocks_ * kBlock);
    RETURN_IF_ERROR(file_.Write(at_, bytes));
    at_ += bytes.size();
    blocks_ = 0;
    return {};
  }

  io::File& file_;
  const DedupRunRange range_;
  uint64_t blocks_before_ = 0;  // in the file and in piece_
  size_t keys_left_;
  const size_t filter_lines_;
  size_t filter_first_ = 0;  // the line that filter_ begins with
  uint64_t filter_at_;       // where it goes
  uint32_t filter_crc_ = 0;  // of the lines before it
  base::LargeArray<DedupFilterLine> filter_;
  std::string index_;
  base::LargeArray<char> piece_;
  size_t blocks_ = 0, in_block_ = 0;  // in piece_; in the block behind them
  uint64_t at_ = kBlock;
};

std::string EncodeHeader(const JournalId& journal, const DedupRunRange& range, uint64_t keys, uint32_t index_crc, uint32_t filter_crc) {
  std::string to;
  base::AppendLittle(to, kRunMagic);
  base::AppendLittle(to, kRunFormatVersion);
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

Result<std::shared_ptr<const DedupRun>> DedupRun::Write(io::Env env, const LogPaths& paths, const JournalId& journal,
                                                        const DedupRunRange& range, size_t keys, DedupEntries& entries) {
  RETURN_IF_ERROR(env.files.CreateDirectories(paths.dedup));
  auto write = [&](io::File& file) -> Result<void> {
    RunWriter writer(file, range, keys);
    for (;;) {
      ASSIGN_OR_RETURN(auto some, entries.Next());
      if (some.empty()) break;
      RETURN_IF_ERROR(writer.Add(some));
    }
    ASSIGN_OR_RETURN(auto checksums, writer.Finish());
    base::LargeArray<char> header(kBlock);
    std::memcpy(header.begin(), EncodeHeader(journal, range, keys, checksums.first, checksums.second).data(), kBlock);
    return file.Write(0, {header.begin(), header.size()});
  };
  const Path path = RunPath(paths, range);
  auto written = io::WriteFileAtomically(env.files, path, write, {.uncached = keys > kCachedKeysMax});
  auto run = written.ok() ? Open(env, path, journal) : Result<std::shared_ptr<const DedupRun>>(written.error());
  // It may have its name already. What nobody knows of would be damage, or the edge of a gap, to a later start.
  if (!run.ok()) (void)env.files.Remove(path).ok();
  return run;
}

Result<std::shared_ptr<const DedupRun>> DedupRun::Open(io::Env env, const Path& path, const JournalId& journal) {
  std::shared_ptr<DedupRun> run(new DedupRun(env.files));
  run->path_ = path;
  ASSIGN_OR_RETURN(run->file_, env.files.Open(path, {io::OpenMode::kRead}));
  RETURN_IF_ERROR(run->ReadHeader(env.memory, journal));
  return std::shared_ptr<const DedupRun>(std::move(run));
}

Result<void> DedupRun::ReadHeader(io::SharedMemory& memory, const JournalId& journal) {
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
  if (EncodeHeader(journal, range_, keys_, index_crc, filter_crc) != header)
    return Damaged(path_, "the header, or it belongs to another journal");
  const size_t index_bytes = BlockCount(keys_) * kIndexEntrySize, filter_bytes = FilterBytes(keys_);
  const uint64_t filter_at = kBlock + BlockCount(keys_) * kBlock;
  if (file_bytes_ != filter_at + filter_bytes + index_bytes) return Damaged(path_, "its size");
  ASSIGN_OR_RETURN(mapped_, memory.MapFile(*file_));
  if (mapped_->view().size() < file_bytes_) return Damaged(path_, "its size");
  const std::string_view filter(mapped_->view().data() + filter_at, filter_bytes), index(filter.data() + filter_bytes, index_bytes);
  if (base::Crc32c(index) != index_crc || base::Crc32c(filter) != filter_crc) return Damaged(path_, "the index or the filter");
  first_keys_ = {reinterpret_cast<const DedupKey*>(index.data()), BlockCount(keys_)};
  filter_ = {reinterpret_cast<const DedupFilterLine*>(filter.data()), FilterLines(keys_)};
  return {};
}

Result<void> DedupRun::ReadBlocks(io::File& file, size_t first, std::span<char> memory, std::vector<DedupEntry>& entries) const {
  const uint64_t begin = kBlock * (1 + first);
  ASSIGN_OR_RETURN(size_t got, file.Read(begin, memory));
  for (size_t block = 0; block < memory.size() / kBlock; block++) {
    const std::string_view one(memory.data() + block * kBlock, kBlock);
    base::ByteReader r(one);
    const uint32_t crc = r.Get<uint32_t>(), entry_count = r.Get<uint32_t>();
    if (got < (block + 1) * kBlock || crc != base::Crc32c(one.substr(4), BlockSeed(range_, first + block)) || entry_count > kBlockEntries)
      return Damaged(path_, "the block at byte " + std::to_string(begin + block * kBlock));
    const size_t before = entries.size();
    entries.resize(before + entry_count);
    std::memcpy(entries.data() + before, one.data() + kBlockHeaderSize, entry_count * kEntrySize);
  }
  return {};
}

Result<DedupPlace> DedupRun::Find(const DedupKey& key) const {
  auto after = std::upper_bound(first_keys_.begin(), first_keys_.end(), key);
  if (after == first_keys_.begin()) return DedupPlace();
  char memory[kBlock];
  std::vector<DedupEntry> entries;
  const auto block = static_cast<size_t>(after - first_keys_.begin()) - 1;
  RETURN_IF_ERROR(ReadBlocks(*file_, block, memory, entries));
  if (entries.empty() || entries.front().key != first_keys_[block])
    return Damaged(path_, "the index, which says that the block at byte " + std::to_string(kBlock * (1 + block)) + " begins with another key");
  auto found = std::lower_bound(entries.begin(), entries.end(), key, [](const DedupEntry& e, const DedupKey& k) { return e.key < k; });
  return found != entries.end() && found->key == key ? found->place : DedupPlace();
}

Result<std::span<const DedupEntry>> DedupRunEntries::Next() {
  entries_.clear();
  const size_t count = std::min(kBlocksReadAtOnce, run_.first_keys_.size() - block_);
  if (count == 0) return std::span<const DedupEntry>();
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(file_, run_.files_.Open(run_.path(), {.mode = io::OpenMode::kRead, .uncached = true}));
    memory_ = base::LargeArray<char>(count * kBlock);
  }
  RETURN_IF_ERROR(run_.ReadBlocks(*file_, block_, {memory_.begin(), count * kBlock}, entries_));
  block_ += count;
  return std::span<const DedupEntry>(entries_);
}

Result<DedupRuns> OpenDedupRuns(io::Env env, const LogPaths& paths, const JournalId& journal, Timestamp kept_from,
                                std::vector<Path>& obsolete) {
  DedupRuns all, runs;
  ASSIGN_OR_RETURN(bool there, io::Exists(env.files, paths.dedup));
  if (!there) return runs;
  ASSIGN_OR_RETURN(auto names, env.files.List(paths.dedup));
  for (const auto& name : names) {
    if (name.ends_with(kUnfinishedSuffix)) obsolete.push_back(base::JoinPath(paths.dedup, name));
    if (!name.ends_with(kRunSuffix)) continue;
    ASSIGN_OR_RETURN(auto run, DedupRun::Open(env, base::JoinPath(paths.dedup, name), journal));
    all.push_back(std::move(run));
  }
  // The longest of those that begin together comes first.
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a->range().first != b->range().first ? a->range().first < b->range().first : a->range().last > b->range().last;
  });
  // Some overlap: a merge that failed after its file had its name left it there, and the next one began in the middle of it. Both have
  // all keys of what they cover.
  for (auto& run : all) {
    const bool is_gap = !runs.empty() && run->range().first > runs.back()->range().last + 1;
    if (is_gap && runs.back()->range().newest < kept_from) {  // what was behind it expired; its own removal failed
      for (auto& old : runs) obsolete.push_back(old->path());
      runs.clear();
    }
    if (!runs.empty() && run->range().last <= runs.back()->range().last) {
      obsolete.push_back(run->path());
    } else if (!runs.empty() && is_gap) {
      return Error{ErrorCode::kCorruption, "a dedup run between '" + runs.back()->path() + "' and '" + run->path() + "' is missing",
                   "restore the directory '" + paths.dedup + "' from a backup; without the file duplicates would be taken twice"};
    } else {
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

}  // namespace sluice::log
