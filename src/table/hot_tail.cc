// SPDX-License-Identifier: Apache-2.0
#include "table/hot_tail.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::table {
namespace {

constexpr const char* kRegionName = "sluice-hot";

}  // namespace

// ---- memory ------------------------------------------------------------------------------------------------------------

ChunkMemory::ChunkMemory(io::Env env, uint64_t bytes_max, size_t chunk_bytes)
    : env_(env), bytes_max_(bytes_max), chunk_bytes_(chunk_bytes), taken_(env.threads.NewSignal()) {}

ChunkMemory::~ChunkMemory() {
  if (thread_ == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  taken_->Notify();
  thread_->Join();
}

Result<std::unique_ptr<io::SharedRegion>> ChunkMemory::Take() {
  if (thread_ == nullptr) thread_ = env_.threads.Start("hot-memory", io::ThreadPriority::kNormal, [this] { Prepare(); });
  std::unique_ptr<io::SharedRegion> region;
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      region = std::move(free_.back());
      free_.pop_back();
    }
  }
  taken_->Notify();
  if (region != nullptr) return region;
  return Make();
}

// REQUIRES: mutex_ is held. Memory is not made ahead beyond the budget.
bool ChunkMemory::WantsMore() const { return free_.size() < kReadyMin && bytes_made_ + chunk_bytes_ <= bytes_max_; }

void ChunkMemory::Prepare() {
  for (;;) {
    taken_->Wait();
    for (bool more = true; more;) {
      {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        more = WantsMore();
      }
      if (!more) break;
      auto region = env_.memory.Create(kRegionName, chunk_bytes_);
      if (!region.ok()) break;  // whoever needs one will hear of it
      std::lock_guard lock(mutex_);
      bytes_made_ += chunk_bytes_;
      free_.push_back(std::move(*region));
    }
  }
}

Result<std::unique_ptr<io::SharedRegion>> ChunkMemory::Make() {
  {
    std::lock_guard lock(mutex_);
    bytes_made_ += chunk_bytes_;
  }
  auto region = env_.memory.Create(kRegionName, chunk_bytes_);
  if (!region.ok()) {
    std::lock_guard lock(mutex_);
    bytes_made_ -= chunk_bytes_;
  }
  return region;
}

void ChunkMemory::GiveBack(std::unique_ptr<io::SharedRegion> region) {
  std::lock_guard lock(mutex_);
  free_.push_back(std::move(region));
}

uint64_t ChunkMemory::NextChunkId() {
  std::lock_guard lock(mutex_);
  return next_chunk_id_++;
}

uint64_t ChunkMemory::bytes_used() const {
  std::lock_guard lock(mutex_);
  return bytes_made_ - free_.size() * chunk_bytes_;
}

HotChunk::HotChunk(uint64_t id, std::unique_ptr<io::SharedRegion> region, ChunkMemory& memory)
    : id_(id), region_(std::move(region)), memory_(memory), writer_(region_->bytes()) {}

HotChunk::~HotChunk() { memory_.GiveBack(std::move(region_)); }

void HotChunk::NoteType(std::string_view type) {
  if (types_.find(type) != types_.end()) return;
  types_.emplace(type);
  if (types_.size() > kTypesTracked) types_known_ = false;
}

HotChunkReader HotChunk::reader() const {
  auto reader = HotChunkReader::Open(region_->bytes());
  CHECK(reader.ok(), "a hot chunk of our own that cannot be read");
  return *reader;
}

// ---- the log's thread ----------------------------------------------------------------------------------------------------

HotTail::HotTail(ChunkMemory& memory, PartitionOffsets begin) : memory_(memory), visible_end_(std::move(begin)) {}

Result<void> HotTail::OpenChunk() {
  ASSIGN_OR_RETURN(auto region, memory_.Take());
  open_ = std::make_shared<HotChunk>(memory_.NextChunkId(), std::move(region), memory_);
  std::lock_guard lock(mutex_);
  Entry entry;
  entry.chunk = open_;
  entry.end = entries_.empty() ? visible_end_ : entries_.back().end;
  entries_.push_back(std::move(entry));
  return {};
}

Result<void> HotTail::Append(const EventRows& rows, log::CommitSequence sequence) {
  if (open_ != nullptr && !open_->writer_.Fits(rows)) Close();
  for (size_t first = 0; first < rows.rows.size();) {
    if (open_ == nullptr) RETURN_IF_ERROR(OpenChunk());
    const size_t n = open_->writer_.Append(rows, first);
    if (n == 0) {
      CHECK(open_->writer_.rows() > 0, "an event that does not fit into an empty chunk");
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
  for (size_t i = first; i < first + n && chunk.types_known_; i++) chunk.NoteType(rows.batch.Get(event::Attribute::kType, rows.rows[i]));
  const auto end = rows.base_offset + static_cast<int64_t>(first + n);
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.back();
  if (entry.rows_appended == 0) entry.first_append_us = rows.append_time.us;
  entry.rows_appended = chunk.writer_.rows();
  entry.begin.try_emplace(rows.partition, rows.base_offset + static_cast<int64_t>(first));
  entry.end[rows.partition] = end;
  entry.time_us_min = chunk.writer_.time_us_min();
  entry.time_us_max = chunk.writer_.time_us_max();
  if (!chunk.types_known_) entry.types.clear();
  else if (entry.types.size() != chunk.types_.size()) entry.types.assign(chunk.types_.begin(), chunk.types_.end());
  if (!pending_.empty() && pending_.back().sequence == sequence && pending_.back().chunk_id == chunk.id_) pending_.back().rows = entry.rows_appended;
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
  if (open_ == nullptr || open_->writer_.rows() == 0) return;
  open_.reset();
  std::lock_guard lock(mutex_);
  entries_.back().closed = true;
}

// ---- any thread ------------------------------------------------------------------------------------------------------------

HotChunkView HotTail::ViewOf(const Entry& entry) { return {entry.chunk, entry.rows_visible, entry.time_us_min, entry.time_us_max, entry.types}; }

std::vector<HotChunkView> HotTail::View() const {
  std::lock_guard lock(mutex_);
  std::vector<HotChunkView> out;
  out.reserve(entries_.size());
  for (auto& e : entries_)
    if (e.rows_visible > 0) out.push_back(ViewOf(e));
  return out;
}

HotSlice HotTail::Slice(uint64_t rows_max) const {
  std::lock_guard lock(mutex_);
  HotSlice out;
  size_t whole = 0;  // chunks up to the newest border between frames
  uint64_t rows = 0;
  for (auto& e : entries_) {
    if (!e.closed || e.rows_visible != e.rows_appended) break;
    if (whole > 0 && rows + e.rows_visible > rows_max) break;
    out.chunks.push_back(ViewOf(e));
    out.begin.insert(e.begin.begin(), e.begin.end());  // keeps the oldest
    rows += e.rows_visible;
    if (e.splits_frame) continue;
    whole = out.chunks.size();
    out.rows = rows;
    out.end = e.end;
  }
  out.chunks.resize(whole);
  return out;
}

void HotTail::Drop(const PartitionOffsets& progress) {
  std::vector<std::shared_ptr<HotChunk>> dropped;  // freed after the lock: their memory has a lock of its own
  std::lock_guard lock(mutex_);
  auto covered = [&](const Entry& e) {
    return std::all_of(e.end.begin(), e.end.end(), [&](auto& p) {
      auto at = progress.find(p.first);
      return at != progress.end() && p.second <= at->second;
    });
  };
  while (!entries_.empty() && entries_.front().closed && entries_.front().rows_visible == entries_.front().rows_appended && covered(entries_.front())) {
    dropped.push_back(std::move(entries_.front().chunk));
    entries_.pop_front();
  }
  // After a start with an empty log behind the table nothing was laid in: the table's end is where the rows end.
  for (auto& [partition, offset] : progress) {
    auto& end = visible_end_[partition];
    end = std::max(end, offset);
  }
}

uint64_t HotTail::rows_visible() const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0;
  for (auto& e : entries_) rows += e.rows_visible;
  return rows;
}

uint64_t HotTail::rows_sliceable() const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0, whole = 0;
  for (auto& e : entries_) {
    if (!e.closed || e.rows_visible != e.rows_appended) break;
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
  return entries_.size();
}

PartitionOffsets HotTail::first_rows() const {
  std::lock_guard lock(mutex_);
  PartitionOffsets out;
  for (auto& e : entries_) out.insert(e.begin.begin(), e.begin.end());  // keeps the oldest
  return out;
}

PartitionOffsets HotTail::visible_end() const {
  std::lock_guard lock(mutex_);
  return visible_end_;
}

int64_t HotTail::oldest_append_us() const {
  std::lock_guard lock(mutex_);
  return entries_.empty() || entries_.front().rows_visible == 0 ? 0 : entries_.front().first_append_us;
}

}  // namespace sluice::table
