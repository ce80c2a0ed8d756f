// SPDX-License-Identifier: Apache-2.0
#include "log/internal/log_view.h"

#include <algorithm>

#include "base/check.h"
#include "log/internal/view_reader.h"

namespace sluice::log {
namespace {

// Readers find a frame by scanning at most so many bytes of its partition.
constexpr uint64_t kIndexStep = 256 << 10;

uint64_t SizeOf(const Frame& frame) { return FramePrefixSize(frame) + frame.record_batch.size(); }

Error NoTopic(std::string_view topic) { return Error{ErrorCode::kNotFound, "there is no topic '" + std::string(topic) + "'", {}}; }

Error NoPartition(std::string_view topic, LogPartition partition) {
  return Error{ErrorCode::kNotFound, "topic '" + std::string(topic) + "' has no log partition " + std::to_string(partition.get()), {}};
}

}  // namespace

LogView::LogView(io::Env env, LogPaths paths, const JournalId& journal, uint64_t tail_bytes_max)
    : env_(env), paths_(std::move(paths)), journal_(journal), tail_bytes_max_(tail_bytes_max) {}

void LogView::AddTopic(const std::string& name, const std::vector<PartitionView>& partitions) {
  std::lock_guard lock(mutex_);
  topics_.insert_or_assign(name, TopicView{partitions});
}

const LogView::TopicView* LogView::Find(std::string_view topic) const {
  auto found = topics_.find(topic);
  return found == topics_.end() ? nullptr : &found->second;
}

void LogView::Publish(const CommitHeader& header, std::string_view body, std::shared_ptr<const void> memory) {
  std::lock_guard lock(mutex_);
  auto& segment = segments_[header.segment];
  if (segment.first == CommitSequence()) segment.first = header.sequence;
  segment.last = header.sequence;
  segment.end = header.position + header.padded_length();
  Frame frame;
  for (FrameCursor cursor(body); cursor.Next(frame);) {
    if (frame.kind == FrameKind::kEvents) AddFrame(header, frame);
  }
  durable_ = header.sequence;
  KeepInTail(header, body, std::move(memory));
}

void LogView::Forget(PartitionView& p, Offset first) {
  for (const auto& entry : p.index) {
    if (entry.file != nullptr && (orphans_.empty() || orphans_.back() != entry.file->path())) orphans_.push_back(entry.file->path());
  }
  p.index.clear();
  p.first = first;
}

std::vector<Path> LogView::TakeOrphans() {
  std::lock_guard lock(mutex_);
  return std::exchange(orphans_, {});
}

std::vector<LogView::Gap> LogView::TakeGaps() {
  std::lock_guard lock(mutex_);
  return std::exchange(gaps_, {});
}

void LogView::AddFrame(const CommitHeader& header, const Frame& frame) {
  auto topic = topics_.find(frame.topic);
  CHECK(topic != topics_.end() && static_cast<size_t>(frame.partition.get()) < topic->second.partitions.size(), "a frame of an unknown topic");
  auto& p = topic->second.partitions[static_cast<size_t>(frame.partition.get())];
  if (frame.next_offset <= p.end) return;  // recovery: a topic file holds it
  bool gap = p.index.empty() ? frame.base_offset != p.end : frame.chain_before != p.chain;
  if (gap) gaps_.push_back({topic->first, frame.partition, p.end, frame.base_offset});
  if (gap || p.first == p.end) Forget(p, frame.base_offset);
  bool wanted = p.index.empty() || p.index.back().file != nullptr || p.index.back().segment != header.segment ||
                p.bytes_total - p.index.back().bytes_before >= kIndexStep;
  if (wanted) p.index.push_back({frame.base_offset, header.sequence, p.bytes_total, frame.chain_before, nullptr, 0, header.segment, header.position});
  p.end = frame.next_offset;
  p.chain = frame.chain;
  p.bytes_total += SizeOf(frame);
}

void LogView::KeepInTail(const CommitHeader& header, std::string_view body, std::shared_ptr<const void> memory) {
  if (memory == nullptr) {
    tail_.clear();
    tail_bytes_ = 0;
    return;
  }
  tail_.push_back({header, body, std::move(memory)});
  tail_bytes_ += header.padded_length();
  while (tail_bytes_ > tail_bytes_max_ && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().header.padded_length();
    tail_.pop_front();
  }
}

void LogView::RaiseEnd(const std::string& topic, LogPartition partition, Offset end, uint32_t chain) {
  std::lock_guard lock(mutex_);
  auto& p = topics_.find(topic)->second.partitions[static_cast<size_t>(partition.get())];
  if (p.end >= end) return;
  gaps_.push_back({topic, partition, p.end, end});
  Forget(p, end);
  p.end = end;
  p.chain = chain;
}

void LogView::RingWatchers() {
  std::lock_guard lock(mutex_);
  for (auto* signal : watchers_) signal->Notify();
}

void LogView::RetireSegments(SegmentNumber first, const std::vector<CopiedPartition>& files) {
  std::lock_guard lock(mutex_);
  for (const auto& copied : files) {
    auto& p = topics_.find(copied.topic)->second.partitions[static_cast<size_t>(copied.partition.get())];
    auto kept = std::find_if(p.index.begin(), p.index.end(), [&](const IndexEntry& e) { return e.file == nullptr && e.segment >= first; });
    uint64_t bytes_end = kept == p.index.end() ? p.bytes_total : kept->bytes_before;
    std::vector<IndexEntry> entries;
    for (size_t i = 0; i < copied.file->blocks().size(); i++) {
      const auto& b = copied.file->blocks()[i];
      uint64_t before = bytes_end - std::min(bytes_end, copied.file->frame_bytes() - b.bytes_before);
      entries.push_back({b.base_offset, b.sequence, before, b.chain_before, copied.file, i, SegmentNumber(), 0});
    }
    p.index.insert(kept, entries.begin(), entries.end());
  }
  for (auto& [name, topic] : topics_) {
    for (auto& p : topic.partitions) {
      std::erase_if(p.index, [&](const IndexEntry& e) { return e.file == nullptr && e.segment < first; });
      p.first = p.index.empty() ? p.end : std::max(p.first, p.index.front().base);
    }
  }
  segments_.erase(segments_.begin(), segments_.lower_bound(first));
}

bool LogView::HasFilesBefore(const std::string& topic, const std::map<LogPartition, Offset>& offsets) const {
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  return t != nullptr && std::any_of(offsets.begin(), offsets.end(), [&](const auto& at) {
    if (static_cast<size_t>(at.first.get()) >= t->partitions.size()) return false;
    const auto& index = t->partitions[static_cast<size_t>(at.first.get())].index;
    return !index.empty() && index.front().file != nullptr && index.front().file->next_offset() <= at.second;
  });
}

std::vector<Path> LogView::DropFilesBefore(const std::string& topic, const std::map<LogPartition, Offset>& offsets) {
  std::lock_guard lock(mutex_);
  std::vector<Path> dropped;
  auto found = topics_.find(topic);
  if (found == topics_.end()) return dropped;
  for (auto [partition, offset] : offsets) {
    if (static_cast<size_t>(partition.get()) >= found->second.partitions.size()) continue;
    auto& p = found->second.partitions[static_cast<size_t>(partition.get())];
    while (!p.index.empty() && p.index.front().file != nullptr && p.index.front().file->next_offset() <= offset) {
      if (dropped.empty() || dropped.back() != p.index.front().file->path()) dropped.push_back(p.index.front().file->path());
      p.index.pop_front();
    }
    p.first = p.index.empty() ? p.end : std::max(p.first, p.index.front().base);
  }
  return dropped;
}

const IndexEntry* LogView::EntryFor(const PartitionView& p, Offset offset) {
  auto after = std::upper_bound(p.index.begin(), p.index.end(), offset, [](Offset o, const IndexEntry& e) { return o < e.base; });
  return after == p.index.begin() ? (p.index.empty() ? nullptr : &p.index.front()) : &*std::prev(after);
}

const IndexEntry* LogView::EntryBehind(const PartitionView& p, Offset offset) {
  auto after = std::upper_bound(p.index.begin(), p.index.end(), offset, [](Offset o, const IndexEntry& e) { return o < e.base; });
  CHECK(after != p.index.end(), "durable frames without an index entry");
  return &*after;
}

uint64_t LogView::BytesFrom(const std::string& topic, LogPartition partition, Offset offset) const {
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  if (t == nullptr || static_cast<size_t>(partition.get()) >= t->partitions.size()) return 0;
  const auto& p = t->partitions[static_cast<size_t>(partition.get())];
  if (offset >= p.end) return 0;
  const auto* entry = EntryFor(p, offset);
  return entry == nullptr ? 0 : p.bytes_total - entry->bytes_before;
}

uint64_t LogView::tail_bytes() const {
  std::lock_guard lock(mutex_);
  return tail_bytes_;
}

uint64_t LogView::topic_file_bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  const TopicFile* last = nullptr;
  for (const auto& [name, topic] : topics_) {
    for (const auto& p : topic.partitions) {
      for (const auto& e : p.index) {
        if (e.file != nullptr && e.file.get() != last) bytes += e.file->file_bytes();
        last = e.file.get();
      }
    }
  }
  return bytes;
}

std::vector<LogView::SegmentRange> LogView::Segments() const {
  std::lock_guard lock(mutex_);
  std::vector<SegmentRange> out;
  for (const auto& [number, segment] : segments_) out.push_back({number, segment.first, segment.last});
  return out;
}

std::optional<PartitionView> LogView::Partition(std::string_view topic, LogPartition partition) const {
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  if (t == nullptr || static_cast<size_t>(partition.get()) >= t->partitions.size()) return std::nullopt;
  return t->partitions[static_cast<size_t>(partition.get())];
}

bool LogView::HasSegment(SegmentNumber segment) const {
  std::lock_guard lock(mutex_);
  return segments_.contains(segment);
}

// ---- what a reader reads next ----

ReadStep LogView::PlanStep(const std::string& topic, const std::map<LogPartition, Offset>& position, CommitCursor& cursor) const {
  std::lock_guard lock(mutex_);
  ReadStep step;
  const auto& t = *Find(topic);
  bool at_end = std::all_of(position.begin(), position.end(), [&](const auto& p) {
    return p.second >= t.partitions[static_cast<size_t>(p.first.get())].end;
  });
  if (at_end) {
    cursor = {durable_ + 1, false, {}, 0};
    return step;
  }
  for (int tries = 0; tries < 2; tries++) {
    bool in_tail = cursor.sequence != CommitSequence() && !tail_.empty() && cursor.sequence >= tail_.front().header.sequence;
    if (in_tail) {
      const auto& commit = tail_[static_cast<size_t>(cursor.sequence - tail_.front().header.sequence)];
      step.kind = ReadStep::Kind::kMemory;
      step.memory = commit.memory;
      step.body = commit.body;
      step.header = commit.header;
      return step;
    }
    if (cursor.has_place && FindPlace(cursor)) {
      step.kind = ReadStep::Kind::kSegment;
      step.cursor = cursor;
      return step;
    }
    if (!Seek(t, position, cursor, step)) return step;
  }
  return step;
}

// Moves a cursor that stands behind the last commit of its segment into the next one. False: the segment is gone.
bool LogView::FindPlace(CommitCursor& cursor) const {
  auto at = segments_.find(cursor.segment);
  if (at == segments_.end()) return false;
  if (cursor.position < at->second.end) return true;
  if (++at == segments_.end()) return false;
  cursor.segment = at->first;
  cursor.position = kBlock;
  return true;
}

// The earliest place that any of the partitions needs. True: `cursor` stands there; false: `step` is a block of a topic file.
bool LogView::Seek(const TopicView& topic, const std::map<LogPartition, Offset>& position, CommitCursor& cursor, ReadStep& step) const {
  const IndexEntry* earliest = nullptr;
  for (auto [partition, offset] : position) {
    const auto& p = topic.partitions[static_cast<size_t>(partition.get())];
    if (offset >= p.end) continue;
    const auto* entry = EntryFor(p, offset);
    CHECK(entry != nullptr, "a log partition without an index");
    bool behind = entry->file != nullptr && offset >= entry->file->next_offset();  // a gap between a file and what follows
    if (behind) entry = EntryBehind(p, offset);
    if (entry->file != nullptr) {
      step.kind = ReadStep::Kind::kFileBlock;
      step.partition = partition;
      step.file = entry->file;
      step.block = entry->block;
      return false;
    }
    if (earliest == nullptr || entry->sequence < earliest->sequence) earliest = entry;
  }
  CHECK(earliest != nullptr, "nothing to seek");
  cursor = {earliest->sequence, true, earliest->segment, earliest->position};
  return true;
}

// ---- LogSource ----

Result<std::map<LogPartition, Offset>> LogView::DurableEnds(std::string_view topic) {
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  if (t == nullptr) return NoTopic(topic);
  std::map<LogPartition, Offset> ends;
  for (size_t i = 0; i < t->partitions.size(); i++) ends[LogPartition(static_cast<int32_t>(i))] = t->partitions[i].end;
  return ends;
}

Result<std::map<LogPartition, Offset>> LogView::FirstRetained(std::string_view topic) {
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  if (t == nullptr) return NoTopic(topic);
  std::map<LogPartition, Offset> firsts;
  for (size_t i = 0; i < t->partitions.size(); i++) firsts[LogPartition(static_cast<int32_t>(i))] = t->partitions[i].first;
  return firsts;
}

Result<std::map<LogPartition, OffsetRange>> LogView::Cut(std::string_view topic, const std::map<LogPartition, Offset>& from, uint64_t bytes_max) {
  struct Border { CommitSequence sequence; LogPartition partition; Offset end; uint64_t bytes; uint32_t chain; };
  std::lock_guard lock(mutex_);
  const auto* t = Find(topic);
  if (t == nullptr) return NoTopic(topic);
  std::vector<Border> borders;
  for (auto [partition, offset] : from) {
    if (static_cast<size_t>(partition.get()) >= t->partitions.size()) return NoPartition(topic, partition);
    const auto& p = t->partitions[static_cast<size_t>(partition.get())];
    if (offset < p.first || offset > p.end) return OutOfRange(topic, partition, offset, p);
    if (offset == p.end) continue;
    uint64_t before = EntryFor(p, offset)->bytes_before, start = before;
    auto at = std::upper_bound(p.index.begin(), p.index.end(), offset, [](Offset o, const IndexEntry& e) { return o < e.base; });
    for (; at != p.index.end() && before - start < bytes_max; ++at) {
      borders.push_back({at->sequence, partition, at->base, at->bytes_before - before, at->chain_before});
      before = at->bytes_before;
    }
    if (at == p.index.end()) borders.push_back({durable_ + 1, partition, p.end, p.bytes_total - before, p.chain});
  }
  // In log order, so that the ranges lie side by side in the journal.
  std::stable_sort(borders.begin(), borders.end(), [](const Border& a, const Border& b) { return a.sequence < b.sequence; });
  std::map<LogPartition, OffsetRange> ranges;
  uint64_t bytes = 0;
  for (const auto& border : borders) {
    if (bytes != 0 && bytes + border.bytes > bytes_max) break;
    auto& range = ranges.try_emplace(border.partition, OffsetRange{from.at(border.partition), {}, 0, 0}).first->second;
    range.end = border.end;
    range.bytes += border.bytes;
    range.chain = border.chain;
    bytes += border.bytes;
  }
  return ranges;
}

Error LogView::OutOfRange(std::string_view topic, LogPartition partition, Offset offset, const PartitionView& p) {
  bool early = offset < p.first;
  return Error{early ? ErrorCode::kNotFound : ErrorCode::kInvalid,
               "offset " + std::to_string(offset.get()) + " of topic '" + std::string(topic) + "', log partition " + std::to_string(partition.get()) +
               (early ? " is not retained: the first one is " + std::to_string(p.first.get()) : " is behind the durable end " + std::to_string(p.end.get())), {}};
}

Result<std::unique_ptr<LogReader>> LogView::NewReader(std::string_view topic, const std::map<LogPartition, Offset>& from) {
  {
    std::lock_guard lock(mutex_);
    const auto* t = Find(topic);
    if (t == nullptr) return NoTopic(topic);
    for (auto [partition, offset] : from) {
      if (partition.get() < 0 || static_cast<size_t>(partition.get()) >= t->partitions.size()) return NoPartition(topic, partition);
      const auto& p = t->partitions[static_cast<size_t>(partition.get())];
      if (offset < p.first) return OutOfRange(topic, partition, offset, p);
    }
  }
  return std::unique_ptr<LogReader>(new ViewReader(*this, std::string(topic), from));
}

Result<uint32_t> LogView::ChainAt(std::string_view topic, LogPartition partition, Offset offset) {
  {
    std::lock_guard lock(mutex_);
    const auto* t = Find(topic);
    if (t == nullptr) return NoTopic(topic);
    if (partition.get() < 0 || static_cast<size_t>(partition.get()) >= t->partitions.size()) return NoPartition(topic, partition);
    const auto& p = t->partitions[static_cast<size_t>(partition.get())];
    if (offset == p.end) return p.chain;
    if (offset > p.end || offset < p.first) return Error{ErrorCode::kNotFound, OutOfRange(topic, partition, offset, p).message, {}};
  }
  ASSIGN_OR_RETURN(auto reader, NewReader(topic, {{partition, offset}}));
  ASSIGN_OR_RETURN(auto run, reader->Next(1));
  for (const auto& frame : run.frames()) {
    if (frame.base_offset == offset) return frame.chain_before;
  }
  return Error{ErrorCode::kNotFound, "offset " + std::to_string(offset.get()) + " of topic '" + std::string(topic) + "', log partition " +
               std::to_string(partition.get()) + " is no border between frames", {}};
}

void LogView::Watch(io::Signal* signal) {
  std::lock_guard lock(mutex_);
  watchers_.push_back(signal);
}

void LogView::Unwatch(io::Signal* signal) {
  std::lock_guard lock(mutex_);
  std::erase(watchers_, signal);
}

}  // namespace sluice::log
