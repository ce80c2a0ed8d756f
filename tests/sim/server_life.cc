// SPDX-License-Identifier: Apache-2.0
#include "sim/server_life.h"

#include <algorithm>

#include "sim/cloned_files.h"
#include "sim/damage.h"
#include "sim/dice.h"
#include "sim/foreign_deletes.h"
#include "sim/forwarding_catalog.h"
#include "sim/http_client.h"
#include "sim/http_front.h"
#include "sim/other_engine.h"
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
bool MayBeInjected(ErrorCode code) {
  return code == ErrorCode::kIo || code == ErrorCode::kUnavailable || code == ErrorCode::kCommitUnknown || code == ErrorCode::kCancelled ||
         code == ErrorCode::kExhausted;
}

// Whether an error means that the other one of two servers fed a table with other rows: the one reason to stop for good.
bool SaysDiverged(const RunState& run, const std::string& text) {
  return run.has_rival &&
         (text.find("diverge before offset") != std::string::npos || text.find("the log ends before it") != std::string::npos);
}

std::map<int32_t, int64_t> Ends(const table::PartitionOffsets& offsets) {
  std::map<int32_t, int64_t> out;
  for (auto& [partition, offset] : offsets) out[partition.get()] = offset.get();
  return out;
}

}  // namespace

ServerLife::ServerLife(RunState& run, io::Env env)
    : run_(run),
      options_(run.scenario.server),
      placed_(run.place.empty() ? nullptr : std::make_unique<ClonedFiles>(env.files, run.scenario.server.data, run.place)),
      files_(run.wiring.files ? run.wiring.files(placed_ ? *placed_ : env.files) : nullptr),
      objects_(files_ ? io::MakeFileObjectStore(*files_) : nullptr),
      env_{files_    ? *files_
           : placed_ ? *placed_
                     : env.files,
           objects_ ? *objects_ : env.objects,
           env.memory,
           env.clock,
           env.random,
           env.threads,
           env.log,
           env.metrics,
           env.processes,
           env.network} {
  // What reached the disk is unknown: the process ends.
  options_.log.on_fatal = [this](const Error&) { run_.world.Crash(io::CrashKind::kProcess, run_.server); };
  if (run_.wiring.options) run_.wiring.options(options_);
}

ServerLife::~ServerLife() { run_.network.Listen(nullptr); }

void ServerLife::Run() {
  run_.all.lives++;
  for (auto& [name, visited] : run_.all.visited) visited.waits = true;  // whoever was resuming them is gone
  if (auto opened = Open(); !opened.ok()) {
    env_.log.Error("not started", {{"cause", opened.error().ToString()}});
    if (SaysDiverged(run_, opened.error().message)) {
      run_.reached.Note(Reach::kRetired);
      run_.retired = true;
      return;
    }
    if (NameDamage(run_, "start", opened.error().ToString())) return;
    if (!run_.faults_on || !MayBeInjected(opened.error().code)) run_.verdict.Note("start", opened.error().ToString());
    return;
  }
  Look(0, false, Loading::kLeftOut);  // whatever was acknowledged before the crash is in the first view
  run_.network.Listen(&pipeline_->log().written());
  StartReader("first-reader", [this] { Look(0, false, Loading::kAwaited); });
  for (int i = 0; i < run_.scenario.readers; i++) StartReader("reader-" + std::to_string(i), [this, i] { Read(i); });
  if (run_.scenario.http.is_used) ServeHttp();
  else Serve();
  run_.network.Listen(nullptr);
  for (auto& reader : readers_) reader->Join();
  readers_.clear();
  if (auto stopped = pipeline_->Stop(); !stopped.ok() && !run_.faults_on && !NameDamage(run_, "stop", stopped.error().ToString()))
    run_.verdict.Note("stop", stopped.error().ToString());
}

Result<void> ServerLife::Open() {
  auto open_catalog = [this](const Path&) -> Result<std::unique_ptr<io::CatalogStore>> {
    catalog_ = std::make_unique<OutageCatalog>(run_.world.catalog(run_.server), run_.all.broken_tables, run_.reached);
    io::CatalogStore& catalog = *catalog_;
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
    TakeCalls();
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

// The same with the product's own loop and front; what is no ingest is asked at the depth of requests.
void ServerLife::ServeHttp() {
  auto opened = HttpFront::Open(env_, *pipeline_, run_.scenario, run_.wiring, AddressOf(run_));
  if (!opened.ok()) return run_.verdict.Note("HTTP", opened.error().ToString());
  auto& front = **opened;
  run_.reached.Note(Reach::kHttp);
  HttpFront::Hooks hooks;
  hooks.on_bell = [this] { TakeCalls(); };
  hooks.on_housekeeping = [this] {
    pipeline_->TickFeeds();
    CheckPumps();
  };
  hooks.on_round = [this, &front] {
    if (run_.wiring.on_round) run_.wiring.on_round(*pipeline_);
    if (front.connections() > run_.scenario.http.options.connections_max)
      run_.verdict.Note("HTTP", std::to_string(front.connections()) + " connections are open");
    if (!stopping_ && run_.stop_asked) stopping_ = run_.restarts = true;
    if (!stopping_ && run_.verdict.ok()) return;
    if (front.waiting() > 0) run_.reached.Note(Reach::kHttpDrained);
    stopping_ = true;
    front.Stop();
  };
  run_.stop_asked = false;
  const auto ran = front.Run(hooks);
  if (!ran.ok()) run_.verdict.Note("HTTP", ran.error().ToString());
  if (!front.was_cut() && front.waiting() > 0) run_.verdict.Note("HTTP", "the server stopped before it answered");
}

void ServerLife::TakeCalls() {
  while (!stopping_) {
    auto call = run_.network.Take();
    if (call == nullptr) break;
    Take(call);
  }
}

void ServerLife::Take(const std::shared_ptr<Call>& call) {
  switch (call->kind) {
    case Call::Kind::kIngest: return Ingest(call);
    case Call::Kind::kFlush: return Flush(call);
    case Call::Kind::kLook:
      return StartReader("closing-reader", [this, call] {
        Look(0, true, Loading::kAwaited);
        run_.network.Answer(call);
      });
    case Call::Kind::kStop: stopping_ = true; return run_.network.Answer(call);
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
  if (!outcome.ok()) return run_.network.Answer(call);
  for (auto& event : pipeline_->gate().EventOutcomes())
    call->events.push_back({std::string(event.topic), {event.partition, event.offset}, event.duplicate});
  const bool only_duplicates = std::all_of(call->events.begin(), call->events.end(), [](auto& event) { return event.duplicate; });
  if (run_.wiring.answers_before_durable || (run_.wiring.answers_pending_duplicates && only_duplicates)) return run_.network.Answer(call);
  waiting_.push_back({outcome.durable_after, call});
}

// In order, as front/http/ingest_endpoint.h does.
void ServerLife::AnswerDurable() {
  const auto durable = pipeline_->log().durable();
  while (!waiting_.empty() && waiting_.front().durable_after <= durable) {
    run_.network.Answer(waiting_.front().call);
    waiting_.pop_front();
  }
}

void ServerLife::Flush(const std::shared_ptr<Call>& call) {
  std::vector<server::TableFeed*> feeds;
  for (auto& feed : pipeline_->feeds())
    if (!HasDiverged(feed->table())) feeds.push_back(feed.get());
  if (feeds.empty()) return run_.network.Answer(call);
  auto left = std::make_shared<size_t>(feeds.size());
  for (auto* feed : feeds)
    pipeline_->Flush(*feed, kFlushTimeoutUs, [this, call, left, feed](Result<log::Progress> flushed) {
      if (!flushed.ok() && !HasDiverged(feed->table())) call->message = flushed.error().ToString();
      if (--*left == 0) run_.network.Answer(call);
    });
}

// Nothing that a run does is a reason to stop a table for good.
void ServerLife::CheckPumps() {
  for (auto& load : pipeline_->Loading())
    if (SaysDamage(load.problem)) NameDamage(run_, "loading of " + load.table->name().ToString(), load.problem);
  if (pipeline_->memory().file_bytes_used() > 0) run_.reached.Note(Reach::kHotFiles);
  for (auto& feed : pipeline_->feeds()) {
    if (feed->table().is_stuck()) run_.reached.Note(Reach::kTableStuck);
    const auto status = feed->pump().status();
    if (status.state == log::PumpState::kPaused && !HasDiverged(feed->table()) && !ResumeVisited(run_, *feed) &&
        !NameDamage(run_, "pause", status.cause))
      run_.verdict.Note("the table " + feed->table().name().ToString() + " is paused", status.cause);
  }
}

// The other copy of the log fed the table with other rows, and the table stopped taking this one's.
bool ServerLife::HasDiverged(const table::Table& table) const {
  if (run_.diverged.contains(table.name())) return true;
  for (auto& feed : pipeline_->feeds()) {
    if (&feed->table() != &table) continue;
    const auto status = feed->pump().status();
    if (status.state != log::PumpState::kPaused || !SaysDiverged(run_, status.cause)) return false;
    env_.log.Info("the other copy of the log has the table", {{"table", table.name().ToString()}});
    run_.reached.Note(Reach::kDiverged);
    run_.diverged.insert(table.name());
    return true;
  }
  return false;
}

// ---- readers --------------------------------------------------------------------------------------------------------------

void ServerLife::StartReader(const std::string& name, std::function<void()> body) {
  readers_.push_back(env_.threads.Start(name, io::ThreadPriority::kNormal, std::move(body)));
}

void ServerLife::Read(int reader) {
  Dice dice(run_.scenario.seed, kReaderStream + static_cast<uint64_t>(run_.all.lives * 10 + reader));
  for (int i = 0; i < run_.scenario.views_max && !stopping_ && run_.verdict.ok(); i++) {
    Look(run_.scenario.view_held_us_max == 0 ? 0 : dice.Between(0, run_.scenario.view_held_us_max), false,
         dice.Coin() ? Loading::kAwaited : Loading::kLeftOut);
    Pause(dice.Between(1'000, run_.scenario.view_pause_us_max));
  }
}

void ServerLife::Pause(int64_t us) {
  for (; us > 0 && !stopping_; us -= kStopPollUs) env_.clock.SleepUs(std::min(us, kStopPollUs));
}

// A view, and what has to be in it.
struct ServerLife::View {
  history::Stamp invoked = 0;
  ViewRules rules;
  std::shared_ptr<const query::ReadView> view;
  std::vector<table::Table*> tables;
  std::vector<std::optional<std::map<int32_t, int64_t>>> lake_ends;  // the versions themselves are not held: that is the view's work
};

// False: the server stops.
bool ServerLife::MakeView(Loading loading, View& out) {
  for (;;) {
    // No io between these lines: one moment.
    out.invoked = ++run_.all.stamp;
    out.rules = {
        run_.ledger.acknowledged().size(), run_.ledger.seen_ends(), {}, options_.log.watermark_delay_us, options_.log.time_ahead_us_max};
    out.view = *views_->NewView();
    out.tables = pipeline_->registry().Tables();
    out.lake_ends.clear();
    const table::TableName* awaited = nullptr;
    for (auto* table : out.tables) {
      auto version = pipeline_->registry().Version(*table);
      out.lake_ends.push_back(version ? std::make_optional(Ends(version->progress.offsets())) : std::nullopt);
      const auto& name = table->name();
      if (!out.view->IsLoading(name.table_namespace, name.name)) continue;
      if (!HasDiverged(*table)) awaited = &name;  // else it may wait for ever: rows that stay fill the memory
      out.rules.left_out.insert(table->topic_name());
    }
    if (awaited == nullptr) return true;
    run_.reached.Note(loading == Loading::kAwaited ? Reach::kLoadAwaited : Reach::kPartialView);
    if (loading == Loading::kLeftOut) return true;
    out.view.reset();  // as a statement does: what it holds is memory that loading may wait for
    while (views_->IsLoading(awaited->table_namespace, awaited->name)) {
      if (stopping_) return false;
      env_.clock.SleepUs(kLoadingPollUs);
    }
  }
}

void ServerLife::Record(const std::vector<ShownTable>& shown, history::Stamp invoked) {
  auto& read = run_.history.reads.emplace_back();
  read.invoked = invoked;
  read.completed = ++run_.all.stamp;
  read.reader = run_.server + "-" + std::to_string(run_.all.views);
  for (auto& table : shown) {
    auto& topic = read.topics[table.topic];
    auto add = [&](const Row& row) {
      const auto place = PlaceOf(row);
      topic.rows.push_back({{place.partition, place.offset}, HistoryId(KeyOf(row, table.topic)), {}});
    };
    for (auto& file : table.rows.lake)
      for (auto& row : *file) add(row);
    for (auto& row : table.rows.hot) add(row);
  }
}

void ServerLife::Refused(const table::TableName& name, const Error& error) {
  const auto where = "view of " + name.ToString();
  if (!NameDamage(run_, where, error.ToString())) run_.verdict.Note(where, error.ToString());
}

void ServerLife::Look(int64_t held_us, bool lake_only, Loading loading) {
  View made;
  if (!MakeView(loading, made)) return;
  Pause(held_us);
  std::vector<ShownTable> shown;
  for (size_t i = 0; i < made.tables.size(); i++) {
    auto& table = *made.tables[i];
    const auto& name = table.name();
    if (made.rules.left_out.contains(table.topic_name())) continue;
    // Where errors are injected, a table may take a while until it can be read again; not when it was flushed just now.
    auto is_finding = [&](const Error& error) {
      // The other server expires snapshots that only this one still shows; and what has diverged may answer with an error, or truly.
      if (run_.has_rival && (error.code == ErrorCode::kNotFound || !made.lake_ends[i] || HasDiverged(table))) return false;
      if (run_.all.visited.contains(name)) return false;
      return lake_only || !run_.scenario.has_faults() || !MayBeInjected(error.code);
    };
    auto found = made.view->FindTable(name.table_namespace, name.name);
    if (!found.ok()) {
      if (is_finding(found.error())) return Refused(name, found.error());
      made.rules.left_out.insert(table.topic_name());
      continue;
    }
    auto rows = ReadRows(env_, **found, run_.all.data_files);
    if (!rows.ok() && SaysDeletes(rows.error().message) && run_.all.with_deletes.contains(name)) {
      run_.reached.Note(Reach::kDeletesNamed);
      made.rules.left_out.insert(table.topic_name());
      continue;
    }
    if (!rows.ok() && is_finding(rows.error())) return Refused(name, rows.error());
    if (!rows.ok()) return;
    if (lake_only && !rows->hot.empty() && !HasDiverged(table))
      run_.verdict.Note("view of " + name.ToString(), "rows are hot after a flush");
    if (rows->hot_files > 0) run_.reached.Note(Reach::kHotFilesRead);
    auto version = pipeline_->registry().Version(table);
    if (version != nullptr && Ends(version->progress.offsets()) != *made.lake_ends[i]) run_.reached.Note(Reach::kHeldView);
    auto& out = shown.emplace_back();
    out.topic = table.topic_name();
    out.rows = std::move(*rows);
    out.lake_ends = *made.lake_ends[i];
    for (auto& [partition, offset] : (*found)->freshness().next_offsets) out.ends[partition.get()] = offset.get();
  }
  run_.all.views++;
  Record(shown, made.invoked);
  const auto found = CheckView(shown, made.rules, run_.ledger);
  if (!found.empty() && !IsRottenTail(run_, shown, made.rules, found)) run_.verdict.Note("view", found);
}

}  // namespace sluice::sim
