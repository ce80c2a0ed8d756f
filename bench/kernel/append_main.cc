// SPDX-License-Identifier: Apache-2.0
//
// sluice_append: events into a log, durable, by one thread, as fast as they go or at a rate; then the log is opened again, as after a
// crash. --with journal leaves everything out but the journal: frames of the same size are gathered, summed up and written. Prints one
// JSON object.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>
#include <vector>

#include "base/check.h"
#include "base/json.h"
#include "base/large_array.h"
#include "io/env.h"
#include "kernel/kernel_clock.h"
#include "log/internal/journal.h"
#include "log/internal/log_recovery.h"
#include "log/log.h"
#include "log/log_metrics.h"

namespace sluice::bench {
namespace {

constexpr size_t kRowsPerRequest = 200;
constexpr uint64_t kWaitUs = 1'000;
constexpr size_t kReadBytes = size_t{4} << 20;
constexpr size_t kEventBytes = 564, kOtherBytes = 164;  // of an event, and of all in it but data: names, id, source, type

struct AppendOptions {
  std::string way, directory;
  size_t data_bytes = 0;
  double seconds = 5, rate = 0;
  uint64_t journal_bytes_max = uint64_t{2} << 30;
};

struct Measured {
  uint64_t events = 0, bytes = 0;
  double seconds = 0, cpu_seconds = 0;
  std::vector<double> latency_us;  // of requests, from when each was due until it was durable
};

Json ReportOf(Measured m) {
  Json out;
  out.Set("events_per_second", static_cast<double>(m.events) / m.seconds);
  out.Set("bytes_per_second", static_cast<double>(m.bytes) / m.seconds);
  out.Set("bytes_per_event", static_cast<double>(m.bytes) / static_cast<double>(m.events));
  out.Set("cpu_seconds_per_million", m.cpu_seconds * 1e6 / static_cast<double>(m.events));
  if (m.latency_us.empty()) return out;
  std::sort(m.latency_us.begin(), m.latency_us.end());
  Json latency;
  auto at = [&](double q) {
    return m.latency_us[std::min(m.latency_us.size() - 1, static_cast<size_t>(q * static_cast<double>(m.latency_us.size())))];
  };
  for (auto [name, q] : {std::pair("p50", 0.5), {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}}) latency.Set(name, at(q));
  out.Set("latency_us", std::move(latency));
  return out;
}

// Requests that are not durable yet.
struct Waiting {
  log::CommitSequence commit;
  double due;
};

class Appender {
 public:
  Appender(io::Env env, const AppendOptions& options) : env_(env), options_(options), data_(options.data_bytes, 'x') {
    log::LogOptions log_options;
    log_options.journal_bytes_max = options.journal_bytes_max;
    log_options.untiered_bytes_max = uint64_t{64} << 30;
    auto opened = log::Log::Open(env, options.directory, log_options);
    CHECK(opened.ok(), "the log");
    log_ = std::move(opened).value();
    topic_ = *log_->OpenTopic("raw-events", {});
    draft_.topics = {topic_};
    for (size_t i = 0; i < kRowsPerRequest; i++)
      draft_.routes.push_back({0, log::LogPartition(static_cast<int32_t>(i % static_cast<size_t>(topic_->partition_count()))), {}});
  }

  Measured Run() {
    Measured m;
    double filling = 0, filling_cpu = 0;
    const uint64_t bytes_before = CommitBytes();
    const double begin = WallSeconds(), cpu = ProcessCpuSeconds();
    double due = begin;
    const double gap = options_.rate > 0 ? static_cast<double>(kRowsPerRequest) / options_.rate : 0;
    for (double now = begin; now - begin - filling < options_.seconds; now = WallSeconds()) {
      if (gap > 0 && now < due) {
        log_->written().Wait(static_cast<int64_t>(std::min(due - now, 1e-3) * 1e6) + 1);
        Note(m);
        continue;
      }
      const double fill_cpu = ThreadCpuSeconds();
      Fill();
      filling_cpu += ThreadCpuSeconds() - fill_cpu;
      if (gap == 0) filling += WallSeconds() - now;
      Append();
      m.events += kRowsPerRequest;
      waiting_.push_back({result_.durable_after, gap > 0 ? due : WallSeconds()});
      due += gap;
      Note(m);
    }
    while (!waiting_.empty()) {
      log_->written().Wait(kWaitUs);
      Note(m);
    }
    m.seconds = WallSeconds() - begin - filling;
    m.cpu_seconds = ProcessCpuSeconds() - cpu - filling_cpu;
    m.bytes = CommitBytes() - bytes_before;
    return m;
  }

 private:
  uint64_t CommitBytes() { return static_cast<uint64_t>(env_.metrics.GetCounter(log::kCommitBytes).value()); }
  // The event's values but its id are the same bytes: what is measured is behind the decoder.
  void Fill() {
    static const std::string kBytes(64, ' ');
    using event::Attribute;
    batch_.Reset(std::string_view(kBytes).substr(0, 1));
    for (size_t i = 0; i < kRowsPerRequest; i++) {
      const size_t row = batch_.AddRow(static_cast<uint32_t>(i));
      char id[33];
      std::snprintf(id, sizeof id, "%016llx%016llx", static_cast<unsigned long long>(id_),
                    static_cast<unsigned long long>(id_ * 0x9e3779b97f4a7c15));
      id_++;
      batch_.Set(Attribute::kId, row, batch_.Store(id));
      batch_.Set(Attribute::kSource, row, batch_.Store("/svc/web/01"));
      batch_.Set(Attribute::kType, row, batch_.Store("shop.page.viewed"));
      batch_.Set(Attribute::kData, row, batch_.Store(data_));
    }
  }
  void Append() {
    log_->Draft(batch_, Principal(), draft_);
    while (!log_->Append(batch_, Principal(), draft_, result_).ok()) {
      log_->written().Wait(kWaitUs);
      log_->SetTiered("raw-events", *log_->source().DurableEnds("raw-events"));  // what is full is used again
      log_->Tick(env_.clock.Now());
    }
  }
  void Note(Measured& m) {
    log_->Tick(env_.clock.Now());
    const double now = WallSeconds();
    for (; !waiting_.empty() && waiting_.front().commit <= log_->durable(); waiting_.pop_front())
      if (options_.rate > 0) m.latency_us.push_back((now - waiting_.front().due) * 1e6);
  }

  io::Env env_;
  const AppendOptions& options_;
  const std::string data_;
  std::unique_ptr<log::Log> log_;
  const log::Topic* topic_ = nullptr;
  log::AppendDraft draft_;
  event::EventBatch batch_;
  log::AppendResult result_;
  std::deque<Waiting> waiting_;
  uint64_t id_ = 0;
};

// Commits of 1 MiB that are copied, summed up and written; segments are made before.
Measured RunJournal(io::Env env, const AppendOptions& options) {
  constexpr uint64_t kSegmentBytes = uint64_t{128} << 20, kCommitBytes = uint64_t{1} << 20, kFrameBytes = uint64_t{128} << 10;
  log::LogPaths paths(options.directory);
  CHECK((*log::Log::Open(env, options.directory, {}))->Shutdown().ok(), "a new log");
  auto identity = log::ReadIdentity(env.files, paths);
  auto scan =
      log::ScanJournal(env.files, paths, identity->id, {}, [](const log::CommitHeader&, std::string_view) { return Result<void>(); });
  CHECK(scan.ok(), "the journal");
  std::deque<log::SegmentFile> segments;
  for (uint64_t bytes = 0; bytes < options.journal_bytes_max; bytes += kSegmentBytes) {
    auto made = log::PrepareSegment(env, paths, {identity->id, scan->segments.back().number + 1 + segments.size(), kSegmentBytes});
    CHECK(made.ok(), "a segment");
    segments.push_back(std::move(made).value());
  }
  auto written = env.threads.NewSignal();
  log::JournalOptions journal_options{kSegmentBytes, uint64_t{64} << 20, {}};
  auto journal = std::move(log::Journal::Open(env, paths, *identity, *scan, journal_options, *written)).value();
  const std::string frame(kFrameBytes, 'x');
  Measured m;
  const double begin = WallSeconds(), cpu = ProcessCpuSeconds();
  for (;;) {
    while (journal->buffer().length() + kFrameBytes <= kCommitBytes) {
      std::memcpy(journal->buffer().Reserve(kFrameBytes), frame.data(), kFrameBytes);
      journal->buffer().Advance(kFrameBytes);
      journal->CountFrame();
    }
    while (journal->in_flight() && !journal->Reap()) written->Wait(kWaitUs);
    if (journal->WantsSegment() && !segments.empty()) {
      journal->AddSegment(std::move(segments.front()));
      segments.pop_front();
    }
    const uint64_t bytes = log::PadTo(journal->buffer().length(), log::kBlock);
    if (!journal->Cut(env.clock.Now())) break;
    m.bytes += bytes;
  }
  m.seconds = WallSeconds() - begin;
  m.cpu_seconds = ProcessCpuSeconds() - cpu;
  m.events = m.bytes / (options.data_bytes + kOtherBytes);
  return m;
}

// How fast the disk gives back the journal's segments to somebody who does nothing with them, one read after the other as recovery reads.
double SegmentBytesReadPerSecond(io::Env env, const std::string& directory) {
  const log::LogPaths paths(directory);
  const auto names = env.files.List(paths.journal);
  CHECK(names.ok(), "the journal is listed");
  base::LargeArray<char> memory(kReadBytes);
  uint64_t bytes = 0;
  const double begin = WallSeconds();
  for (const auto& name : *names) {
    if (!name.ends_with(".segment")) continue;
    const auto file = env.files.Open(base::JoinPath(paths.journal, name), {.mode = io::OpenMode::kRead, .uncached = true});
    CHECK(file.ok(), "a segment is opened");
    for (uint64_t at = 0, got = 1; got > 0; at += got) {
      const auto read = (*file)->Read(at, {memory.begin(), memory.size()});
      CHECK(read.ok(), "a segment is read");
      got = *read;
      bytes += got;
    }
  }
  return static_cast<double>(bytes) / (WallSeconds() - begin);
}

// As after a crash: nothing was shut down. Beside it, before and behind, what the disk gives.
void SetRecovery(io::Env env, const AppendOptions& options, Json& out) {
  log::LogOptions log_options;
  log_options.journal_bytes_max = options.journal_bytes_max;
  const double disk_before = SegmentBytesReadPerSecond(env, options.directory);
  const double begin = WallSeconds();
  auto log = log::Log::Open(env, options.directory, log_options);
  const double seconds = WallSeconds() - begin;
  CHECK(log.ok(), "the log is read again");
  const auto stats = (*log)->stats();
  const double bytes = static_cast<double>(stats.journal_bytes) - static_cast<double>(stats.spare_segments * log_options.segment_bytes);
  out.Set("recovered_bytes", bytes);
  out.Set("recovery_bytes_per_second", bytes / seconds);
  out.Set("segment_read_bytes_per_second", (disk_before + SegmentBytesReadPerSecond(env, options.directory)) / 2);
  CHECK((*log)->Shutdown().ok(), "shutdown");
}

int Run(int argc, char** argv) {
  AppendOptions options;
  CLI::App app("Appends events to a log and prints what it cost as JSON.");
  app.add_option("--with", options.way, "log or journal")->required()->check(CLI::IsMember({"log", "journal"}));
  app.add_option("--directory", options.directory, "of the log; new")->required();
  app.add_option("--event-bytes", options.data_bytes, "of one event")
      ->default_val(kEventBytes)
      ->check(CLI::Range(kOtherBytes + 1, size_t{1} << 20));
  app.add_option("--seconds", options.seconds, "measured (log)")->capture_default_str();
  app.add_option("--rate", options.rate, "events a second, open loop (log); 0: as fast as it goes")->capture_default_str();
  app.add_option("--journal-bytes", options.journal_bytes_max, "of all segments; the journal alone writes so many")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.data_bytes -= kOtherBytes;
  io::RealWorld world(io::LogLevel::kError);
  if (options.way == "journal") {
    std::printf("%s\n", ReportOf(RunJournal(world.env(), options)).Dump().c_str());
    return 0;
  }
  Json out = ReportOf(Appender(world.env(), options).Run());
  SetRecovery(world.env(), options, out);
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
