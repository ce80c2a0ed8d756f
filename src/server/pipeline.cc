// SPDX-License-Identifier: Apache-2.0
#include "server/pipeline.h"

#include <algorithm>

#include "server/config_keys.h"
#include "table/event_schema.h"

namespace sluice::server {
namespace {

// Of memory and files for hot rows together: what one table that does not get on may have, and what all such tables may.
constexpr uint64_t kStuckTableShare = 4, kStuckTablesShare = 2;

log::TopicConfig ConfigOf(const TopicOptions& options) {
  log::TopicConfig out;
  out.partitions = options.partitions;
  out.key_pointers = options.key;
  return out;
}

// "is paused: somebody dropped it"
std::string WhyItWaits(const log::Pump& pump) {
  const auto status = pump.status();
  if (status.state == log::PumpState::kPaused) return "is paused: " + status.cause;
  if (status.state == log::PumpState::kBackingOff) return "cannot be written: " + status.cause;
  return pump.is_failing() ? "could not be written" : "has not caught up";
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------------------------------

Pipeline::Pipeline(io::Env env, const ServerOptions& options) : env_(env), options_(options), turns_(env.threads, options.tier.writers_max) {}

Result<std::unique_ptr<Pipeline>> Pipeline::Open(io::Env env, const ServerOptions& options, const CatalogOpener& open_catalog) {
  RETURN_IF_ERROR(options.Validate());
  auto pipeline = std::unique_ptr<Pipeline>(new Pipeline(env, options));
  ASSIGN_OR_RETURN(pipeline->directory_, DataDirectory::Open(env, options.data));
  if (auto opened = pipeline->OpenStorage(open_catalog); !opened.ok()) return pipeline->directory_->Explain(opened.error());
  RETURN_IF_ERROR(pipeline->OpenTables());
  RETURN_IF_ERROR(pipeline->OpenGate());
  pipeline->OpenForgottenTopics();
  return pipeline;
}

Pipeline::~Pipeline() {
  loader_.reset();
  spiller_.reset();
  for (auto& feed : feeds_) feed->Stop();
}

Result<void> Pipeline::OpenStorage(const CatalogOpener& open_catalog) {
  // What a killed writer left half written: nobody refers to it.
  ASSIGN_OR_RETURN(auto leftovers, io::RemoveUnfinishedObjects(env_.files, directory_->warehouse()));
  if (leftovers > 0) env_.log.Info("unfinished files removed", {{"files", leftovers}});
  ASSIGN_OR_RETURN(catalog_store_, open_catalog(directory_->catalog()));
  catalog_ = std::make_unique<iceberg::Catalog>(*catalog_store_, env_, iceberg::CatalogOptions{io::PathToUri(directory_->warehouse())});
  ASSIGN_OR_RETURN(log_, log::Log::Open(env_, directory_->log(), options_.LogOptionsInUse()));
  memory_ = std::make_unique<table::ChunkMemory>(env_, options_.hot_bytes_max, options_.hot_chunk_bytes,
                                                 table::ChunkFiles{directory_->hot(), options_.hot_disk_bytes_max});
  registry_ = std::make_unique<table::TableRegistry>(env_, *memory_, options_.log.watermark_delay_us);
  log_->SetListener(registry_.get());
  spiller_ = std::make_unique<table::HotSpiller>(env_, *registry_, *memory_);
  loader_ = std::make_unique<table::HotLoader>(env_, *registry_, *memory_, log_->source());
  return {};
}

Result<void> Pipeline::OpenTables() {
  RETURN_IF_ERROR(LoadKnownProgress());
  RETURN_IF_ERROR(CheckLogReachesTables());
  for (auto* topic : log_->Topics()) {
    ASSIGN_OR_RETURN(auto* feed, AddTable(*topic));
    registry_->HoldBack(feed->table());
    RETURN_IF_ERROR(LoadHotRows(*feed));
  }
  return {};
}

// Tables may outlive a log: what they hold of topics that this log does not know must not be numbered again.
Result<void> Pipeline::LoadKnownProgress() {
  ASSIGN_OR_RETURN(auto namespaces, catalog_->ListNamespaces());
  for (auto& table_namespace : namespaces) {
    ASSIGN_OR_RETURN(auto names, catalog_->ListTables(table_namespace));
    for (auto& name : names) {
      auto loaded = catalog_->LoadTable({table_namespace, name});
      if (!loaded.ok()) {
        env_.log.Warn("table cannot be read", {{"table", table_namespace + "." + name}, {"cause", loaded.error().message}});
        continue;
      }
      for (auto& [property, value] : loaded->metadata->properties) {
        if (!property.starts_with(table::kFeedPropertyPrefix)) continue;
        if (auto progress = table::ParseFeedProgress(value); progress.ok())
          known_progress_[property.substr(table::kFeedPropertyPrefix.size())] = {{table_namespace, name}, std::move(*progress)};
      }
    }
  }
  return {};
}

// A log that ends before its tables would give offsets a second time: nothing is taken until somebody decided.
Result<void> Pipeline::CheckLogReachesTables() const {
  for (auto& [topic, fed] : known_progress_) {
    auto reaches = table::CheckLogReachesTable(fed.table, fed.progress, {topic, log_->journal_id(), {}}, log_->source());
    if (!reaches.ok())
      return Error{reaches.error().code, reaches.error().message,
                   "was the directory restored from a backup? `sluice restore --data " + directory_->path() +
                       "` makes the log go on behind its tables"};
  }
  return {};
}

Result<table::TableName> Pipeline::TableNameFor(const std::string& topic) const {
  auto at = options_.topics.find(topic);
  if (at != options_.topics.end() && !at->second.table.empty()) return table::ParseTableName(at->second.table);
  return table::TableNameOf(topic);
}

Result<TableFeed*> Pipeline::AddTable(const log::Topic& topic) {
  ASSIGN_OR_RETURN(auto name, TableNameFor(topic.name()));
  std::string partitioning = options_.partitioning;
  auto settings = options_.topics.find(topic.name());
  if (settings != options_.topics.end() && !settings->second.partitioning.empty()) partitioning = settings->second.partitioning;
  ASSIGN_OR_RETURN(auto spec, table::ParsePartitioning(partitioning));
  ASSIGN_OR_RETURN(auto* table, registry_->Add(topic, name, std::move(spec), topic.config().first_offsets));
  auto known = KnownTableOf(*log_, topic.name(), env_.log);
  feeds_.push_back(std::make_unique<TableFeed>(env_, *catalog_, *log_, *registry_, *table, *memory_, turns_, options_.tier, std::move(known)));
  auto* feed = feeds_.back().get();
  if (auto opened = feed->Open(); !opened.ok())
    env_.log.Error("table is not available", {{"table", name.ToString()}, {"cause", opened.error().ToString()}});
  registry_->EndOpen(*table);
  feed->Start();
  return feed;
}

// A table that cannot be read waits for the moment when it can be: until then its rows are in the log only.
Result<void> Pipeline::LoadHotRows(TableFeed& feed) {
  if (registry_->Version(feed.table()) == nullptr) return {};
  ASSIGN_OR_RETURN(auto plan, registry_->BeginLoad(feed.table(), log_->source()));
  if (!plan.border.empty()) loader_->Add(feed.table(), std::move(plan));
  return {};
}

Result<void> Pipeline::OpenGate() {
  ingest::GateOptions options;
  options.routing = options_.routing;
  options.limits.body_bytes_max = options_.http.inflated_bytes_max;
  for (auto& [name, topic] : options_.topics) options.topics[name] = ConfigOf(topic);
  ingest::Gate::Hooks hooks;
  hooks.on_topic = [this](const log::Topic& topic) -> Result<void> {
    if (FeedOf(topic) != nullptr) return {};
    ASSIGN_OR_RETURN([[maybe_unused]] auto* feed, AddTable(topic));
    return {};
  };
  hooks.has_room = [this] { return !memory_->over_budget(); };
  hooks.takes_rows = [this](const log::Topic& topic) { return TakesRows(topic); };
  hooks.prepare_topic = [this](const std::string& topic) -> Result<table::PartitionOffsets> {
    ASSIGN_OR_RETURN(auto name, TableNameFor(topic));
    if (auto* taken = registry_->Find(name); taken != nullptr)
      return Error{ErrorCode::kInvalid,
                   "the topic \"" + topic + "\" would feed the table " + name.ToString() + ", which \"" + taken->topic_name() + "\" feeds",
                   "choose another topic name, or set topics." + topic + ".table"};
    auto at = known_progress_.find(topic);
    return at == known_progress_.end() ? table::PartitionOffsets() : at->second.progress.offsets();
  };
  ASSIGN_OR_RETURN(gate_, ingest::Gate::Make(env_, *log_, std::move(options), std::move(hooks)));
  return {};
}

// Tables that this log does not know, because it is new or came from a backup of before: their rows are there from the start, not only
// from their topics' next events on.
void Pipeline::OpenForgottenTopics() {
  for (auto& [topic, fed] : known_progress_) {
    if (log_->FindTopic(topic) != nullptr) continue;
    auto name = TableNameFor(topic);
    if (!name.ok() || *name != fed.table) continue;  // the topic feeds another one now
    if (auto made = gate_->MakeTopic(topic); !made.ok())
      env_.log.Warn("topic of a table was not made", {{"table", name->ToString()}, {"topic", topic}, {"cause", made.error().ToString()}});
  }
}

// ---- running ------------------------------------------------------------------------------------------------------------

void Pipeline::TickFeeds() {
  for (auto& feed : feeds_) {
    registry_->Reload(feed->table());
    if (!registry_->is_held_back(feed->table())) continue;
    if (auto begun = LoadHotRows(*feed); !begun.ok())
      env_.log.Warn("hot rows were not loaded, it is tried again",
                    {{"table", feed->table().name().ToString()}, {"cause", begun.error().ToString()}});
  }
  for (auto& feed : feeds_) feed->Tick();
  spiller_->Tick();
}

// A table that does not get on fills its share of the room for hot rows and no more: the rest is for the others.
bool Pipeline::IsShareFull(const table::Table& table) const {
  if (!table.is_stuck()) return false;
  const uint64_t room = memory_->bytes_max() + memory_->file_bytes_max(), own = table.hot().bytes().all();
  if (own >= room / kStuckTableShare) return true;
  uint64_t all = 0;
  for (auto& feed : feeds_)
    if (feed->table().is_stuck()) all += feed->table().hot().bytes().all();
  return own > 0 && (all >= room / kStuckTablesShare || registry_->stuck_bytes() >= memory_->bytes_max() / kStuckTablesShare);
}

// The log has the first of these bounds, too, but knows nothing of tables and why they wait.
Result<void> Pipeline::TakesRows(const log::Topic& topic) const {
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  TableFeed* feed = FeedOf(topic);
  if (feed == nullptr) return {};  // its first event makes it
  auto refused = [&](uint64_t bytes, const std::string& bound) {
    const auto name = feed->table().name().ToString();
    return Error{ErrorCode::kExhausted,
                 "\"" + topic.name() + "\" is full: its table " + name + " " + WhyItWaits(feed->pump()) +
                     ", and the events that wait for it take " + std::to_string(bytes / kMiB) + " MiB (" + bound + ")",
                 "`sluice table describe " + name + "` says more; `sluice table resume " + name +
                     "` lets a paused one go on, and events are taken again once it has caught up"};
  };
  if (topic.untiered_bytes() >= options_.log.untiered_bytes_max)
    return refused(topic.untiered_bytes(), "log.untiered_bytes_max is " + std::to_string(options_.log.untiered_bytes_max) + " bytes");
  if (IsShareFull(feed->table())) return refused(feed->table().hot().bytes().all(), "its share of hot.bytes_max and hot.disk_bytes_max");
  return {};
}

void Pipeline::Flush(TableFeed& feed, int64_t timeout_us, std::function<void(Result<log::Progress>)> done) {
  feed.source().RequestFlush();
  feed.pump().Flush(timeout_us, [&feed, done = std::move(done)](Result<log::Progress> flushed) {
    feed.source().FlushDone();
    done(std::move(flushed));
  });
}

Result<void> Pipeline::Stop() {
  loader_.reset();
  spiller_.reset();
  for (auto& feed : feeds_) feed->Stop();
  return log_->Shutdown();
}

TableFeed* Pipeline::FeedOf(const log::Topic& topic) const {
  auto at = std::find_if(feeds_.begin(), feeds_.end(), [&](auto& feed) { return &feed->table().topic() == &topic; });
  return at == feeds_.end() ? nullptr : at->get();
}

Result<TableFeed*> Pipeline::FindFeed(std::string_view name) {
  ASSIGN_OR_RETURN(auto parsed, table::ParseTableName(name));
  for (auto& feed : feeds_)
    if (feed->table().name() == parsed) return feed.get();
  std::vector<std::string> names;
  for (auto& feed : feeds_) names.push_back(feed->table().name().ToString());
  auto nearest = Nearest(name, std::vector<std::string_view>(names.begin(), names.end()));
  return Error{
      ErrorCode::kNotFound, "there is no table " + std::string(name),
      nearest.empty() ? "tables appear with their topic's first event; GET /v1/tables lists them" : "did you mean " + nearest + "?"};
}

}  // namespace sluice::server
