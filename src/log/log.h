// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The log: admission in front, the journal below, readers behind.
//
//   Draft: what needs no order, on any thread
//   Append ──▶ duplicate? late? quota? ──▶ offsets ──▶ gathering commit ─┐            the loop's thread
//   Tick   ──▶ nothing in flight, and no more about to come: cut it ──▶ writer thread ──▶ durable ──┤
//                                                                        └──▶ OnDurable, answers, readers
//
// One commit is in flight, the next one gathers. Everything a request brings is in one commit: after a crash all of it is
// there or nothing. Append answers at once; the answer may leave when durable() >= durable_after.
//
// Threads: all methods run on one thread (the loop), except where "thread-safe" is said.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/path.h"
#include "base/principal.h"
#include "base/result.h"
#include "base/time.h"
#include "event/event_batch.h"
#include "io/env.h"
#include "log/append_draft.h"
#include "log/reader.h"
#include "log/types.h"

namespace sluice::log {

struct LogOptions {
  uint64_t segment_bytes = uint64_t{128} << 20;     // of a journal segment; a multiple of 4 KiB
  uint64_t journal_bytes_max = uint64_t{1} << 30;   // of all segments; at least four of them
  uint64_t commit_bytes_max = uint64_t{64} << 20;   // of one commit; at most a segment without its header
  uint64_t tail_bytes_max = uint64_t{16} << 20;     // newest commits kept in memory for readers
  uint64_t untiered_bytes_max = uint64_t{8} << 30;  // per topic: behind it Append answers kExhausted for that topic
  int32_t partitions_default = 6;
  int64_t watermark_delay_us = 300 * kMicrosPerSecond;  // a watermark is the largest event time minus this
  int64_t time_ahead_us_max = 300 * kMicrosPerSecond;   // event times further ahead of the append time do not move it
  int64_t dedup_window_us = 24 * kMicrosPerHour;
  uint32_t dedup_table_keys_max = 1u << 20;    // the keys in memory are sealed as a run when there are so many ...
  int64_t dedup_run_span_us = kMicrosPerHour;  // ... or so long after the first one
  uint32_t dedup_run_keys_max = 20u << 20;     // of a run that took in the ones before it: 16 tables, each a little more than full
  int64_t idle_mark_delay_us = 5'000;          // an empty commit follows so long after the last one
  // Called once, from the writer thread, when a write or sync failed: what reached the disk is unknown, the process must
  // end. The default logs and aborts. When it returns (tests), the log is closed: every call fails with kIo.
  std::function<void(const Error&)> on_fatal;

  uint32_t dedup_table_keys() const { return dedup_table_keys_max < dedup_run_keys_max ? dedup_table_keys_max : dedup_run_keys_max; }
  // kInvalid names the option and the bound.
  Result<void> Validate() const;
};

struct TopicConfig {
  int32_t partitions = 0;                 // 0: LogOptions::partitions_default; at most kPartitionsMax
  std::vector<std::string> key_pointers;  // JSON pointers into the event whose values choose the log partition
  // First offset of each partition, for a topic whose table exists already: (topic, partition, offset) must never name two events.
  std::map<LogPartition, Offset> first_offsets;
  bool operator==(const TopicConfig&) const = default;
};
inline constexpr int32_t kPartitionsMax = 1024;
inline constexpr size_t kTopicsMax = 10'000;
inline constexpr size_t kStateTopicNameMax = 201;
inline constexpr size_t kStateEntryBytesMax = size_t{1} << 20;

// A topic as the loop sees it; lives as long as the log. What is durable is in Log::DurableEnds.
class Topic {
 public:
  struct Partition {
    Offset next;         // of the next event
    uint32_t chain = 0;  // up to next
    Timestamp event_time_max{INT64_MIN};
    Offset tiered;                  // everything before it is in the table (SetTiered)
    Offset cut_next, durable_next;  // as of the newest commit that was cut, that is durable
  };
  Topic(std::string name, TopicConfig config);
  const std::string& name() const { return name_; }
  const TopicConfig& config() const { return config_; }
  int32_t partition_count() const { return config_.partitions; }
  const Partition& partition(LogPartition p) const { return partitions_[static_cast<size_t>(p.get())]; }
  // Of frames that are not in the table, at least.
  uint64_t untiered_bytes() const { return untiered_bytes_; }

 private:
  friend class TopicTable;
  std::string name_;
  TopicConfig config_;
  std::vector<Partition> partitions_;
  uint64_t untiered_bytes_ = 0;
};

// Rows of one EventBatch that became one frame.
struct Admitted {
  const Topic* topic = nullptr;
  LogPartition partition;
  Offset base_offset;
  std::span<const uint32_t> rows;  // rows of the batch in offset order: rows[i] has base_offset + i
  std::span<const uint8_t> late;   // parallel to rows: 1 came late
  Timestamp append_time;
  const Principal* principal = nullptr;
  int32_t payload_schema_id = 0;
  CommitSequence sequence;  // of the commit it will be durable with
};

// Called on the loop, from Append and Tick. Must not call the log.
class LogListener {
 public:
  virtual ~LogListener() = default;
  // At append, while the batch is warm; not durable yet. Everything pointed at lives until the call returns, `topic` longer.
  virtual void OnAdmitted(const event::EventBatch& batch, const Admitted& admitted) = 0;
  // All that was admitted with a sequence <= `durable` survives any crash now.
  virtual void OnDurable(CommitSequence durable) = 0;
};

struct RowOutcome {
  uint16_t topic = 0;      // as in the row's Route
  LogPartition partition;  // of a duplicate: where the first one is
  Offset offset;
  bool duplicate = false;
};

// What stood in the way of an Append: senders are told different things.
enum class AppendRefusal : uint8_t {
  kNone,
  kTooLarge,    // kInvalid: no commit could hold it
  kBehind,      // kExhausted: the gathering commit is full
  kTopicQuota,  // kExhausted: a topic's quota is
  kDiskFull,    // kExhausted: there is no space for the segment that it would need
};

// Reused from call to call: Append clears it.
struct AppendResult {
  std::vector<RowOutcome> rows;  // one per row of the batch
  uint32_t accepted = 0, duplicates = 0;
  CommitSequence durable_after;                  // 0: at once (nothing new, and every original is durable)
  AppendRefusal refusal = AppendRefusal::kNone;  // the only thing that counts when Append failed
};

struct LogStats {
  uint64_t journal_bytes = 0, topic_file_bytes = 0, dedup_bytes = 0;  // on disk; of the journal with its spare segments
  uint64_t journal_segments = 0, spare_segments = 0;                  // spare: emptied, kept to be used again
  uint64_t tail_bytes = 0, dedup_keys_open = 0;                       // in memory
  uint64_t dedup_memory_bytes = 0, commit_memory_bytes = 0;           // of the process: remembered ids; commits, with what is kept for the next
  uint64_t dedup_runs = 0;
  CommitSequence durable;
};

class Log {
 public:
  // Recovers what `directory` holds, or starts a new log there. Reads the whole journal (about a second per GB).
  // kCorruption: a damaged commit is followed by a valid one, a segment is missing, swapped or foreign: nothing on disk was
  // changed; message and hint name file, position and way out. kInvalid: options, or a newer format. kExhausted: no space.
  // `env`'s parts must outlive the log.
  static Result<std::unique_ptr<Log>> Open(io::Env env, const Path& directory, LogOptions options);
  // REQUIRES: Shutdown was called, or the process is to look as if it had crashed. Readers must be gone.
  ~Log();
  Log(const Log&) = delete;

  // At most one. `listener` must outlive the log. REQUIRES: nothing was appended yet.
  void SetListener(LogListener* listener);

  // The topic of that name; creates it (durable with the next commit) when there is none. An existing topic keeps its
  // number of partitions; other changes of `config` are stored. kInvalid: name or config. kExhausted: kTopicsMax, or the
  // gathering commit is full.
  Result<const Topic*> OpenTopic(std::string_view name, const TopicConfig& config);
  // Null: no such topic. State topics ("__...") are not found.
  const Topic* FindTopic(std::string_view name) const;
  // By name.
  std::vector<const Topic*> Topics() const;

  // Sets one entry of a state topic ("__cursors", ...): newest value per key, none removes it. Durable with the next commit, like
  // what Append brings. kInvalid: not a state topic's name, or larger than 1 MiB. kExhausted: the gathering commit is full.
  Result<void> PutState(std::string_view state_topic, std::string_view key, std::optional<std::string> value);
  // The newest values, durable or not. Until the next PutState.
  const std::map<std::string, std::string, std::less<>>& StateOf(std::string_view state_topic) const;

  // Prepares `draft`, whose topics and routes are set, for Append of `batch`. The values of `batch` move to the draft's memory.
  // REQUIRES: one route per row, its topic < topics.size(), its partition < partition_count. Thread-safe. May read from disk: sealed
  // keys that this request has, too.
  void Draft(event::EventBatch& batch, const Principal& principal, AppendDraft& draft) const;
  // Admits the rows of `batch`: rows that were seen before are answered with the first one's place, the others get offsets
  // and join the gathering commit. REQUIRES: the draft was prepared with this batch and principal.
  // All or nothing. kExhausted: the gathering commit, a topic's quota (the message names it) or the disk is full: try again later.
  // kInvalid: more than one commit can hold. kIo: the log is closed after a failed write.
  Result<void> Append(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, AppendResult& result);

  // Notes what became durable, cuts the gathered commit when no write is in flight, writes the idle mark, and takes over
  // what the upkeep thread finished. Call after every round of the loop, when written() rings, and after tick_delay_us().
  // `more_comes`: events are about to be appended. A commit that is small and younger than half a millisecond waits for them.
  void Tick(Timestamp now, bool more_comes = false);
  // How long the loop may wait for other things before the next Tick, in microseconds; written() ends the wait.
  int64_t tick_delay_us() const;
  // Rung when a write ended or upkeep did: call Tick.
  io::Signal& written();
  // Everything with a sequence up to this survives any crash. Thread-safe. Grows in Tick only.
  CommitSequence durable() const;

  // Writes everything out, an idle mark behind it, and a checkpoint; waits. Append fails afterwards (kCancelled).
  Result<void> Shutdown();

  // source().NewReader: frames of the partitions named in `from`. Thread-safe.
  Result<std::unique_ptr<LogReader>> NewReader(std::string_view topic, const std::map<LogPartition, Offset>& from) const;
  // What readers and pumps share; lives as long as the log. Thread-safe.
  LogSource& source() const;

  // The table holds everything of `topic` before these offsets (after a known commit, and at start): the journal may drop
  // it. Never goes back: smaller offsets are ignored. Takes effect in Tick. Thread-safe.
  void SetTiered(std::string_view topic, const std::map<LogPartition, Offset>& next);

  // 32 hexadecimal digits; part of every table's progress.
  const std::string& journal_id() const;
  LogStats stats() const;

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::log
