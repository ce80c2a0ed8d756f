// SPDX-License-Identifier: Apache-2.0
#include "log/pump.h"

#include <algorithm>

#include "base/check.h"

namespace sluice::log {
namespace {

constexpr int64_t kNsPerUs = 1'000;
// The second conflict in a row waits: somebody else works on the same output.
constexpr uint32_t kConflictsAtOnce = 1;

bool WillPass(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kExhausted || code == ErrorCode::kIo;
}

bool MeansLoadAgain(ErrorCode code) { return code == ErrorCode::kConflict || code == ErrorCode::kCommitUnknown; }

// Whether `progress` has reached `target` everywhere.
bool Reached(const Progress& progress, const Progress& target) {
  for (const auto& [feed, partitions] : target.next) {
    auto own = progress.next.find(feed);
    for (auto [partition, offset] : partitions) {
      if (own == progress.next.end()) return false;
      auto at = own->second.find(partition);
      if (at == own->second.end() || at->second < offset) return false;
    }
  }
  return true;
}

}  // namespace

std::string_view PumpStateName(PumpState state) {
  switch (state) {
    case PumpState::kLoading: return "loading";
    case PumpState::kRunning: return "running";
    case PumpState::kBackingOff: return "backing_off";
    case PumpState::kPaused: return "paused";
    case PumpState::kStopped: return "stopped";
  }
  return "";
}

Pump::Pump(io::Env env, LogSource& source, Consumer& consumer, std::vector<FeedId> feeds, PumpOptions options)
    : env_(env),
      source_(source),
      consumer_(consumer),
      feeds_(std::move(feeds)),
      options_(std::move(options)),
      backoff_(options_.backoff),
      wake_(env.threads.NewSignal()) {
  source_.Watch(wake_.get());
}

Pump::~Pump() {
  CHECK(thread_ == nullptr, "a pump that runs");
  source_.Unwatch(wake_.get());
}

void Pump::Start() {
  CHECK(thread_ == nullptr, "a pump is started once");
  thread_ = env_.threads.Start(options_.name, options_.priority, [this] {
    while (!stopping_.load(std::memory_order_acquire)) {
      int64_t wait_us = Step();
      if (wait_us != 0) wake_->Wait(wait_us);
    }
    const Error stopping{ErrorCode::kCancelled, "'" + options_.name + "' is stopping", {}};
    FailFlushes(stopping);
    FailResumes(stopping);
    Publish(PumpState::kStopped, {});
  });
}

void Pump::Stop() {
  stopping_.store(true, std::memory_order_release);
  wake_->Notify();
  if (thread_ != nullptr) thread_->Join();
  thread_.reset();
}

void Pump::Flush(int64_t timeout_us, std::function<void(Result<Progress>)> done) {
  FlushRequest request{std::nullopt, env_.clock.MonotonicNs() + timeout_us * kNsPerUs, std::move(done)};
  {
    std::lock_guard lock(mutex_);
    flush_inbox_.push_back(std::move(request));
  }
  wake_->Notify();
}

void Pump::Resume(Settle settle, std::function<void(Result<void>)> done) {
  {
    std::lock_guard lock(mutex_);
    resume_inbox_.push_back({std::move(settle), std::move(done)});
    pause_request_.reset();
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
  PumpStatus status;
  {
    std::lock_guard lock(mutex_);
    status = status_;
  }
  for (const auto& feed : feeds_) {
    auto ends = source_.DurableEnds(feed);
    auto firsts = source_.FirstRetained(feed);
    if (!ends.ok() || !firsts.ok()) continue;
    for (auto [partition, end] : *ends) {
      auto& own = status.committed.next[feed];
      auto at = own.find(partition);
      Offset from = at != own.end() ? at->second : firsts->at(partition);
      if (end > from) status.lag_offsets += static_cast<uint64_t>(end - from);
    }
  }
  return status;
}

// ---- the loop ----

int64_t Pump::Step() {
  TakeRequests();
  if (state_ == PumpState::kPaused) {
    FailFlushes(Error{ErrorCode::kUnavailable, "'" + options_.name + "' is paused: " + status_cause_, "find the cause, then resume it"});
    return -1;
  }
  int64_t now = env_.clock.MonotonicNs();
  if (state_ == PumpState::kBackingOff && now < resume_at_ns_) {
    ExpireFlushes();
    return std::max<int64_t>(1, (resume_at_ns_ - now) / kNsPerUs);
  }
  int64_t wait = state_ == PumpState::kRunning ? Work() : Load();
  AnswerFlushes();
  return wait;
}

void Pump::TakeRequests() {
  std::optional<Error> pause;
  std::vector<ResumeRequest> resumes;
  {
    std::lock_guard lock(mutex_);
    pause.swap(pause_request_);
    resumes.swap(resume_inbox_);
    for (auto& request : flush_inbox_) flushes_.push_back(std::move(request));
    flush_inbox_.clear();
  }
  for (auto& request : resumes) TakeResume(std::move(request));
  if (!pause) return;
  EnterPause(*pause);
  AnswerResumes(*pause);
}

void Pump::TakeResume(ResumeRequest request) {
  auto answer = [&](const Result<void>& ended) {
    if (request.done) request.done(ended);
  };
  if (request.settle && state_ != PumpState::kPaused)
    return answer(Error{ErrorCode::kInvalid, "what reads \"" + feeds_.front() + "\" is not paused", "there is nothing to settle: it goes on where it is"});
  if (state_ == PumpState::kRunning) return answer({});
  if (request.settle) {
    if (auto settled = request.settle(); !settled.ok()) return answer(settled.error());
  }
  backoff_.Reset();
  Drop();
  Publish(PumpState::kLoading, {});
  if (request.done) resumes_.push_back(std::move(request.done));
}

void Pump::AnswerResumes(const Result<void>& ended) {
  for (auto& done : resumes_) done(ended);
  resumes_.clear();
}

int64_t Pump::Load() {
  Drop();
  auto loaded = LoadProgress();
  if (!loaded.ok()) {
    const int64_t wait_us = Fail(loaded.error());
    failed_to_load_ = true;
    AnswerResumes(loaded);
    return wait_us;
  }
  if (failed_to_load_) SetFailing(false);  // a commit that failed is to succeed first
  Publish(PumpState::kRunning, {});
  AnswerResumes({});
  return 0;
}

Result<void> Pump::LoadProgress() {
  ASSIGN_OR_RETURN(committed_, consumer_.Load());
  RETURN_IF_ERROR(FillIn(committed_));
  applied_ = committed_;
  return {};
}

// Partitions that the output does not name yet start where the log does.
Result<void> Pump::FillIn(Progress& progress) {
  for (const auto& feed : feeds_) {
    ASSIGN_OR_RETURN(auto firsts, source_.FirstRetained(feed));
    progress.next[feed].insert(firsts.begin(), firsts.end());
  }
  return {};
}

int64_t Pump::Work() {
  auto targets = SetFlushTargets();
  if (!targets.ok()) return Fail(targets.error());
  auto applied = ApplyNext();
  if (!applied.ok()) return Fail(applied.error());
  if (CommitIsDue()) return Commit();
  if (*applied) return 0;
  const int64_t wait_us = WaitUs();
  if (applied_rows_ != 0 || !flushes_.empty()) return wait_us;
  const int64_t idle_us = consumer_.Idle();
  return wait_us < 0 ? idle_us : idle_us < 0 ? wait_us : std::min(wait_us, idle_us);
}

// True: a slice was applied.
Result<bool> Pump::ApplyNext() {
  Slice::Ranges ranges;
  for (const auto& feed : feeds_) {
    ASSIGN_OR_RETURN(auto cut, source_.Cut(feed, applied_.next[feed], options_.slice_bytes_max));
    if (!cut.empty()) ranges[feed] = std::move(cut);
  }
  if (ranges.empty()) return false;
  Slice slice(source_, std::move(ranges));
  RETURN_IF_ERROR(consumer_.Apply(slice));
  if (applied_rows_ == 0) applied_since_ns_ = env_.clock.MonotonicNs();
  applied_rows_ += slice.offsets();
  applied_bytes_ += slice.bytes();
  for (const auto& [feed, partitions] : slice.ranges()) {
    for (const auto& [partition, range] : partitions) applied_.next[feed][partition] = range.end;
  }
  return true;
}

bool Pump::CommitIsDue() const {
  if (applied_rows_ == 0) return false;
  CommitTrigger trigger = consumer_.trigger();
  if (applied_rows_ >= trigger.rows_max) return true;
  if (trigger.bytes_max != 0 && applied_bytes_ >= trigger.bytes_max) return true;
  if (trigger.age_us_max != 0 && env_.clock.MonotonicNs() - applied_since_ns_ >= trigger.age_us_max * kNsPerUs) return true;
  return FlushWantsCommit();
}

// A flush commits when all it asked for was applied, not earlier: one commit for it, not many.
bool Pump::FlushWantsCommit() const {
  return std::any_of(flushes_.begin(), flushes_.end(), [&](const FlushRequest& f) {
    return f.target && !Reached(committed_, *f.target) && Reached(applied_, *f.target);
  });
}

int64_t Pump::Commit() {
  auto done = consumer_.Commit(committed_, applied_);
  if (!done.ok()) return Fail(done.error());
  committed_ = applied_;
  applied_rows_ = applied_bytes_ = 0;
  conflicts_in_row_ = 0;
  last_failure_.clear();
  SetFailing(false);
  backoff_.Reset();
  {
    std::lock_guard lock(mutex_);
    status_.commits++;
    status_.committed = committed_;
  }
  return 0;
}

int64_t Pump::Fail(const Error& error) {
  Drop();
  failed_to_load_ = false;
  last_failure_ = error.ToString();
  bool again = MeansLoadAgain(error.code);
  {
    std::lock_guard lock(mutex_);
    (again ? status_.conflicts : status_.failures)++;
  }
  if (!again && !WillPass(error.code)) {
    EnterPause(error);
    return 0;
  }
  // One is no sign that it does not get on: a commit that landed late, or another owner that comes only once.
  if (again && ++conflicts_in_row_ <= kConflictsAtOnce) {
    Publish(PumpState::kLoading, {});
    return 0;
  }
  SetFailing(true);
  int64_t delay_us = backoff_.NextDelay(env_.random.Next64());
  resume_at_ns_ = env_.clock.MonotonicNs() + delay_us * kNsPerUs;
  env_.log.Warn("consumer backs off", {{"consumer", options_.name}, {"error", error.ToString()}, {"delay_us", delay_us}});
  Publish(PumpState::kBackingOff, error.ToString());
  return delay_us;
}

void Pump::EnterPause(const Error& cause) {
  Drop();
  SetFailing(true);
  env_.log.Error("consumer is paused", {{"consumer", options_.name}, {"cause", cause.ToString()}});
  Publish(PumpState::kPaused, cause.ToString());
}

void Pump::SetFailing(bool failing) {
  failing_.store(failing, std::memory_order_relaxed);
  if (options_.tell_failing) options_.tell_failing(failing);
}

// What was applied and not committed comes again after the next Load.
void Pump::Drop() {
  applied_ = committed_;
  applied_rows_ = applied_bytes_ = 0;
}

// The next trigger by age, or the end of a flush's patience; otherwise until something new is durable.
int64_t Pump::WaitUs() const {
  int64_t until = INT64_MAX;
  int64_t age = consumer_.trigger().age_us_max;
  if (applied_rows_ != 0 && age != 0) until = applied_since_ns_ + age * kNsPerUs;
  for (const auto& flush : flushes_) until = std::min(until, flush.deadline_ns);
  if (until == INT64_MAX) return -1;
  return std::max<int64_t>(1, (until - env_.clock.MonotonicNs()) / kNsPerUs);
}

// ---- flushes ----

Result<void> Pump::SetFlushTargets() {
  for (auto& flush : flushes_) {
    if (flush.target) continue;
    Progress target;
    for (const auto& feed : feeds_) {
      ASSIGN_OR_RETURN(target.next[feed], source_.DurableEnds(feed));
    }
    flush.target = std::move(target);
  }
  return {};
}

void Pump::AnswerFlushes() {
  std::erase_if(flushes_, [&](FlushRequest& flush) {
    if (!flush.target || !Reached(committed_, *flush.target)) return false;
    flush.done(committed_);
    return true;
  });
  ExpireFlushes();
}

void Pump::ExpireFlushes() {
  int64_t now = env_.clock.MonotonicNs();
  std::erase_if(flushes_, [&](FlushRequest& flush) {
    if (now < flush.deadline_ns) return false;
    std::string cause = last_failure_.empty() ? std::string() : ": " + last_failure_;
    flush.done(Error{ErrorCode::kUnavailable, "'" + options_.name + "' did not commit in time" + cause, "it goes on: ask again"});
    return true;
  });
}

void Pump::FailFlushes(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    for (auto& request : flush_inbox_) flushes_.push_back(std::move(request));
    flush_inbox_.clear();
  }
  for (auto& flush : flushes_) flush.done(error);
  flushes_.clear();
}

void Pump::FailResumes(const Error& error) {
  std::vector<ResumeRequest> waiting;
  {
    std::lock_guard lock(mutex_);
    waiting.swap(resume_inbox_);
  }
  for (auto& request : waiting) {
    if (request.done) resumes_.push_back(std::move(request.done));
  }
  AnswerResumes(error);
}

void Pump::Publish(PumpState state, std::string cause) {
  state_ = state;
  status_cause_ = cause;
  std::lock_guard lock(mutex_);
  status_.state = state;
  status_.cause = std::move(cause);
  status_.committed = committed_;
}

}  // namespace sluice::log
