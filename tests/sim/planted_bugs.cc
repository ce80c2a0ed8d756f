// SPDX-License-Identifier: Apache-2.0
#include "sim/planted_bugs.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/json.h"
#include "io/forwarding_files.h"
#include "sim/forwarding_catalog.h"
#include "sim/forwarding_network.h"
#include "table/feed_progress.h"

namespace sluice::sim {
namespace {

// ---- files ----------------------------------------------------------------------------------------------------------------

class UnsyncedFile final : public io::ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  Result<void> Sync() override { return {}; }
  bool is_direct() const override { return true; }
};

// Forgets to make files below a part of the directory durable.
class UnsyncedFiles final : public io::ForwardingFiles {
 public:
  UnsyncedFiles(io::FileSystem& files, std::string part) : ForwardingFiles(files), part_(std::move(part)) {}
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    if (path.find(part_) == Path::npos) return files_.Open(path, options);
    options.direct = false;
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    return std::unique_ptr<io::File>(std::make_unique<UnsyncedFile>(std::move(file)));
  }

 private:
  const std::string part_;
};

class UnsyncedNames final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<void> SyncDirectory(const Path&) override { return {}; }
};

// A reader of dedup runs that takes every checksum for right.
class CredulousRun final : public io::ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  Result<size_t> Read(uint64_t at, std::span<char> to) override {
    ASSIGN_OR_RETURN(auto got, file_->Read(at, to));
    if (at >= kBlock && at % kBlock == 0 && got == kBlock)
      base::PutLittle(to.data(), base::Crc32c(std::string_view(to.data() + sizeof(uint32_t), kBlock - sizeof(uint32_t))));
    return got;
  }

 private:
  static constexpr size_t kBlock = 4096;
};

class CredulousRuns final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    if (!path.ends_with(".run")) return file;
    return std::unique_ptr<io::File>(std::make_unique<CredulousRun>(std::move(file)));
  }
};

class RottenFile final : public io::ForwardingFile {
 public:
  using ForwardingFile::ForwardingFile;
  Result<void> Write(uint64_t at, std::string_view from) override {
    std::string bytes(from);
    for (size_t i = kDistance; i < bytes.size(); i += kDistance) bytes[i] = static_cast<char>(bytes[i] ^ 1);
    return file_->Write(at, bytes);
  }

 private:
  static constexpr size_t kDistance = 97;
};

// A disk that changes a bit here and there in data files.
class RottenDataFiles final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    if (path.find("/warehouse/") == Path::npos || path.rfind("/data/") < path.find("/warehouse/")) return file;
    return std::unique_ptr<io::File>(std::make_unique<RottenFile>(std::move(file)));
  }
};

// A disk that changes a bit here and there in files of hot rows.
class RottenHotFiles final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<std::unique_ptr<io::File>> OpenUnnamed(const Path& directory) override {
    ASSIGN_OR_RETURN(auto file, files_.OpenUnnamed(directory));
    return std::unique_ptr<io::File>(std::make_unique<RottenFile>(std::move(file)));
  }
};

// Table metadata that says something else than was meant, in files that are whole.
class ForgedMetadataFile final : public io::ForwardingFile {
 public:
  using Forge = void (*)(Json& metadata);
  ForgedMetadataFile(std::unique_ptr<io::File> file, Forge forge) : ForwardingFile(std::move(file)), forge_(forge) {}
  Result<void> Write(uint64_t at, std::string_view from) override {
    auto json = Json::Parse(from);  // manifests are no JSON
    if (at != 0 || !json.ok()) return file_->Write(at, from);
    json->Erase("sluice-checksum");  // which others do not write
    forge_(*json);
    return file_->Write(at, json->Dump());
  }

 private:
  const Forge forge_;
};

class ForgedMetadata final : public io::ForwardingFiles {
 public:
  ForgedMetadata(io::FileSystem& files, ForgedMetadataFile::Forge forge) : ForwardingFiles(files), forge_(forge) {}
  Result<std::unique_ptr<io::File>> Open(const Path& path, io::OpenOptions options) override {
    ASSIGN_OR_RETURN(auto file, files_.Open(path, options));
    if (path.find("/metadata/") == Path::npos || options.mode == io::OpenMode::kRead) return file;
    return std::unique_ptr<io::File>(std::make_unique<ForgedMetadataFile>(std::move(file), forge_));
  }

 private:
  const ForgedMetadataFile::Forge forge_;
};

// Properties, and so progress, go on, and `main` stays at the snapshot before.
void KeepMain(Json& metadata) {
  for (auto& snapshot : metadata["snapshots"].AsArray()) {
    if (snapshot["snapshot-id"].AsInt() != metadata["current-snapshot-id"].AsInt() || snapshot["parent-snapshot-id"].AsInt() == 0) continue;
    const int64_t before = snapshot["parent-snapshot-id"].AsInt();
    Json main, refs;
    main.Set("snapshot-id", before);
    main.Set("type", "branch");
    refs.Set("main", std::move(main));
    metadata.Set("refs", std::move(refs));
    metadata.Set("current-snapshot-id", before);
    return;
  }
}

// Of tags and branches only main is written again.
void ForgetRefs(Json& metadata) {
  Json refs = Json::MakeObject();
  for (auto& [name, ref] : metadata["refs"].AsObject())
    if (name == "main") refs.Set(name, ref);
  metadata.Set("refs", std::move(refs));
}

// Progress does not say of which copy of the log it is.
void ForgetChains(Json& metadata) {
  Json properties = metadata["properties"];
  for (auto& [name, value] : metadata["properties"].AsObject()) {
    if (!name.starts_with(table::kFeedPropertyPrefix)) continue;
    auto progress = table::ParseFeedProgress(value.AsString());
    if (!progress.ok()) continue;
    for (auto& [partition, p] : progress->partitions) p.chain ^= 1;
    properties.Set(name, table::FormatFeedProgress(*progress));
  }
  metadata.Set("properties", std::move(properties));
}

// Expiry that takes a live manifest with the dead lists.
class GreedyRemoval final : public io::ForwardingFiles {
 public:
  using ForwardingFiles::ForwardingFiles;
  Result<void> Remove(const Path& path) override {
    if (path.find("/metadata/snap-") != Path::npos) {
      const auto directory = path.substr(0, path.rfind('/'));
      ASSIGN_OR_RETURN(auto names, files_.List(directory));
      for (auto& name : names)
        if (name.ends_with(".avro") && !name.starts_with("snap-")) return files_.Remove(directory + "/" + name);
    }
    return files_.Remove(path);
  }
};

// ---- catalog --------------------------------------------------------------------------------------------------------------

// Takes an unknown outcome for a failure.
class CertainCatalog final : public ForwardingCatalog {
 public:
  using ForwardingCatalog::ForwardingCatalog;
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    auto swapped = store_.SwapTable(table_namespace, table, expected, next);
    if (!swapped.ok() && swapped.error().code == ErrorCode::kCommitUnknown) return Error{ErrorCode::kConflict, swapped.error().message};
    return swapped;
  }
};

// Says that a commit is done and forgets every third one.
class ForgetfulCatalog final : public ForwardingCatalog {
 public:
  using ForwardingCatalog::ForwardingCatalog;
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string& expected,
                         const std::string& next) override {
    if (++swaps_ % 3 == 0) return {};
    return store_.SwapTable(table_namespace, table, expected, next);
  }

 private:
  int swaps_ = 0;
};

// Takes a commit whatever the table was when it was made.
class BlindCatalog final : public ForwardingCatalog {
 public:
  using ForwardingCatalog::ForwardingCatalog;
  Result<void> SwapTable(const std::string& table_namespace, const std::string& table, const std::string&,
                         const std::string& next) override {
    ASSIGN_OR_RETURN(auto row, store_.LoadTable(table_namespace, table));
    if (!row) return Error{ErrorCode::kConflict, "the table is gone", {}};
    return store_.SwapTable(table_namespace, table, row->metadata_location, next);
  }
};

// ---- the network ------------------------------------------------------------------------------------------------------------

// A front that takes the end of a connection for the end of a chunked body.
class CredulousEnds final : public ForwardingNetwork {
 public:
  using ForwardingNetwork::ForwardingNetwork;
  io::Transfer Receive(int descriptor, std::span<char> to) override {
    constexpr std::string_view kEnd = "0\r\n\r\n";
    auto got = network_.Receive(descriptor, to);
    if (got.state != io::TransferState::kClosed || to.size() < kEnd.size() || !told_.insert(descriptor).second) return got;
    std::copy(kEnd.begin(), kEnd.end(), to.begin());
    return {io::TransferState::kDone, kEnd.size()};
  }
  void Close(int descriptor) override {
    told_.erase(descriptor);
    network_.Close(descriptor);
  }

 private:
  std::set<int> told_;
};

// ---- the log's listener -----------------------------------------------------------------------------------------------------

// Passes the frames on, except that every n-th is treated in its own way.
class WrongListener final : public log::LogListener {
 public:
  enum class Wrong : uint8_t { kSkips, kRepeats, kForgetsLateness, kCountsOneMore };
  WrongListener(log::LogListener& next, Wrong wrong) : next_(next), wrong_(wrong) {}

  void OnAdmitted(const event::EventBatch& batch, const log::Admitted& admitted) override {
    const bool now = ++frames_ % kEvery == 0;
    if (now && wrong_ == Wrong::kSkips) return;
    if (now && wrong_ == Wrong::kRepeats) next_.OnAdmitted(batch, admitted);
    if (now && wrong_ == Wrong::kCountsOneMore) {
      auto wrong = admitted;
      wrong.base_offset = admitted.base_offset + 1;
      return next_.OnAdmitted(batch, wrong);
    }
    if (wrong_ != Wrong::kForgetsLateness) return next_.OnAdmitted(batch, admitted);
    const std::vector<uint8_t> never(admitted.late.size(), 0);
    auto forgotten = admitted;
    forgotten.late = never;
    next_.OnAdmitted(batch, forgotten);
  }
  void OnDurable(log::CommitSequence durable) override { next_.OnDurable(durable); }

 private:
  static constexpr int kEvery = 5;
  log::LogListener& next_;
  const Wrong wrong_;
  int frames_ = 0;
};

Wiring WithFiles(std::function<std::unique_ptr<io::FileSystem>(io::FileSystem&)> files) {
  Wiring out;
  out.files = std::move(files);
  return out;
}
Wiring WithListener(WrongListener::Wrong wrong) {
  Wiring out;
  out.listener = [wrong](log::LogListener& next) { return std::make_unique<WrongListener>(next, wrong); };
  return out;
}
template <class Store>
Wiring WithCatalog() {
  Wiring out;
  out.catalog = [](io::CatalogStore& store) { return std::make_unique<Store>(store); };
  return out;
}

// The log may forget rows before their table has them.
Wiring TieredTooEarly() {
  Wiring out;
  out.on_round = [told = std::map<std::string, table::PartitionOffsets>()](server::Pipeline& pipeline) mutable {
    for (auto& feed : pipeline.feeds()) {
      const auto& topic = feed->table().topic_name();
      auto ends = pipeline.log().source().DurableEnds(topic);
      if (ends.ok() && std::exchange(told[topic], *ends) != *ends) pipeline.log().SetTiered(topic, *ends);
    }
  };
  return out;
}

// Hot rows leave when the tier may take them, not when their table has them.
Wiring DroppedTooEarly() {
  Wiring out;
  out.on_round = [](server::Pipeline& pipeline) {
    for (auto& feed : pipeline.feeds()) feed->table().hot().Drop(feed->table().hot().visible_end());
  };
  return out;
}

Wiring EarlyAnswersToDuplicates() {
  Wiring out;
  out.answers_pending_duplicates = true;
  return out;
}
Wiring EarlyAnswers() {
  Wiring out;
  out.answers_before_durable = true;
  return out;
}
Wiring CredulousFront() {
  Wiring out;
  out.network = [](io::Network& network) { return std::make_unique<CredulousEnds>(network); };
  return out;
}
Wiring ShortMemory() {
  Wiring out;
  out.options = [](server::ServerOptions& options) {
    options.log.dedup_window_us = 1'000;
    options.log.dedup_run_keys_max = 10;
  };
  return out;
}

void OverHttp(Scenario& scenario) {
  UseHttp(scenario);
  scenario.http.stops = scenario.http.crowds = 0;
  scenario.http.part_one_in = 3;
  scenario.requests = 25;
}
// An answer has to be there before the power goes.
void OverQuickHttp(Scenario& scenario) {
  OverHttp(scenario);
  scenario.faults = {};
  scenario.http.trickle_us_max = 100;
  scenario.pause_us_max = 1'000;
  scenario.senders = 4;
  scenario.crashes = 12;
}
void ManyCommits(Scenario& scenario) { scenario.server.tier.interval_us = 10'000; }
void ManyLateEvents(Scenario& scenario) { scenario.server.log.watermark_delay_us = kMicrosPerSecond; }
void UnknownCommits(Scenario& scenario) {
  scenario.faults.catalog_unknown = 0.3;
  ManyCommits(scenario);
}
void ManyDuplicates(Scenario& scenario) {
  scenario.workload.duplicate_one_in = 2;
  scenario.requests = 25;
}
// The disk loses what should have gone into one of the runs, and they are asked often.
void LostRuns(Scenario& scenario) {
  ManyDuplicates(scenario);
  scenario.server.log.dedup_run_keys_max = 10;
  scenario.crashes = 1;
  scenario.faults.lie = {io::DiskLie::Kind::kLostWrite, "/log/dedup/", 1 + scenario.seed % 4};
}
void TwoServers(Scenario& scenario) {
  ManyCommits(scenario);
  scenario.has_rival = true;
  scenario.requests = 25;
}
// Only the start of the second one reads what the first one wrote.
void TwoSteadyServers(Scenario& scenario) {
  TwoServers(scenario);
  scenario.crashes = 0;
}
void SlowTables(Scenario& scenario) {
  scenario.server.tier.interval_us = 10 * kMicrosPerSecond;
  scenario.workload.data_bytes_max = 2'000;
  scenario.requests = 40;
}
// Every request arrives twice, and power fails often.
void DoubleDeliveries(Scenario& scenario) {
  scenario.double_delivery_one_in = 1;
  scenario.pause_us_max = 1'000;
  scenario.requests = 25;
  scenario.senders = 4;
  scenario.crashes = 12;
}
void StuckTables(Scenario& scenario) {
  scenario.server.hot_bytes_max = 8 * scenario.server.hot_chunk_bytes;
  scenario.server.hot_disk_bytes_max = 12 * scenario.server.hot_chunk_bytes;
  scenario.table_outages = 3;
  scenario.outage_us_max = 20 * kMicrosPerSecond;
  scenario.workload.data_bytes_max = 4'000;
  scenario.workload.events_max = 8;
  scenario.requests = 40;
  scenario.senders = 4;
  scenario.pause_us_max = 2'000;
  scenario.view_pause_us_max = 300'000;
  scenario.crashes = 1;
}
void ManyVisits(Scenario& scenario) {
  ManyCommits(scenario);
  scenario.visits = 150;
  scenario.visit_pause_us_max = 5'000;
  scenario.pause_us_max = 20'000;
  scenario.requests = 40;
  scenario.crashes = 1;
}
void OldSnapshots(Scenario& scenario) {
  ManyCommits(scenario);
  scenario.server.tier.snapshots_min = 1;
  scenario.server.tier.snapshot_age_us_max = 0;
  scenario.server.tier.expiry_interval_us = 10'000;
  scenario.crashes = 0;
}

}  // namespace

const std::vector<PlantedBug>& PlantedBugs() {
  static const std::vector<PlantedBug> kBugs = {
      {"answers before events are durable", EarlyAnswers()},
      {"journal without syncs", WithFiles([](io::FileSystem& files) { return std::make_unique<UnsyncedFiles>(files, "/log/journal/"); })},
      {"data files and metadata without syncs",
       WithFiles([](io::FileSystem& files) { return std::make_unique<UnsyncedFiles>(files, "/warehouse/"); }), ManyCommits},
      {"names without syncs", WithFiles([](io::FileSystem& files) { return std::make_unique<UnsyncedNames>(files); }), ManyCommits},
      {"data files with flipped bits", WithFiles([](io::FileSystem& files) { return std::make_unique<RottenDataFiles>(files); }),
       ManyCommits},
      {"expiry removes a live manifest", WithFiles([](io::FileSystem& files) { return std::make_unique<GreedyRemoval>(files); }),
       OldSnapshots},
      {"unknown commits count as lost races", WithCatalog<CertainCatalog>(), UnknownCommits},
      {"commits that are forgotten", WithCatalog<ForgetfulCatalog>(), ManyCommits},
      {"a frame does not reach the hot tail", WithListener(WrongListener::Wrong::kSkips)},
      {"a frame reaches the hot tail twice", WithListener(WrongListener::Wrong::kRepeats)},
      {"hot rows forget that they came late", WithListener(WrongListener::Wrong::kForgetsLateness), ManyLateEvents},
      {"the log drops rows that no table has", TieredTooEarly(), SlowTables},
      {"duplicates of events that are not durable yet are answered", EarlyAnswersToDuplicates(), DoubleDeliveries},
      {"hot rows stand one offset too far", WithListener(WrongListener::Wrong::kCountsOneMore)},
      {"hot rows leave before their commit is known", DroppedTooEarly(), SlowTables},
      {"files of hot rows with flipped bits", WithFiles([](io::FileSystem& files) { return std::make_unique<RottenHotFiles>(files); }),
       StuckTables},
      {"progress goes on, the table's main branch does not",
       WithFiles([](io::FileSystem& files) { return std::make_unique<ForgedMetadata>(files, KeepMain); }), ManyCommits},
      {"duplicates are known for a millisecond", ShortMemory(), ManyDuplicates},
      {"of two servers' commits the later one wins", WithCatalog<BlindCatalog>(), TwoServers},
      {"of two servers each takes its own rows for the other's",
       WithFiles([](io::FileSystem& files) { return std::make_unique<ForgedMetadata>(files, ForgetChains); }), TwoSteadyServers},
      {"a dedup run's checksums are not compared, on a disk that loses a write",
       WithFiles([](io::FileSystem& files) { return std::make_unique<CredulousRuns>(files); }), LostRuns},
      {"the HTTP front answers before events are durable", EarlyAnswers(), OverQuickHttp},
      {"the HTTP front takes the end of a connection for the end of a body", CredulousFront(), OverHttp},
      {"commits forget another engine's tags and branches",
       WithFiles([](io::FileSystem& files) { return std::make_unique<ForgedMetadata>(files, ForgetRefs); }), ManyVisits},
  };
  return kBugs;
}

Scenario BugScenario(const PlantedBug& bug, uint64_t seed) {
  auto out = RandomScenario(seed);
  out.faults = {};
  out.clock_jumps = out.full_disks = out.table_outages = 0;
  out.visits = 0;
  out.has_second_act = out.restores = out.has_rival = false;
  out.http.is_used = false;
  out.message_lost_one_in = 0;
  out.message_delay_us_max = 0;
  out.crashes = 4;
  if (bug.prepare != nullptr) bug.prepare(out);
  return out;
}

}  // namespace sluice::sim
