// SPDX-License-Identifier: Apache-2.0
// Append throughput (admit, encode, journal, durable) as a ratio to the bare disk: the same bytes by the same writes and nothing else.
// SLUICE_BENCH_DIR: a directory on the disk to measure; by default the current one.

#include <benchmark/benchmark.h>

#include <cstdlib>

#include "io/test_directory.h"
#include "log/internal/segment_files.h"
#include "log/test_log.h"

namespace sluice::log {
namespace {

constexpr int kBatchRows = 200;
constexpr uint64_t kProbeBytes = uint64_t{256} << 20;
constexpr size_t kProbeWrite = size_t{1} << 20;
const std::string kData(320, 'x');

// Bytes per second that the disk takes in writes of 1 MiB, one in flight, durable each.
double RawDisk(io::Env env, const Path& directory) {
  LogPaths paths(directory);
  CHECK(env.files.CreateDirectories(paths.journal).ok(), "probe");
  auto segment = PrepareSegment(env, paths, {{}, SegmentNumber(1), uint64_t{128} << 20});
  CHECK(segment.ok(), "probe");
  io::AlignedBytes bytes(kProbeWrite, 'x');
  int64_t begin = env.clock.MonotonicNs();
  for (uint64_t done = 0; done < kProbeBytes; done += kProbeWrite) {
    CHECK(segment->file->Write(kBlock + done % (uint64_t{64} << 20), bytes.view()).ok(), "probe");
  }
  return static_cast<double>(kProbeBytes) / (static_cast<double>(env.clock.MonotonicNs() - begin) / 1e9);
}

void FillBatch(event::EventBatch& batch, uint64_t& id) {
  static const std::string kBytes(64, ' ');
  batch.Reset(std::string_view(kBytes).substr(0, 1));
  for (int i = 0; i < kBatchRows; i++) AddEvent(batch, {std::to_string(id++), 0, "/bench", kData});
}

void BM_Append(benchmark::State& state) {
  if (const char* base = std::getenv("SLUICE_BENCH_DIR")) setenv("TMPDIR", base, 1);
  io::RealWorld world(io::LogLevel::kError);
  auto env = world.env();
  double raw = 0;
  {
    io::TestDirectory probe(env.files);
    raw = RawDisk(env, probe.path());
  }
  io::TestDirectory directory(env.files);
  LogOptions options;
  options.journal_bytes_max = uint64_t{1} << 30;
  auto log = std::move(Log::Open(env, directory.path(), options)).value();
  const Topic* topic = *log->OpenTopic("raw-events", {});
  AppendDraft draft;
  draft.topics = {topic};
  for (int i = 0; i < kBatchRows; i++) draft.routes.push_back({0, LogPartition(static_cast<int32_t>(i % topic->partition_count())), {}});
  event::EventBatch batch;
  AppendResult result;
  uint64_t id = 0, bytes = 0, refused = 0;
  int64_t filling_ns = 0, begin = env.clock.MonotonicNs();
  for (auto _ : state) {
    int64_t before = env.clock.MonotonicNs();
    FillBatch(batch, id);
    filling_ns += env.clock.MonotonicNs() - before;
    log->Draft(batch, Principal(), draft);
    while (!log->Append(batch, Principal(), draft, result).ok()) {
      refused++;
      log->written().Wait(1'000);
      log->SetTiered("raw-events", *log->source().DurableEnds("raw-events"));
      log->Tick(env.clock.Now());
    }
    bytes += batch.byte_size();
    log->Tick(env.clock.Now());
  }
  WaitDurable(env, *log, result.durable_after);
  double seconds = static_cast<double>(env.clock.MonotonicNs() - begin - filling_ns) / 1e9;
  state.counters["events_per_s"] = static_cast<double>(id) / seconds;
  state.counters["of_raw_disk"] = static_cast<double>(bytes) / seconds / raw;
  state.counters["raw_MB_per_s"] = raw / 1e6;
  state.counters["waits"] = static_cast<double>(refused);
  CHECK(log->Shutdown().ok(), "shutdown");
}
BENCHMARK(BM_Append)->Iterations(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sluice::log
