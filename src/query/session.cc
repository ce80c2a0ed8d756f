// SPDX-License-Identifier: Apache-2.0
#include "query/session.h"

#include <algorithm>
#include <string>
#include <utility>

namespace sluice::query {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kWorkerWaitMs = 50;  // how often a thread without a worker looks at its statement's deadline
constexpr size_t kWorkersMax = 64;
constexpr int64_t kLoadingPollUs = 10'000;  // while statements wait for a table that is loading

QueryError Late() {
  return {QueryErrorKind::kExhausted, "no SQL worker became free before the statement's timeout", std::nullopt, "try again later, or with a longer timeout (\"timeout_ms\", --timeout)"};
}
QueryError StillLoading(const TableName& table) {
  return {QueryErrorKind::kTimeout, "the rows of " + table.schema + "." + table.name + " are still being loaded from the log, and the statement ran into its timeout", std::nullopt,
          "ask again, or raise the timeout (\"timeout_ms\", --timeout); GET /readyz says how far it is"};
}
QueryError CancelledError() { return {QueryErrorKind::kCancelled, "the statement was cancelled", std::nullopt, ""}; }

StatementResult EndedInQueue(QueryError error) {
  StatementResult out;
  out.error = std::move(error);
  return out;
}

}  // namespace

Result<void> SessionOptions::Validate() const {
  if (workers < 1 || workers > kWorkersMax) return Error{ErrorCode::kInvalid, "\"query.workers\" is not between 1 and " + std::to_string(kWorkersMax), ""};
  if (spares > kWorkersMax) return Error{ErrorCode::kInvalid, "\"query.spares\" is more than " + std::to_string(kWorkersMax), ""};
  if (queue_max < 1) return Error{ErrorCode::kInvalid, "\"query.queue_max\" is 0", ""};
  auto probe = worker;
  probe.nonce = "0";
  return ParseWorkerOptions(ToArguments(probe)).ok() ? Result<void>() : Error{ErrorCode::kInvalid, "a bound of SQL workers is out of range", ""};
}

Result<std::unique_ptr<Session>> Session::Open(io::Env env, SessionOptions options, ReadViewSource& views) {
  RETURN_IF_ERROR(options.Validate());
  std::unique_ptr<Session> session(new Session(env, std::move(options), views));
  for (size_t i = 0; i < session->options_.workers; i++) {
    auto thread = std::make_unique<QueryThread>();
    thread->wake = env.threads.NewSignal();
    auto& self = *session->threads_.emplace_back(std::move(thread));
    self.thread = env.threads.Start("query-" + std::to_string(i), io::ThreadPriority::kNormal, [s = session.get(), &self] { s->Work(self); });
  }
  return session;
}

Session::Session(io::Env env, SessionOptions options, ReadViewSource& views)
    : env_(env), options_(std::move(options)), views_(views), pool_(env, WorkerSetup{options_.worker, options_.spill_directory}, options_.workers + options_.spares),
      clerk_wake_(env.threads.NewSignal()) {
  threads_.reserve(options_.workers);
  clerk_ = env_.threads.Start("query-clerk", io::ThreadPriority::kNormal, [this] { WatchTheQueue(); });
}

Session::~Session() {
  std::deque<std::shared_ptr<Pending>> unstarted;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    unstarted.swap(waiting_);
    for (auto& [id, pending] : live_) pending->cancel->Cancel();
  }
  clerk_wake_->Notify();
  WakeAll();
  clerk_->Join();
  for (auto& thread : threads_) thread->thread->Join();
  unstarted.insert(unstarted.end(), waiting_.begin(), waiting_.end());  // those that went back to the queue meanwhile
  for (auto& pending : unstarted) Finish(*pending, EndedInQueue(CancelledError()));
}

Result<Session::StatementId> Session::Submit(SqlRequest request, std::shared_ptr<ResultSink> sink) {
  RETURN_IF_ERROR(ValidateRequest(request));
  auto pending = std::make_shared<Pending>();
  pending->sink = std::move(sink);
  pending->cancel = std::make_unique<CancelToken>(env_.threads.NewSignal());
  pending->submitted_ns = env_.clock.MonotonicNs();
  pending->deadline_ns = pending->submitted_ns + request.timeout_ms * kNsPerMs;
  pending->request = std::move(request);
  {
    std::lock_guard lock(mutex_);
    if (closing_) return Error{ErrorCode::kUnavailable, "the server is stopping", ""};
    if (waiting_.size() >= options_.queue_max)
      return Error{ErrorCode::kExhausted, std::to_string(options_.queue_max) + " SQL statements wait already", "try again later"};
    pending->id = next_id_++;
    waiting_.push_back(pending);
    live_[pending->id] = pending;
    env_.metrics.GetGauge(kQueuedMetric).Set(static_cast<double>(waiting_.size()));
  }
  WakeAll();
  clerk_wake_->Notify();
  return pending->id;
}

void Session::Cancel(StatementId id) {
  std::shared_ptr<Pending> pending;
  {
    std::lock_guard lock(mutex_);
    auto found = live_.find(id);
    if (found == live_.end()) return;
    pending = found->second;
  }
  pending->cancel->Cancel();
  clerk_wake_->Notify();  // it may still wait
}

void Session::WakeAll() {
  for (auto& thread : threads_) thread->wake->Notify();
}

void Session::Work(QueryThread& self) {
  while (auto pending = Next(self))
    if (!RunOne(*pending)) QueueAgain(std::move(pending));
}

void Session::QueueAgain(std::shared_ptr<Pending> pending) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_front(std::move(pending));  // its turn had come
    env_.metrics.GetGauge(kQueuedMetric).Set(static_cast<double>(waiting_.size()));
  }
  clerk_wake_->Notify();
}

std::shared_ptr<Session::Pending> Session::Next(QueryThread& self) {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (closing_) return nullptr;
      auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](auto& p) { return !p->awaits || !views_.IsLoading(p->awaits->schema, p->awaits->name); });
      if (next != waiting_.end()) {
        auto pending = std::move(*next);
        waiting_.erase(next);
        pending->awaits.reset();
        env_.metrics.GetGauge(kQueuedMetric).Set(static_cast<double>(waiting_.size()));
        return pending;
      }
    }
    self.wake->Wait();
  }
}

void Session::WatchTheQueue() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (closing_) return;
    }
    clerk_wake_->Wait(EndOverdueUs());
  }
}

int64_t Session::EndOverdueUs() {
  auto now = env_.clock.MonotonicNs();
  int64_t next_ns = INT64_MAX;
  bool awaits = false, loaded = false;
  std::vector<std::shared_ptr<Pending>> ended;
  {
    std::lock_guard lock(mutex_);
    auto is_over = [&](const std::shared_ptr<Pending>& p) { return p->cancel->cancelled() || now >= p->deadline_ns; };
    std::copy_if(waiting_.begin(), waiting_.end(), std::back_inserter(ended), is_over);
    std::erase_if(waiting_, is_over);
    for (auto& p : waiting_) {
      next_ns = std::min(next_ns, p->deadline_ns);
      if (!p->awaits) continue;
      (views_.IsLoading(p->awaits->schema, p->awaits->name) ? awaits : loaded) = true;
    }
  }
  if (loaded) WakeAll();
  for (auto& pending : ended) Finish(*pending, EndedInQueue(pending->cancel->cancelled() ? CancelledError() : pending->awaits ? StillLoading(*pending->awaits) : Late()));
  if (awaits) return std::min(kLoadingPollUs, (next_ns - now) / 1'000 + 1);
  return next_ns == INT64_MAX ? -1 : (next_ns - now) / 1'000 + 1;
}

std::unique_ptr<WorkerProcess> Session::TakeWorker(const Pending& pending) {
  for (;;) {
    if (auto worker = pool_.TryTake()) return worker;
    int64_t left_ns = pending.deadline_ns - env_.clock.MonotonicNs();
    if (left_ns <= 0) return nullptr;
    if (pending.cancel->signal().Wait(std::min(kWorkerWaitMs, left_ns / kNsPerMs + 1) * 1'000)) return nullptr;
  }
}

bool Session::RunOne(Pending& pending) {
  auto end = [&](StatementResult result) {
    Finish(pending, std::move(result));
    return true;
  };
  auto worker = TakeWorker(pending);
  if (!worker) return end(EndedInQueue(pending.cancel->cancelled() ? CancelledError() : Late()));
  auto view = views_.NewView();
  if (!view.ok()) {
    pool_.GiveBack(std::move(worker));
    return end(EndedInQueue(QueryError{QueryErrorKind::kUnavailable, view.error().message, std::nullopt, view.error().hint}));
  }
  StatementResult result;
  {
    Statement statement(env_, *worker, **view, numbers_, *pending.cancel, *pending.sink);
    result = statement.Run(pending.id, pending.request, pending.deadline_ns);
  }
  view->reset();  // before the end is told: whoever hears it may find the view's files gone
  if (!result.worker_usable) env_.metrics.GetCounter(kWorkersLostMetric).Add();
  if (result.worker_usable && !worker->in_background()) pool_.GiveBack(std::move(worker));
  else pool_.Replace(std::move(worker));
  // Nothing was said yet: all of it is asked again, of one view that has the table.
  pending.awaits = std::move(result.awaits);
  return pending.awaits ? false : end(std::move(result));
}

void Session::Finish(Pending& pending, StatementResult result) {
  {
    std::lock_guard lock(mutex_);
    live_.erase(pending.id);
  }
  result.stats.elapsed_us = (env_.clock.MonotonicNs() - pending.submitted_ns) / 1'000;
  env_.metrics.GetGauge(kMappedMetric).Set(static_cast<double>(pool_.idle_mapped_bytes()));
  std::string outcome(result.error ? QueryErrorName(result.error->kind) : "ok");
  env_.metrics.GetCounter(kStatementsMetric, {{"outcome", outcome}}).Add();
  env_.metrics.GetHistogram(kStatementSecondsMetric).Observe(static_cast<double>(result.stats.elapsed_us) / 1e6);
  if (result.error) {
    pending.sink->OnError(*result.error, result.stats);
  } else {
    pending.sink->OnDone(result.stats);
  }
}

}  // namespace sluice::query
