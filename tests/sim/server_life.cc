// SPDX-License-Identifier: Apache-2.0
#include "sim/server_life.h"

#include <algorithm>

#include "sim/dice.h"
#include "sim/forwarding_catalog.h"
#include "sim/table_rows.h"
#include "sim/view_check.h"

namespace sluice::sim {
namespace {

constexpr int64_t kHousekeepingUs = 100'000;  // as in server/engine.cc
constexpr int64_t kFlushTimeoutUs = 10 * kMicrosPerSecond;
constexpr int64_t kLoadingPollUs = 5'000;
constexpr int64_t kStopPollUs = 50'000;  // of readers
constexpr uint64_t kReaderStream = 500;

// What injected faults look like from above; without them each is a finding.
bool MayBeInjected(ErrorCode code) { return code == ErrorCode::kIo || code == ErrorCode::kUnavailable || code == ErrorCode::kCommitUnknown || code == ErrorCode::kCancelled || code == ErrorCode::kExhausted; }

std::map<int32_t, int64_t> Ends(const table::PartitionOffsets& offsets) {
  std::map<int32_t, int64_t> out;
  for (auto& [partition, offset] : offsets) out[partition.get()] = offset.get();
  return out;
}

}  // namespace

bool Mailbox::Post(std::shared_ptr<Call> call) {
  if (bell == nullptr) return false;
  calls.push_back(std::move(call));
  bell->Notify();
  return true;
}

ServerLife::ServerLife(RunState& run, io::Env env)
    : run_(run), options_(run.scenario.server), files_(run.wiring.files ? run.wiring.files(env.files) : nullptr),
      objects_(files_ ? io::MakeFileObjectStore(*files_) : nullptr),
      env_{files_ ? *files_ : env.files, objects_ ? *objects_ : env.objects, env.memory, env.clock, env.random, env.threads, env.log, env.metrics, env.processes} {
  // What reached the disk is unknown: the process ends.
  options_.log.on_fatal = [this](const Error&) { run_.world.Crash(io::CrashKind::kProcess); };
  if (run_.wiring.options) run_.wiring.options(options_);
}

ServerLife::~ServerLife() {
  run_.mailbox.bell = nullptr;
  run_.mailbox.calls.clear();
}

void ServerLife::Run() {
  run_.lives++;
  if (auto opened = Open(); !opened.ok()) {
    env_.log.Error("not started", {{"cause", opened.error().ToString()}});
    if (!run_.faults_on || !MayBeInjected(opened.error().code)) run_.verdict.Note("start", opened.error().ToString());
    return;
  }
  Look(0, false, true);  // whatever was acknowledged before the crash is in the first view
  run_.mailbox.bell = &pipeline_->log().written();
  for (int i = 0; i < run_.scenario.readers; i++)
    readers_.push_back(env_.threads.Start("reader-" + std::to_string(i), io::ThreadPriority::kNormal, [this, i] { Read(i); }));
  Serve();
  run_.mailbox.bell = nullptr;
  for (auto& reader : readers_) reader->Join();
  readers_.clear();
  if (auto stopped = pipeline_->Stop(); !stopped.ok() && !run_.faults_on) run_.verdict.Note("stop", stopped.error().ToString());
}

Result<void> ServerLife::Open() {
  auto open_catalog = [this](const Path&) -> Result<std::unique_ptr<io::CatalogStore>> {
    auto& catalog = run_.world.catalog();
    if (run_.wiring.catalog) return run_.wiring.catalog(catalog);
    return std::unique_ptr<io::CatalogStore>(std::make_unique<ForwardingCatalog>(catalog));
  };
  ASSIGN_OR_RETURN(pipeline_, server::Pipeline::Open(env_, options_, open_catalog));
  if (run_.wiring.listener) {
    listener_ = run_.wiring.listener(pipeline_->registry());
    pipeline_->log().SetListener(listener_.get());
  }
  views_ = std::make_unique<query::TableReadViews>(env_, pipeline_->registry());
  return {};
}

// ---- the loop -------------------------------------------------------------------------------------------------------------

void ServerLife::Serve() {
  auto& log = pipeline_->log();
  int64_t housekeeping_ns = env_.clock.MonotonicNs();
  while (!stopping_ && run_.verdict.ok()) {
    while (!run_.mailbox.calls.empty() && !stopping_) {
      auto call = run_.mailbox.calls.front();
      run_.mailbox.calls.pop_front();
      Take(call);
    }
    log.Tick(env_.clock.Now());
    AnswerDurable();
    if (run_.wiring.on_round) run_.wiring.on_round(*pipeline_);
    const int64_t now_ns = env_.clock.MonotonicNs();
    if (now_ns >= housekeeping_ns) {
      pipeline_->TickFeeds();
      CheckPumps();
      housekeeping_ns = now_ns + kHousekeepingUs * 1'000;
    }
    int64_t wait_us = (housekeeping_ns - now_ns) / 1'000 + 1;  // time stands still for whoever does not wait
    if (const int64_t tick_us = log.tick_delay_us(); tick_us >= 0) wait_us = std::min(wait_us, std::max<int64_t>(tick_us, 1));
    log.written().Wait(wait_us);
  }
  stopping_ = true;
}

void ServerLife::Finish(Call& call) {
  call.done = true;
  if (call.bell != nullptr) call.bell->Notify();
}

void ServerLife::Take(const std::shared_ptr<Call>& call) {
  switch (call->kind) {
    case Call::Kind::kIngest: return Ingest(call);
    case Call::Kind::kFlush: return Flush(call);
    case Call::Kind::kLook: Look(0, true, true); return Finish(*call);
    case Call::Kind::kStop: stopping_ = true; return Finish(*call);
  }
}

void ServerLife::Ingest(const std::shared_ptr<Call>& call) {
  const Request& request = *call->request;
  std::vector<event::HttpHeader> headers;
  for (auto& [name, value] : request.headers) headers.push_back({name, value});
  const Principal principal{request.tenant, {}};
  ingest::IngestRequest in;
  in.content_type = request.content_type;
  in.content_encoding = request.content_encoding;
  in.headers = headers;
  in.body = std::string_view(request.body).substr(0, request.body_bytes);
  in.topic = request.topic;
  in.lenient = request.lenient;
  in.principal = &principal;
  auto outcome = pipeline_->gate().Ingest(in);
  call->status = outcome.status;
  call->message = outcome.message;
  if (!outcome.ok()) return Finish(*call);
  for (auto& event : pipeline_->gate().EventOutcomes()) call->events.push_back({std::string(event.topic), {event.partition, event.offset}, event.duplicate});
  waiting_.push_back({run_.wiring.answers_before_durable ? log::CommitSequence(0) : outcome.durable_after, call});
}

// In order, as front/http/ingest_endpoint.h does.
void ServerLife::AnswerDurable() {
  const auto durable = pipeline_->log().durable();
  while (!waiting_.empty() && waiting_.front().durable_after <= durable) {
    Finish(*waiting_.front().call);
    waiting_.pop_front();
  }
}

void ServerLife::Flush(const std::shared_ptr<Call>& call) {
  auto left = std::make_shared<size_t>(pipeline_->feeds().size());
  if (*left == 0) return Finish(*call);
  for (auto& feed : pipeline_->feeds())
    pipeline_->Flush(*feed, kFlushTimeoutUs, [call, left](Result<log::Progress> flushed) {
      if (!flushed.ok()) call->message = flushed.error().ToString();
      if (--*left == 0) Finish(*call);
    });
}

// Nothing that a run does is a reason to stop a table for good.
void ServerLife::CheckPumps() {
  for (auto& feed : pipeline_->feeds()) {
    const auto status = feed->pump().status();
    if (status.state == log::PumpState::kPaused) run_.verdict.Note("the table " + feed->table().name().ToString() + " is paused", status.cause);
  }
}

// ---- readers --------------------------------------------------------------------------------------------------------------

void ServerLife::Read(int reader) {
  Dice dice(run_.scenario.seed, kReaderStream + static_cast<uint64_t>(run_.lives * 10 + reader));
  for (int i = 0; i < run_.scenario.views_max && !stopping_ && run_.verdict.ok(); i++) {
    Look(run_.scenario.view_held_us_max == 0 ? 0 : dice.Between(0, run_.scenario.view_held_us_max), false, false);
    Pause(dice.Between(1'000, run_.scenario.view_pause_us_max));
  }
}

void ServerLife::Pause(int64_t us) {
  for (; us > 0 && !stopping_; us -= kStopPollUs) env_.clock.SleepUs(std::min(us, kStopPollUs));
}

// As statements do. The loop goes on meanwhile: rows that are to be loaded may not be durable yet.
void ServerLife::WaitUntilLoaded(bool on_loop) {
  auto is_loading = [&] {
    const auto tables = pipeline_->registry().Tables();
    return std::any_of(tables.begin(), tables.end(), [&](auto* table) { return pipeline_->registry().IsLoading(*table); });
  };
  while (is_loading() && (on_loop || !stopping_)) {
    env_.clock.SleepUs(kLoadingPollUs);
    if (!on_loop) continue;
    pipeline_->log().Tick(env_.clock.Now());
    AnswerDurable();
  }
}

void ServerLife::Look(int64_t held_us, bool lake_only, bool on_loop) {
  WaitUntilLoaded(on_loop);
  // No io between these lines: one moment.
  ViewRules rules{run_.ledger.acknowledged().size(), run_.ledger.seen_ends(), options_.log.watermark_delay_us, options_.log.time_ahead_us_max};
  auto view = views_->NewView();
  const auto tables = pipeline_->registry().Tables();
  std::vector<std::optional<std::map<int32_t, int64_t>>> lake_ends;  // the versions themselves are not held: that is the view's work
  for (auto* table : tables) {
    auto version = pipeline_->registry().Version(*table);
    lake_ends.push_back(version ? std::make_optional(Ends(version->progress.offsets())) : std::nullopt);
  }

  Pause(held_us);
  std::vector<ShownTable> shown;
  for (size_t i = 0; i < tables.size(); i++) {
    const auto& name = tables[i]->name();
    auto failed = [&](const Error& error) {
      // Where errors are injected, a table may take a while until it can be read again; not when it was flushed just now.
      if (lake_only || !run_.scenario.has_faults() || !MayBeInjected(error.code)) run_.verdict.Note("view of " + name.ToString(), error.ToString());
    };
    auto table = (*view)->FindTable(name.table_namespace, name.name);
    if (!table.ok() && !lake_ends[i] && !run_.scenario.has_faults()) continue;  // its first event is on its way
    if (!table.ok()) return failed(table.error());
    auto rows = ReadRows(env_, **table);
    if (!rows.ok()) return failed(rows.error());
    if (lake_only && !rows->hot.empty()) run_.verdict.Note("view of " + name.ToString(), "rows are hot after a flush");
    auto& out = shown.emplace_back();
    out.topic = tables[i]->topic_name();
    out.rows = std::move(*rows);
    out.lake_ends = *lake_ends[i];
    for (auto& [partition, offset] : (*table)->freshness().next_offsets) out.ends[partition.get()] = offset.get();
  }
  run_.views++;
  run_.verdict.Note("view", CheckView(shown, rules, run_.ledger));
}

}  // namespace sluice::sim
