// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The one loop around a Consumer: Load, slices, Apply, Commit, and what to do when one of them fails.
//
//   error of Load, Apply, Commit        the pump
//   kConflict, kCommitUnknown           loads again (after a delay from the second time on)
//   kUnavailable, kExhausted, kIo       backs off (doubling, with jitter), then loads again
//   kInvalid, kCorruption, all others   pauses with the error as cause, until Resume

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "io/env.h"
#include "log/consumer.h"

namespace sluice::log {

struct PumpOptions {
  std::string name;                              // of its thread, 15 characters at most, and in log lines
  uint64_t slice_bytes_max = uint64_t{16} << 20;
  base::BackoffOptions backoff;
  io::ThreadPriority priority = io::ThreadPriority::kBackground;
  std::function<void(bool)> tell_failing;        // told is_failing() when it is set, before status() shows why; on the pump's thread, must not block
};

enum class PumpState : uint8_t {
  kLoading,     // before the first successful Load
  kRunning,
  kBackingOff,  // an error that may pass; cause() tells
  kPaused,      // an error that will not; cause() tells
  kStopped,
};
std::string_view PumpStateName(PumpState state);

struct PumpStatus {
  PumpState state = PumpState::kLoading;
  std::string cause;         // of backing off or pause: the error as text
  Progress committed;        // as of the last successful Load or Commit
  uint64_t lag_offsets = 0;  // durable but not committed
  uint64_t commits = 0, conflicts = 0, failures = 0;
};

// Thread-safe unless a method says otherwise.
class Pump {
 public:
  // `source` and `consumer` must outlive the pump. `feeds` are the topics it reads; they exist in `source`.
  Pump(io::Env env, LogSource& source, Consumer& consumer, std::vector<FeedId> feeds, PumpOptions options);
  // REQUIRES: never started, or Stop was called.
  ~Pump();

  // Runs the loop in a thread of its own until Stop.
  void Start();
  // Ends after the step at hand; what was applied and not committed is dropped (it comes again). Waits for the thread.
  void Stop();

  // Commits everything that is durable now, whatever the trigger says, then calls `done` with the progress; with the cause when
  // the pump pauses or stops first, and kUnavailable with the newest failure when `timeout_us` passes. `done` runs on the pump's thread and must not block.
  void Flush(int64_t timeout_us, std::function<void(Result<Progress>)> done);
  // Leaves the pause, or a back-off, and loads anew. With `settle`, which changes what the output says of its progress: that runs
  // first, on the pump's thread, and only when it succeeds the pause ends. `done` is told how Load ended, or why the pause goes on
  // (kInvalid: `settle` was given to a pump that is not paused; kCancelled: the pump stops); it runs on the pump's thread and must
  // not block.
  using Settle = std::function<Result<void>()>;
  void Resume(Settle settle = {}, std::function<void(Result<void>)> done = {});
  // Pauses with this cause (a table that was found broken elsewhere).
  void Pause(Error cause);
  PumpStatus status() const;
  // Something went wrong since its last success, more than one conflict: nobody knows when it gets on. Thread-safe, cheap.
  bool is_failing() const { return failing_.load(std::memory_order_relaxed); }

  // One step of the loop; returns how long to wait before the next one in microseconds (0: at once, -1: until something new is
  // durable or somebody calls). For tests, and for Start's thread. Not thread-safe.
  int64_t Step();

 private:
  struct FlushRequest {
    std::optional<Progress> target;  // set by the first step that sees it
    int64_t deadline_ns = 0;
    std::function<void(Result<Progress>)> done;
  };
  struct ResumeRequest {
    Settle settle;
    std::function<void(Result<void>)> done;
  };
  void TakeRequests();
  void TakeResume(ResumeRequest request);
  void AnswerResumes(const Result<void>& ended);
  void FailResumes(const Error& error);
  int64_t Load();
  Result<void> LoadProgress();
  Result<void> FillIn(Progress& progress);
  int64_t Work();
  Result<bool> ApplyNext();
  bool CommitIsDue() const;
  int64_t Commit();
  int64_t Fail(const Error& error);
  void SetFailing(bool failing);
  void EnterPause(const Error& cause);
  Result<void> SetFlushTargets();
  void AnswerFlushes();
  void ExpireFlushes();
  void FailFlushes(const Error& error);
  bool FlushWantsCommit() const;
  void Publish(PumpState state, std::string cause);
  void Drop();
  int64_t WaitUs() const;

  io::Env env_;
  LogSource& source_;
  Consumer& consumer_;
  const std::vector<FeedId> feeds_;
  const PumpOptions options_;
  base::Backoff backoff_;
  std::unique_ptr<io::Signal> wake_;
  std::unique_ptr<io::Thread> thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failing_{false};

  // Owned by the stepping thread.
  PumpState state_ = PumpState::kLoading;
  bool failed_to_load_ = false;  // the newest failure was one of Load
  std::string status_cause_;
  std::string last_failure_;  // since the last commit
  int64_t resume_at_ns_ = 0;
  Progress committed_, applied_;
  uint64_t applied_rows_ = 0, applied_bytes_ = 0;
  int64_t applied_since_ns_ = 0;
  uint32_t conflicts_in_row_ = 0;
  std::vector<FlushRequest> flushes_;
  std::vector<std::function<void(Result<void>)>> resumes_;  // told after the next Load

  // Shared; guarded by mutex_, which is never held across io.
  mutable std::mutex mutex_;
  PumpStatus status_;
  std::vector<FlushRequest> flush_inbox_;
  std::optional<Error> pause_request_;
  std::vector<ResumeRequest> resume_inbox_;
};

}  // namespace sluice::log
