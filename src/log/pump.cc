// SPDX-License-Identifier: Apache-2.0
#include "log/pump.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sluice::log {
namespace {

// Partitions that a map leaves out count as not reached, unless the target is 0.
bool Reaches(const Progress& at, const Progress& target) {
  for (auto& [feed, partitions] : target.next) {
    auto have = at.next.find(feed);
    for (auto& [partition, offset] : partitions) {
      if (offset.get() == 0) continue;
      if (have == at.next.end()) return false;
      auto p = have->second.find(partition);
      if (p == have->second.end() || p->second < offset) return false;
    }
  }
  return true;
}

bool MayPass(ErrorCode code) { return code == ErrorCode::kUnavailable || code == ErrorCode::kExhausted || code == ErrorCode::kIo; }

}  // namespace

std::string_view PumpStateName(PumpState state) {
  switch (state) {
    case PumpState::kLoading: return "loading";
    case PumpState::kRunning: return "running";
    case PumpState::kBackingOff: return "backing_off";
    case PumpState::kPaused: return "paused";
    case PumpState::kStopped: return "stopped";
  }
  base::CheckFailed(__FILE__, __LINE__, "state", "a pump state without a name");
}

Pump::Pump(io::Env env, LogSource& source, Consumer& consumer, std::vector<FeedId> feeds, PumpOptions options)
    : env_(env), source_(source), consumer_(consumer), feeds_(std::move(feeds)), options_(std::move(options)), backoff_(options_.backoff),
      wake_(env.threads.NewSignal()) {}

Pump::~Pump() { CHECK(thread_ == nullptr, "a pump that was started and not stopped"); }

// ---- any thread -----------------------------------------------------------------------------------------------------------

void Pump::Start() {
  CHECK(thread_ == nullptr, "a pump that was started twice");
  source_.Watch(wake_.get());
  thread_ = env_.threads.Start(options_.name, options_.priority, [this] {
    while (!stopping_.load()) {
      const int64_t wait_us = Step();
      if (wait_us != 0) wake_->Wait(wait_us);
    }
  });
}

void Pump::Stop() {
  stopping_.store(true);
  wake_->Notify();
  if (thread_ != nullptr) {
    thread_->Join();
    thread_.reset();
    source_.Unwatch(wake_.get());
  }
  FailFlushes({ErrorCode::kCancelled, options_.name + " stopped", {}});
  Publish(PumpState::kStopped, {});
}

void Pump::Flush(int64_t timeout_us, std::function<void(Result<Progress>)> done) {
  {
    std::lock_guard lock(mutex_);
    flush_inbox_.push_back({std::nullopt, env_.clock.MonotonicNs() + timeout_us * 1000, std::move(done)});
  }
  wake_->Notify();
}

void Pump::Resume() {
  {
    std::lock_guard lock(mutex_);
    resume_request_ = true;
  }
  wake_->Notify();
}

void Pump::Pause(Error cause) {
  {
    std::lock_guard lock(mutex_);
    pause_request_ = std::move(cause);
  }
  wake_->Notify();
}

PumpStatus Pump::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

// ---- the stepping thread ----------------------------------------------------------------------------------------------------

int64_t Pump::Step() {
  std::optional<Error> pause;
  bool resume = false;
  {
    std::lock_guard lock(mutex_);
    std::move(flush_inbox_.begin(), flush_inbox_.end(), std::back_inserter(flushes_));
    flush_inbox_.clear();
    pause = std::exchange(pause_request_, std::nullopt);
    resume = std::exchange(resume_request_, false);
  }
  if (pause) EnterPause(*pause);
  if (resume && state_ == PumpState::kPaused) Publish(PumpState::kLoading, {});
  AnswerFlushes();
  switch (state_) {
    case PumpState::kPaused:
    case PumpState::kStopped: return WaitUs();
    case PumpState::kBackingOff:
      if (env_.clock.MonotonicNs() < resume_at_ns_) return WaitUs();
      return Load();
    case PumpState::kLoading: return Load();
    case PumpState::kRunning: return Work();
  }
  base::CheckFailed(__FILE__, __LINE__, "state", "a pump without a state");
}

int64_t Pump::Load() {
  Drop();
  auto progress = consumer_.Load();
  if (!progress.ok()) return Fail(progress.error());
  committed_ = applied_ = std::move(progress).value();
  Publish(PumpState::kRunning, {});
  return 0;
}

// Forgets what was applied: it comes again.
void Pump::Drop() {
  applied_ = committed_;
  applied_rows_ = applied_bytes_ = 0;
  applied_since_ns_ = 0;
}

int64_t Pump::Work() {
  // A flush wants what is durable when the pump first sees it.
  for (auto& flush : flushes_) {
    if (flush.target) continue;
    Progress target;
    for (auto& feed : feeds_) {
      auto ends = source_.DurableEnds(feed);
      if (!ends.ok()) return Fail(ends.error());
      target.next[feed] = std::move(ends).value();
    }
    flush.target = std::move(target);
  }
  auto applied = ApplyNext();
  if (!applied.ok()) return Fail(applied.error());
  if (CommitIsDue()) return Commit();
  AnswerFlushes();
  return *applied ? 0 : WaitUs();
}

// False: nothing new.
Result<bool> Pump::ApplyNext() {
  Slice::Ranges ranges;
  for (auto& feed : feeds_) {
    ASSIGN_OR_RETURN(auto cut, source_.Cut(feed, applied_.next[feed], options_.slice_bytes_max));
    if (!cut.empty()) ranges[feed] = std::move(cut);
  }
  if (ranges.empty()) return false;
  const Slice slice(source_, std::move(ranges));
  RETURN_IF_ERROR(consumer_.Apply(slice));
  if (applied_since_ns_ == 0) applied_since_ns_ = env_.clock.MonotonicNs();
  applied_rows_ += slice.offsets();
  applied_bytes_ += slice.bytes();
  for (auto& [feed, partitions] : slice.ranges())
    for (auto& [partition, range] : partitions) applied_.next[feed][partition] = range.end;
  return true;
}

bool Pump::FlushWantsCommit() const {
  return std::any_of(flushes_.begin(), flushes_.end(), [&](auto& flush) { return flush.target && Reaches(applied_, *flush.target); });
}

bool Pump::CommitIsDue() const {
  if (applied_since_ns_ == 0) return false;
  const auto trigger = consumer_.trigger();
  if (applied_rows_ >= trigger.rows_max) return true;
  if (trigger.bytes_max > 0 && applied_bytes_ >= trigger.bytes_max) return true;
  if (trigger.age_us_max > 0 && env_.clock.MonotonicNs() - applied_since_ns_ >= trigger.age_us_max * 1000) return true;
  return FlushWantsCommit();
}

int64_t Pump::Commit() {
  auto committed = consumer_.Commit(committed_, applied_);
  if (!committed.ok()) return Fail(committed.error());
  committed_ = applied_;
  applied_rows_ = applied_bytes_ = 0;
  applied_since_ns_ = 0;
  conflicts_in_row_ = 0;
  backoff_.Reset();
  {
    std::lock_guard lock(mutex_);
    status_.commits++;
  }
  Publish(PumpState::kRunning, {});
  AnswerFlushes();
  return 0;
}

int64_t Pump::Fail(const Error& error) {
  const bool moved = error.code == ErrorCode::kConflict || error.code == ErrorCode::kCommitUnknown;
  {
    std::lock_guard lock(mutex_);
    if (moved) status_.conflicts++;
    else status_.failures++;
  }
  if (!moved && !MayPass(error.code)) {
    EnterPause(error);
    return WaitUs();
  }
  env_.log.Warn("consumer steps back", {{"pump", options_.name}, {"cause", error.ToString()}});
  // The first conflict is answered by reading again at once; those that follow wait, so that two owners do not race for ever.
  const bool at_once = moved && conflicts_in_row_++ == 0;
  resume_at_ns_ = env_.clock.MonotonicNs() + (at_once ? 0 : backoff_.NextDelay(env_.random.Next64()) * 1000);
  Publish(PumpState::kBackingOff, error.ToString());
  return at_once ? 0 : WaitUs();
}

void Pump::EnterPause(const Error& cause) {
  Drop();
  env_.log.Error("consumer paused", {{"pump", options_.name}, {"cause", cause.ToString()}});
  Publish(PumpState::kPaused, cause.ToString());
  FailFlushes(cause);
}

void Pump::AnswerFlushes() {
  const int64_t now_ns = env_.clock.MonotonicNs();
  std::vector<std::pair<FlushRequest, Result<Progress>>> answers;
  std::erase_if(flushes_, [&](FlushRequest& flush) {
    if (flush.target && Reaches(committed_, *flush.target)) {
      answers.emplace_back(std::move(flush), Result<Progress>(committed_));
    } else if (now_ns >= flush.deadline_ns) {
      answers.emplace_back(std::move(flush), Result<Progress>(Error{ErrorCode::kCancelled, "the flush was not done in time", "it goes on; look at the lag, or ask again"}));
    } else if (state_ == PumpState::kPaused) {
      answers.emplace_back(std::move(flush), Result<Progress>(Error{ErrorCode::kInvalid, status().cause, {}}));
    } else {
      return false;
    }
    return true;
  });
  for (auto& [flush, answer] : answers) flush.done(std::move(answer));
}

void Pump::FailFlushes(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    std::move(flush_inbox_.begin(), flush_inbox_.end(), std::back_inserter(flushes_));
    flush_inbox_.clear();
  }
  for (auto& flush : std::exchange(flushes_, {})) flush.done(Result<Progress>(error));
}

void Pump::Publish(PumpState state, std::string cause) {
  state_ = state;
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.cause = std::move(cause);
  status_.committed = committed_;
}

// Until the nearest deadline of a flush, a trigger's age or the end of a back-off; -1: until something happens.
int64_t Pump::WaitUs() const {
  const int64_t now_ns = env_.clock.MonotonicNs();
  int64_t until_ns = INT64_MAX;
  for (auto& flush : flushes_) until_ns = std::min(until_ns, flush.deadline_ns);
  if (state_ == PumpState::kBackingOff) until_ns = std::min(until_ns, resume_at_ns_);
  if (state_ == PumpState::kRunning && applied_since_ns_ != 0 && consumer_.trigger().age_us_max > 0)
    until_ns = std::min(until_ns, applied_since_ns_ + consumer_.trigger().age_us_max * 1000);
  if (until_ns == INT64_MAX) return -1;
  return std::max<int64_t>(1, (until_ns - now_ns) / 1000 + 1);
}

}  // namespace sluice::log
