// SPDX-License-Identifier: Apache-2.0
#include "log/log.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/check.h"
#include "log/internal/admission.h"
#include "log/internal/log_recovery.h"
#include "log/internal/upkeep.h"
#include "log/log_metrics.h"

namespace sluice::log {
namespace {

constexpr int64_t kTickDelayMaxUs = 1'000'000;       // upkeep that failed or waits for time
constexpr int64_t kShutdownTimeoutNs = 30'000'000'000;
constexpr int64_t kShutdownWaitUs = 10'000;
constexpr uint64_t kCommitBytesGood = uint64_t{1} << 20;  // larger writes bring a disk no more
constexpr int64_t kGatherNsMax = 500'000;                 // so long a smaller commit waits for more

void EndProcess(const Error& error) { base::CheckFailed(__FILE__, __LINE__, "the journal is written", error.ToString().c_str()); }

struct LogMetrics {
  explicit LogMetrics(io::Metrics& m)
      : accepted(m.GetCounter(kEventsAccepted)),
        duplicate(m.GetCounter(kEventsDuplicate)),
        commits(m.GetCounter(kCommits)),
        commit_bytes(m.GetCounter(kCommitBytes)),
        commit_seconds(m.GetHistogram(kCommitSeconds)),
        segments(m.GetGauge(kSegments)),
        dedup_keys_open(m.GetGauge(kDedupKeysOpen)) {}
  io::Counter &accepted, &duplicate, &commits, &commit_bytes;
  io::Histogram& commit_seconds;
  io::Gauge &segments, &dedup_keys_open;
};

}  // namespace

struct Log::State {
  State(io::Env e, const Path& directory, LogOptions o) : env(e), paths(directory), options(std::move(o)), written(env.threads.NewSignal()), metrics(env.metrics) {}

  io::Env env;
  const LogPaths paths;
  LogOptions options;
  std::unique_ptr<io::Signal> written;
  LogMetrics metrics;
  JournalIdentity identity;
  std::string journal_id;
  std::unique_ptr<DedupHasher> hasher;
  TopicTable topics;
  std::unique_ptr<DedupIndex> dedup;
  std::unique_ptr<LogView> view;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Admission> admission;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<BackgroundJobs> jobs, segment_jobs, merge_jobs;  // after what their jobs use

  LogListener* listener = nullptr;
  std::atomic<uint64_t> durable{0};
  bool closing = false;
  bool ends_idle = true;    // the newest cut commit is an idle mark, or there is none
  Timestamp quiet_since;    // the newest commit became durable then
  Timestamp last_tick;
  int64_t cut_ns = 0;       // monotonic, when the commit in flight was cut
  int64_t gathers_since_ns = 0;  // monotonic, when the one that gathers could have been cut first; 0: it could not yet

  std::mutex tiered_mutex;
  std::map<std::string, std::map<LogPartition, Offset>, std::less<>> tiered_inbox;  // guarded by tiered_mutex

  Result<void> Build(RecoveredLog recovered);
  void TakeTiered();
  void RaiseTiered(Topic& topic, const std::map<LogPartition, Offset>& next);
  void Reap(Timestamp now);
  void CutIfDue(Timestamp now, bool more_comes);
  bool GathersOn();
  int64_t GatherDelayUs() const;
  Result<void> CheckOpen() const;
};

// Those that will be used again.
Result<uint64_t> CountSpares(io::FileSystem& files, const LogPaths& paths, uint64_t segment_bytes) {
  ASSIGN_OR_RETURN(auto spares, ListSpares(files, paths));
  uint64_t count = 0;
  for (const auto& spare : spares) {
    ASSIGN_OR_RETURN(auto info, files.Stat(spare));
    count += info.size == segment_bytes;
  }
  return count;
}

Result<void> Log::State::Build(RecoveredLog recovered) {
  identity = recovered.identity;
  journal_id = JournalIdText(identity.id);
  hasher = std::make_unique<DedupHasher>(identity.dedup_secret);
  topics = std::move(recovered.topics);
  dedup = std::move(recovered.dedup);
  view = std::move(recovered.view);
  JournalOptions journal_options{options.segment_bytes, options.commit_bytes_max, [this](const Error& error) {
    env.log.Error("journal write failed, the process ends: what reached the disk is unknown until it is read back", {{"error", error.message}});
    if (options.on_fatal) options.on_fatal(error); else EndProcess(error);
  }};
  ASSIGN_OR_RETURN(journal, Journal::Open(env, paths, identity, recovered.scan, std::move(journal_options), *written));
  options.commit_bytes_max = journal->commit_bytes_max();
  admission = std::make_unique<Admission>(Admission::Parts{env.clock, *journal, topics, *dedup}, options, recovered.last_append_time);
  ASSIGN_OR_RETURN(const uint64_t spare_segments, CountSpares(env.files, paths, options.segment_bytes));
  jobs = std::make_unique<BackgroundJobs>(env.threads, "log-upkeep", *written);
  segment_jobs = std::make_unique<BackgroundJobs>(env.threads, "log-segments", *written);
  merge_jobs = std::make_unique<BackgroundJobs>(env.threads, "log-merges", *written);
  upkeep = std::make_unique<Upkeep>(Upkeep::Parts{env, paths, options, identity.id, *journal, topics, *dedup, *view, *jobs, *segment_jobs, *merge_jobs},
                                    recovered.scan.segments.front().number, spare_segments, recovered.checkpoint_covered, recovered.previous_checkpoint_covered);
  if (!recovered.obsolete.empty()) upkeep->RemoveFiles(std::move(recovered.obsolete));
  durable = recovered.scan.last.get();
  ends_idle = recovered.scan.last == CommitSequence() || recovered.scan.ends_idle;
  env.log.Info("log opened", {{"journal", journal_id}, {"last_commit", recovered.scan.last.get()}, {"segments", recovered.scan.segments.size()},
                              {"topics", topics.topics().size()}});
  return {};
}

Result<std::unique_ptr<Log>> Log::Open(io::Env env, const Path& directory, LogOptions options) {
  RETURN_IF_ERROR(options.Validate());
  auto state = std::make_unique<State>(env, directory, std::move(options));
  ASSIGN_OR_RETURN(auto recovered, RecoverLog(env, state->paths, state->options));
  RETURN_IF_ERROR(state->Build(std::move(recovered)));
  std::unique_ptr<Log> log(new Log(std::move(state)));
  log->Tick(env.clock.Now());
  return log;
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}

Log::~Log() {  // first: their jobs use everything else
  state_->jobs.reset();
  state_->segment_jobs.reset();
  state_->merge_jobs.reset();
}

void Log::SetListener(LogListener* listener) {
  state_->listener = listener;
  state_->admission->SetListener(listener);
}

Result<void> Log::State::CheckOpen() const {
  if (journal->failed()) return Error{ErrorCode::kIo, "the journal is closed after a failed write", "restart: recovery reads back what reached the disk"};
  if (closing) return Error{ErrorCode::kCancelled, "the log is shutting down", {}};
  return {};
}

// ---- topics ----

Result<const Topic*> Log::OpenTopic(std::string_view name, const TopicConfig& config) {
  RETURN_IF_ERROR(state_->CheckOpen());
  RETURN_IF_ERROR(CheckTopicName(name));
  Topic* topic = state_->topics.Find(name);
  TopicConfig wanted = config;
  if (wanted.partitions == 0) wanted.partitions = state_->options.partitions_default;
  if (topic != nullptr) {
    wanted.partitions = topic->partition_count();
    wanted.first_offsets = topic->config().first_offsets;
    if (wanted == topic->config()) return topic;
  } else if (state_->topics.topics().size() >= kTopicsMax) {
    return Error{ErrorCode::kExhausted, "there are " + std::to_string(kTopicsMax) + " topics already", {}};
  }
  bool good = wanted.partitions > 0 && wanted.partitions <= kPartitionsMax;
  for (auto [partition, offset] : wanted.first_offsets) {
    good = good && partition.get() >= 0 && partition.get() < wanted.partitions && offset.get() >= 0 && offset.get() <= DedupPlace::kOffsetMax;
  }
  if (!good) return Error{ErrorCode::kInvalid, "topic '" + std::string(name) + "' needs 1 to 1024 log partitions, and first offsets in them", {}};
  bool is_new = topic == nullptr;
  RETURN_IF_ERROR(state_->admission->PutState(kTopicsStateTopic, {{std::string(name), EncodeTopicConfig(wanted)}}));
  topic = state_->topics.Find(name);
  if (is_new) {
    std::vector<PartitionView> partitions(static_cast<size_t>(wanted.partitions));
    for (auto [partition, offset] : wanted.first_offsets) {
      auto& p = partitions[static_cast<size_t>(partition.get())];
      p.first = p.end = offset;
    }
    state_->view->AddTopic(topic->name(), partitions);
  }
  return topic;
}

const Topic* Log::FindTopic(std::string_view name) const { return state_->topics.Find(name); }

std::vector<const Topic*> Log::Topics() const {
  std::vector<const Topic*> out;
  for (const auto& [name, topic] : state_->topics.topics()) out.push_back(topic.get());
  return out;
}

// ---- state topics ----

Result<void> Log::PutState(std::string_view state_topic, std::string_view key, std::optional<std::string> value) {
  RETURN_IF_ERROR(state_->CheckOpen());
  bool good = state_topic.starts_with("__") && state_topic != kTopicsStateTopic && state_topic.size() <= kStateTopicNameMax;
  if (!good || key.size() + value.value_or("").size() > kStateEntryBytesMax) {
    return Error{ErrorCode::kInvalid, "'" + std::string(state_topic.substr(0, kStateTopicNameMax)) + "' is no state topic, or the entry is larger than 1 MiB", {}};
  }
  return state_->admission->PutState(state_topic, {{std::string(key), std::move(value)}});
}

const std::map<std::string, std::string, std::less<>>& Log::StateOf(std::string_view state_topic) const {
  static const std::map<std::string, std::string, std::less<>> kNone;
  auto found = state_->topics.state().find(state_topic);
  return found == state_->topics.state().end() ? kNone : found->second.values;
}

// ---- append ----

void Log::Draft(event::EventBatch& batch, const Principal& principal, AppendDraft& draft) const {
  draft.Prepare(batch, principal, *state_->hasher, *state_->dedup->sealed());
}

Result<void> Log::Append(const event::EventBatch& batch, const Principal& principal, AppendDraft& draft, AppendResult& result) {
  RETURN_IF_ERROR(state_->CheckOpen());
  auto admitted = state_->admission->Admit(batch, principal, draft, result);
  if (!admitted.ok()) {
    state_->env.metrics.GetCounter(kRequestsRefused, {{"reason", std::string(ErrorCodeName(admitted.error().code))}}).Add();
    return admitted;
  }
  state_->metrics.accepted.Add(result.accepted);
  state_->metrics.duplicate.Add(result.duplicates);
  return admitted;
}

void Log::State::Reap(Timestamp now) {
  auto commit = journal->Reap();
  if (!commit) return;
  metrics.commits.Add();
  metrics.commit_bytes.Add(commit->bytes.size());
  metrics.commit_seconds.Observe(static_cast<double>(env.clock.MonotonicNs() - cut_ns) / 1e9);
  metrics.segments.Set(static_cast<double>(journal->active() - upkeep->oldest_segment() + 1));
  metrics.dedup_keys_open.Set(static_cast<double>(dedup->open().size()));
  admission->OnDurable();
  view->Publish(commit->header, commit->body(), commit->memory);
  durable.store(commit->header.sequence.get(), std::memory_order_release);
  quiet_since = now;
  if (listener != nullptr) listener->OnDurable(commit->header.sequence);
  view->RingWatchers();
}

// Each commit costs the threads that write and answer it some wake-ups, whatever its size.
bool Log::State::GathersOn() {
  if (journal->buffer().length() >= std::min(kCommitBytesGood, journal->commit_bytes_max() / 4)) return false;
  const int64_t now_ns = env.clock.MonotonicNs();
  if (gathers_since_ns == 0) gathers_since_ns = now_ns;
  return now_ns - gathers_since_ns < kGatherNsMax;
}

void Log::State::CutIfDue(Timestamp now, bool more_comes) {
  if (journal->in_flight() || journal->failed()) return;
  bool idle = journal->gathered_frames() == 0;
  if (idle && (ends_idle || now.us - quiet_since.us < options.idle_mark_delay_us)) return;
  if (!idle && more_comes && GathersOn()) return;
  if (!journal->Cut(now)) return;
  gathers_since_ns = 0;
  cut_ns = env.clock.MonotonicNs();
  ends_idle = idle;
  admission->OnCut();
  upkeep->AtCut(journal->cut(), admission->last_append_time());
}

void Log::Tick(Timestamp now, bool more_comes) {
  auto& s = *state_;
  s.last_tick = now;
  if (now < s.quiet_since) s.quiet_since = now;  // the clock was set back
  s.jobs->RunCompletions();
  s.segment_jobs->RunCompletions();
  s.merge_jobs->RunCompletions();
  s.TakeTiered();
  s.Reap(now);
  s.CutIfDue(now, more_comes);
  if (s.journal->gathered_frames() == 0) s.upkeep->AtCut(s.journal->cut(), s.admission->last_append_time());
  s.upkeep->Step(durable(), now);
}

// Whoever waits for more events may wait in vain: a body can take its thread long.
int64_t Log::State::GatherDelayUs() const {
  return std::max<int64_t>(1, (gathers_since_ns + kGatherNsMax - env.clock.MonotonicNs()) / 1'000 + 1);
}

int64_t Log::tick_delay_us() const {
  const auto& s = *state_;
  if (s.gathers_since_ns != 0 && !s.journal->in_flight() && !s.journal->waits_for_segment()) return s.GatherDelayUs();
  bool mark_due = !s.journal->in_flight() && s.journal->gathered_frames() == 0 && !s.ends_idle;
  if (!mark_due || s.journal->waits_for_segment()) return kTickDelayMaxUs;  // written() rings when there is one
  return std::clamp<int64_t>(s.quiet_since.us + s.options.idle_mark_delay_us - s.last_tick.us, 0, kTickDelayMaxUs);
}

io::Signal& Log::written() { return *state_->written; }
CommitSequence Log::durable() const { return CommitSequence(state_->durable.load(std::memory_order_acquire)); }

Result<void> Log::Shutdown() {
  auto& s = *state_;
  if (s.closing) return {};
  s.closing = true;
  s.options.idle_mark_delay_us = 0;
  s.journal->set_no_space(std::nullopt);  // tried once more, then given up
  s.upkeep->RequestCheckpoint();
  int64_t deadline = s.env.clock.MonotonicNs() + kShutdownTimeoutNs;
  for (;;) {
    Tick(s.env.clock.Now());
    if (s.journal->failed()) return Error{ErrorCode::kIo, "the journal is closed after a failed write", {}};
    bool written_out = !s.journal->in_flight() && s.journal->gathered_frames() == 0 && s.ends_idle;
    if (written_out && !s.upkeep->checkpoint_pending()) return {};
    if (const auto& why = s.journal->no_space(); why && why->code == ErrorCode::kCorruption) {
      return Error{why->code, "the log cannot be ended with a checkpoint: " + why->message, why->hint};
    } else if (why) {
      return Error{ErrorCode::kExhausted, "there is no space to end the log with a checkpoint: " + why->message,
                   "free some space; nothing acknowledged is lost, the next start reads the journal"};
    }
    if (s.env.clock.MonotonicNs() > deadline) {
      return Error{ErrorCode::kUnavailable, "the log could not be written out in time", "look for a full or slow disk; nothing acknowledged is lost"};
    }
    s.written->Wait(kShutdownWaitUs);
  }
}

// ---- readers and tables ----

Result<std::unique_ptr<LogReader>> Log::NewReader(std::string_view topic, const std::map<LogPartition, Offset>& from) const {
  return state_->view->NewReader(topic, from);
}

LogSource& Log::source() const { return *state_->view; }

void Log::SetTiered(std::string_view topic, const std::map<LogPartition, Offset>& next) {
  {
    std::lock_guard lock(state_->tiered_mutex);
    auto& inbox = state_->tiered_inbox[std::string(topic)];
    for (auto [partition, offset] : next) inbox[partition] = std::max(inbox[partition], offset);
  }
  state_->written->Notify();
}

void Log::State::TakeTiered() {
  decltype(tiered_inbox) inbox;
  {
    std::lock_guard lock(tiered_mutex);
    inbox.swap(tiered_inbox);
  }
  for (const auto& [name, next] : inbox) {
    if (Topic* topic = topics.Find(name)) RaiseTiered(*topic, next);
  }
}

void Log::State::RaiseTiered(Topic& topic, const std::map<LogPartition, Offset>& next) {
  for (auto [partition, offset] : next) {
    if (partition.get() < 0 || partition.get() >= topic.partition_count()) continue;
    auto& p = TopicTable::PartitionOf(topic, partition);
    offset = std::min(offset, p.durable_next);
    if (offset <= p.tiered) continue;
    uint64_t gone = view->BytesFrom(topic.name(), partition, p.tiered) - view->BytesFrom(topic.name(), partition, offset);
    uint64_t& untiered = TopicTable::UntieredBytesOf(topic);
    untiered -= std::min(untiered, gone);
    p.tiered = offset;
    upkeep->NoteTiered(topic.name());
  }
}

const std::string& Log::journal_id() const { return state_->journal_id; }

LogStats Log::stats() const {
  const auto& s = *state_;
  LogStats stats;
  stats.journal_segments = s.journal->active() - s.upkeep->oldest_segment() + 1 + (s.journal->WantsSegment() ? 0 : 1);
  stats.spare_segments = s.upkeep->spare_segments();
  stats.journal_bytes = (stats.journal_segments + stats.spare_segments) * s.options.segment_bytes;
  stats.topic_file_bytes = s.view->topic_file_bytes();
  stats.dedup_bytes = s.dedup->disk_bytes();
  stats.dedup_runs = s.dedup->runs().size();
  stats.dedup_keys_open = s.dedup->open().size();
  stats.dedup_memory_bytes = s.dedup->memory_bytes();
  stats.commit_memory_bytes = s.journal->buffer().memory_bytes();
  stats.tail_bytes = s.view->tail_bytes();
  stats.durable = durable();
  return stats;
}

}  // namespace sluice::log
