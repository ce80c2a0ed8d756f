// SPDX-License-Identifier: Apache-2.0
#include "table/hot_tail.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::table {
namespace {

constexpr size_t kCheckedAtOnce = size_t{256} << 10;

}  // namespace

// ---- chunks ----------------------------------------------------------------------------------------------------------------

HotChunk::HotChunk(uint64_t id, std::unique_ptr<io::SharedRegion> region, ChunkMemory& memory)
    : id_(id), region_(std::move(region)), memory_(memory), writer_(region_->bytes()) {}

HotChunk::HotChunk(uint64_t id, std::unique_ptr<io::SharedBytes> file, std::vector<StoredPart> parts, ChunkMemory& memory)
    : id_(id), file_(std::move(file)), parts_(std::move(parts)), memory_(memory) {}

HotChunk::~HotChunk() {
  if (file_ != nullptr) memory_.GiveBackFile(std::move(file_));
  else memory_.GiveBack(std::move(region_));
}

// Of rows [first, end).
void HotChunk::NoteTypes(uint32_t first, uint32_t end) {
  const StringView* views = writer_->views(EventColumn::kType);
  auto is_seen = [this](const StringView& view) {
    return std::any_of(seen_types_.begin(), seen_types_.end(),
                       [&](const StringView& seen) { return std::memcmp(&seen, &view, sizeof view) == 0; });
  };
  for (uint32_t row = first; row < end && types_known_; row++) {
    if (is_seen(views[row])) continue;
    seen_types_[seen_next_++ % seen_types_.size()] = views[row];
    types_.emplace(writer_->Text(views[row]));
    types_known_ = types_.size() <= kTypesTracked;
  }
}

Result<void> HotChunk::Check() const {
  std::vector<char> piece(kCheckedAtOnce);
  for (auto& part : parts_) {
    uint32_t crc = 0;
    for (uint64_t done = 0; done < part.bytes;) {
      const std::span<char> to(piece.data(), std::min<uint64_t>(piece.size(), part.bytes - done));
      RETURN_IF_ERROR(stored().Read(part.at + done, to));
      crc = base::Crc32c(std::string_view(to.data(), to.size()), crc);
      done += to.size();
    }
    if (crc != part.crc32c)
      return Error{ErrorCode::kCorruption, "a file of hot rows is damaged: the disk gives back other bytes than it was given",
                   "restart the server: rows are laid into memory from the log"};
  }
  return {};
}

HotChunkReader HotChunk::reader() const {
  auto reader = HotChunkReader::Open(stored().view());
  CHECK(reader.ok(), "a hot chunk of our own that cannot be read");
  return *reader;
}

// ---- the writing thread ----------------------------------------------------------------------------------------------------

HotTail::HotTail(ChunkMemory& memory, PartitionOffsets begin) : memory_(memory), visible_end_(std::move(begin)) {}

Result<void> HotTail::OpenChunk() {
  ASSIGN_OR_RETURN(auto region, memory_.Take());
  open_ = std::make_shared<HotChunk>(memory_.NextChunkId(), std::move(region), memory_);
  std::lock_guard lock(mutex_);
  HotEntry entry;
  entry.chunk = open_;
  entries_.push_back(std::move(entry));
  return {};
}

Result<void> HotTail::Append(const EventRows& rows, log::CommitSequence sequence) {
  if (open_ != nullptr && !open_->writer_->Fits(rows)) Close();
  for (size_t first = 0; first < rows.rows.size();) {
    if (open_ == nullptr) RETURN_IF_ERROR(OpenChunk());
    const size_t n = open_->writer_->Append(rows, first);
    if (n == 0) {
      CHECK(open_->writer_->rows() > 0, "an event that does not fit into an empty chunk");
      {
        std::lock_guard lock(mutex_);
        entries_.back().splits_frame = true;
      }
      Close();
      continue;
    }
    Record(rows, first, n, sequence);
    first += n;
  }
  return {};
}

// Tells the other threads of rows that the chunk took.
void HotTail::Record(const EventRows& rows, size_t first, size_t n, log::CommitSequence sequence) {
  auto& chunk = *open_;
  chunk.NoteTypes(chunk.writer_->rows() - static_cast<uint32_t>(n), chunk.writer_->rows());
  const auto end = rows.base_offset + static_cast<int64_t>(first + n);
  std::lock_guard lock(mutex_);
  HotEntry& entry = entries_.back();
  if (entry.rows_appended == 0) entry.first_append_us = rows.append_time.us;
  entry.rows_appended = chunk.writer_->rows();
  entry.begin.try_emplace(rows.partition, rows.base_offset + static_cast<int64_t>(first));
  entry.end[rows.partition] = end;
  entry.time_us_min = chunk.writer_->time_us_min();
  entry.time_us_max = chunk.writer_->time_us_max();
  if (!chunk.types_known_) entry.types.clear();
  else if (entry.types.size() != chunk.types_.size()) entry.types.assign(chunk.types_.begin(), chunk.types_.end());
  if (!pending_.empty() && pending_.back().sequence == sequence && pending_.back().chunk_id == chunk.id_)
    pending_.back().rows = entry.rows_appended;
  else pending_.push_back({sequence, chunk.id_, entry.rows_appended});
  pending_ends_.push_back({sequence, {rows.partition, end}});
}

void HotTail::Publish(log::CommitSequence sequence) {
  std::lock_guard lock(mutex_);
  auto entry = entries_.begin();
  for (; !pending_.empty() && pending_.front().sequence <= sequence; pending_.pop_front()) {
    while (entry != entries_.end() && entry->chunk->id() != pending_.front().chunk_id) ++entry;
    CHECK(entry != entries_.end(), "rows became durable in a chunk that has left");
    entry->rows_visible = pending_.front().rows;
  }
  for (; !pending_ends_.empty() && pending_ends_.front().first <= sequence; pending_ends_.pop_front())
    visible_end_[pending_ends_.front().second.first] = pending_ends_.front().second.second;
}

void HotTail::Close() {
  if (open_ == nullptr || open_->writer_->rows() == 0) return;
  open_.reset();
  std::lock_guard lock(mutex_);
  entries_.back().closed = true;
}

// ---- older rows --------------------------------------------------------------------------------------------------------------

void HotTail::AwaitOlder(const PartitionOffsets& border) {
  std::lock_guard lock(mutex_);
  CHECK(entries_.empty() && !awaits_older_, "rows came before it was known which ones are older");
  awaits_older_ = true;
  for (auto& [partition, offset] : border) visible_end_[partition] = offset;
}

std::deque<HotEntry> HotTail::TakeWhole() {
  std::lock_guard lock(mutex_);
  size_t whole = 0;
  for (size_t i = 0; i < entries_.size() && entries_[i].is_whole(); i++)
    if (!entries_[i].splits_frame) whole = i + 1;
  const auto end = entries_.begin() + static_cast<ptrdiff_t>(whole);
  std::deque<HotEntry> out(std::make_move_iterator(entries_.begin()), std::make_move_iterator(end));
  entries_.erase(entries_.begin(), end);
  return out;
}

void HotTail::AddOlder(std::deque<HotEntry> entries) {
  std::lock_guard lock(mutex_);
  CHECK(awaits_older_, "older rows that nobody awaits");
  for (auto& entry : entries) older_.push_back(std::move(entry));
}

void HotTail::EndOlder() {
  std::lock_guard lock(mutex_);
  CHECK(awaits_older_, "the end of older rows that nobody awaits");
  awaits_older_ = false;
  entries_.insert(entries_.begin(), std::make_move_iterator(older_.begin()), std::make_move_iterator(older_.end()));
  older_.clear();
}

bool HotTail::awaits_older() const {
  std::lock_guard lock(mutex_);
  return awaits_older_;
}

// ---- files -------------------------------------------------------------------------------------------------------------------

// REQUIRES: mutex_ is held. Null: there is none.
std::shared_ptr<HotChunk> HotTail::FindInMemory(Which which) const {
  std::shared_ptr<HotChunk> found;
  ForEach([&](const HotEntry& e) {
    if (e.is_whole() && !e.chunk->in_file() && (found == nullptr || which == Which::kNewest)) found = e.chunk;
  });
  return found;
}

Result<bool> HotTail::MoveToFile(Which which) {
  std::shared_ptr<HotChunk> from;  // freed after the lock
  {
    std::lock_guard lock(mutex_);
    from = FindInMemory(which);
  }
  if (from == nullptr) return false;
  const auto bytes = from->stored().view();
  const auto& writer = *from->writer_;
  const ChunkMemory::Part parts[] = {{0, bytes.subspan(0, writer.heap_end())},
                                     {writer.optional_begin(), bytes.subspan(writer.optional_begin())}};
  std::vector<StoredPart> stored;
  for (auto& part : parts) stored.push_back({part.at, part.bytes.size(), base::Crc32c(part.bytes.data(), part.bytes.size())});
  ASSIGN_OR_RETURN(auto file, memory_.WriteFile(parts));
  auto to = std::make_shared<HotChunk>(memory_.NextChunkId(), std::move(file), std::move(stored), memory_);
  std::lock_guard lock(mutex_);
  for (auto* list : {&older_, &entries_})
    for (auto& entry : *list)
      if (entry.chunk == from) {
        entry.chunk = std::move(to);
        return true;
      }
  return true;  // its rows came to their table meanwhile
}

// ---- any thread ------------------------------------------------------------------------------------------------------------

HotChunkView HotTail::ViewOf(const HotEntry& entry) {
  return {entry.chunk, entry.rows_visible, entry.time_us_min, entry.time_us_max, entry.types};
}

std::vector<HotChunkView> HotTail::View() const {
  std::lock_guard lock(mutex_);
  std::vector<HotChunkView> out;
  out.reserve(entries_.size());
  ForEach([&](const HotEntry& e) {
    if (e.rows_visible > 0) out.push_back(ViewOf(e));
  });
  return out;
}

HotSlice HotTail::Slice(uint64_t rows_max) const {
  std::lock_guard lock(mutex_);
  HotSlice out;
  size_t whole = 0;  // chunks up to the newest border between frames
  uint64_t rows = 0;
  PartitionOffsets end;
  for (auto& e : Sliceable()) {
    if (!e.is_whole()) break;
    if (whole > 0 && rows + e.rows_visible > rows_max) break;
    out.chunks.push_back(ViewOf(e));
    out.begin.insert(e.begin.begin(), e.begin.end());  // keeps the oldest
    for (auto& [partition, offset] : e.end) end[partition] = offset;
    rows += e.rows_visible;
    if (e.splits_frame) continue;
    whole = out.chunks.size();
    out.rows = rows;
    out.end = end;
  }
  out.chunks.resize(whole);
  return out;
}

bool HotTail::Covers(const PartitionOffsets& progress, const HotEntry& entry) {
  return entry.is_whole() && std::all_of(entry.end.begin(), entry.end.end(), [&](auto& p) {
           auto at = progress.find(p.first);
           return at != progress.end() && p.second <= at->second;
         });
}

bool HotTail::Fits(const PartitionOffsets& progress, const PartitionOffsets& from) const {
  std::lock_guard lock(mutex_);
  bool fits = true;
  ForEach([&](const HotEntry& e) {
    fits = fits && (Covers(progress, e) || std::all_of(e.begin.begin(), e.begin.end(), [&](auto& p) {
                      auto at = progress.find(p.first);
                      return at == progress.end() || at->second <= p.second;
                    }));
  });
  if (!awaits_older_) return fits;
  PartitionOffsets loaded = from;
  for (auto& e : older_)
    for (auto& [partition, end] : e.end) loaded[partition] = end;
  return fits && std::all_of(progress.begin(), progress.end(), [&](auto& p) {
           auto at = loaded.find(p.first);
           return p.second <= (at == loaded.end() ? log::Offset(0) : at->second);
         });
}

void HotTail::Clear() {
  open_.reset();
  std::deque<HotEntry> dropped;  // freed after the lock: their memory has a lock of its own
  std::lock_guard lock(mutex_);
  CHECK(!awaits_older_, "rows were forgotten while older ones were loaded");
  dropped.swap(entries_);
  pending_.clear();
  pending_ends_.clear();
}

void HotTail::Drop(const PartitionOffsets& progress) {
  std::vector<std::shared_ptr<HotChunk>> dropped;  // freed after the lock: their memory has a lock of its own
  std::lock_guard lock(mutex_);
  for (auto* list : {&older_, &entries_})
    std::erase_if(*list, [&](HotEntry& e) {
      if (!Covers(progress, e)) return false;
      dropped.push_back(std::move(e.chunk));
      return true;
    });
  // After a start with an empty log behind the table nothing was laid in: the table's end is where the rows end.
  for (auto& [partition, offset] : progress) {
    auto& end = visible_end_[partition];
    end = std::max(end, offset);
  }
}

uint64_t HotTail::rows_visible() const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0;
  ForEach([&](const HotEntry& e) { rows += e.rows_visible; });
  return rows;
}

uint64_t HotTail::rows_sliceable() const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0, whole = 0;
  for (auto& e : Sliceable()) {
    if (!e.is_whole()) break;
    rows += e.rows_visible;
    if (!e.splits_frame) whole = rows;
  }
  return whole;
}

bool HotTail::has_pending() const {
  std::lock_guard lock(mutex_);
  return !pending_.empty();
}

uint64_t HotTail::chunk_count() const {
  std::lock_guard lock(mutex_);
  return older_.size() + entries_.size();
}

HotBytes HotTail::bytes() const {
  std::lock_guard lock(mutex_);
  HotBytes out;
  ForEach([&](const HotEntry& e) { (e.chunk->in_file() ? out.files : out.memory) += e.chunk->bytes(); });
  return out;
}

PartitionOffsets HotTail::first_rows() const {
  std::lock_guard lock(mutex_);
  PartitionOffsets out;
  ForEach([&](const HotEntry& e) { out.insert(e.begin.begin(), e.begin.end()); });  // keeps the oldest
  return out;
}

PartitionOffsets HotTail::visible_end() const {
  std::lock_guard lock(mutex_);
  return visible_end_;
}

int64_t HotTail::oldest_append_us() const {
  std::lock_guard lock(mutex_);
  const auto& list = older_.empty() ? entries_ : older_;
  return list.empty() || list.front().rows_visible == 0 ? 0 : list.front().first_append_us;
}

}  // namespace sluice::table
