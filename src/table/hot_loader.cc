// SPDX-License-Identifier: Apache-2.0
#include "table/hot_loader.h"

#include <algorithm>

#include "base/check.h"
#include "table/frame_rows.h"

namespace sluice::table {
namespace {

constexpr uint64_t kReadBytes = uint64_t{8} << 20;  // of the log at a time
constexpr size_t kRunsAhead = 2;                    // that wait for a lane
constexpr int64_t kPollUs = 5'000;                  // while there is no room, or rows are not durable yet
constexpr int64_t kRetryUs = 1'000'000;             // after an error of the log
constexpr size_t kThreads = 2;
constexpr size_t kJobsAtOnce = 2;  // each keeps runs of frames and open chunks

bool Reached(const PartitionOffsets& at, const PartitionOffsets& border) {
  return std::all_of(border.begin(), border.end(), [&](auto& p) {
    auto found = at.find(p.first);
    return found != at.end() && found->second >= p.second;
  });
}

}  // namespace

HotLoader::HotLoader(io::Env env, TableRegistry& registry, ChunkMemory& memory, log::LogSource& log)
    : env_(env), registry_(registry), memory_(memory), log_(log) {}

HotLoader::~HotLoader() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  WakeAll();
  for (auto& worker : workers_)
    if (worker->thread != nullptr) worker->thread->Join();  // a simulated crash came between them
}

void HotLoader::Add(Table& table, LoadPlan plan) {
  {
    std::lock_guard lock(mutex_);
    Job& job = jobs_.emplace_back(table, std::move(plan), memory_);
    job.began_ns = env_.clock.MonotonicNs();
    // The partitions with the most rows first, each to the lane that has less to do. Few rows do not fill a chunk for each lane.
    std::vector<std::pair<int64_t, log::LogPartition>> sizes;
    for (auto& [partition, border] : job.plan.border) sizes.push_back({border - job.plan.from.at(partition), partition});
    std::sort(sizes.rbegin(), sizes.rend());
    std::array<int64_t, kLanes> load{};
    for (auto& [rows, partition] : sizes) {
      const auto lane = static_cast<size_t>(std::min_element(load.begin(), load.end()) - load.begin());
      load[lane] += rows;
      job.lane_of[partition] = lane;
      job.rows_all += static_cast<uint64_t>(rows);
    }
    if (job.rows_all < kLanes * HotChunkRows(memory_.chunk_bytes()))
      for (auto& [partition, lane] : job.lane_of) lane = 0;
  }
  if (workers_.empty()) StartWorkers();
  WakeAll();
}

// All of them are there before the first one runs: each wakes the others.
void HotLoader::StartWorkers() {
  for (size_t i = 0; i < kThreads; i++) workers_.emplace_back(std::make_unique<Worker>())->wake = env_.threads.NewSignal();
  for (size_t i = 0; i < kThreads; i++)
    workers_[i]->thread = env_.threads.Start("hot-load-" + std::to_string(i), io::ThreadPriority::kBackground,
                                             [this, &worker = *workers_[i]] { Work(worker); });
}

std::vector<LoadStatus> HotLoader::Status() const {
  std::lock_guard lock(mutex_);
  std::vector<LoadStatus> out;
  for (auto& job : jobs_) {
    auto& status = out.emplace_back(LoadStatus{&job.table, job.rows.load(), job.rows_all, job.problem});
    if (status.problem.empty() && !HasRoom(job.table)) status.problem = "there is no room for its rows until others have left";
  }
  return out;
}

void HotLoader::WakeAll() {
  for (auto& worker : workers_) worker->wake->Notify();
}

// ---- the threads ------------------------------------------------------------------------------------------------------------

void HotLoader::Work(Worker& self) {
  for (;;) {
    Step step;
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      step = Pick();
    }
    if (step.kind == Step::Kind::kNone) {
      self.wake->Wait(step.wait_us);
      continue;
    }
    Do(step);
    WakeAll();
  }
}

// REQUIRES: mutex_ is held. Tables that get on first: others may wait for room for long.
HotLoader::Step HotLoader::Pick() {
  const int64_t now_ns = env_.clock.MonotonicNs();
  Step none;
  for (auto& job : jobs_) job.waits_behind_others = job.table.is_stuck();  // once: whoever changes it meanwhile is in one of the passes
  for (bool stuck : {false, true}) {
    size_t looked_at = 0;
    for (auto& job : jobs_) {
      if (job.waits_behind_others != stuck || looked_at == kJobsAtOnce) continue;
      if (now_ns >= job.retry_at_ns) looked_at++;
      auto step = PickOf(job, now_ns);
      if (step.kind != Step::Kind::kNone) return step;
      if (step.wait_us >= 0) none.wait_us = none.wait_us < 0 ? step.wait_us : std::min(none.wait_us, step.wait_us);
    }
  }
  return none;
}

// REQUIRES: mutex_ is held.
HotLoader::Step HotLoader::PickOf(Job& job, int64_t now_ns) {
  Step none;
  if (now_ns < job.retry_at_ns) {
    none.wait_us = (job.retry_at_ns - now_ns) / 1'000 + 1;
    return none;
  }
  bool idle = !job.reading, ahead = false;
  for (size_t i = 0; i < kLanes; i++) {
    auto& lane = *job.lanes[i];
    ahead = ahead || lane.queue.size() >= kRunsAhead;
    idle = idle && !lane.busy && lane.queue.empty();
    if (lane.busy || lane.queue.empty()) continue;
    if (!HasRoom(job.table)) {
      none.wait_us = kPollUs;
      continue;
    }
    lane.busy = true;
    return {Step::Kind::kLay, &job, i};
  }
  if (!job.all_read && !job.reading && !ahead) {
    job.reading = true;
    return {Step::Kind::kRead, &job};
  }
  if (job.all_read && idle && !job.ending) {
    job.ending = true;
    return {Step::Kind::kEnd, &job};
  }
  return none;
}

bool HotLoader::HasRoom(const Table& table) const {
  if (table.is_torn()) return true;  // no row is laid in
  // Newer rows of the table may fill the memory, and cannot leave before its older ones: those always have room for a chunk.
  if (!memory_.has_room_to_load()) return !table.is_stuck() && table.hot().rows_sliceable() == 0;
  // A burst may have taken more than the share before anybody knew that the table does not get on: what was taken must fit again.
  if (table.is_stuck()) return registry_.stuck_bytes() < memory_.stuck_bytes_max() || memory_.files_are_full();
  // Nobody knows of a table whose rows were never tiered yet whether it gets on.
  return table.hot().bytes().memory < memory_.loading_bytes_max();
}

void HotLoader::Do(const Step& step) {
  Job& job = *step.job;
  switch (step.kind) {
    case Step::Kind::kRead: {
      Run run;
      auto all_read = Read(job, run);
      if (!all_read.ok()) Fail(job, all_read.error());
      std::lock_guard lock(mutex_);
      job.reading = false;
      if (!all_read.ok()) return;
      job.all_read = *all_read;
      if (run == nullptr) {
        if (!job.all_read) job.retry_at_ns = env_.clock.MonotonicNs() + kPollUs * 1'000;
        return;
      }
      for (size_t i = 0; i < kLanes; i++)
        if (NextFrame(job, i, *run, 0) < run->frames().size()) job.lanes[i]->queue.push_back(run);
      return;
    }
    case Step::Kind::kLay: {
      auto& lane = *job.lanes[step.lane];
      Run run;
      {
        std::lock_guard lock(mutex_);
        run = lane.queue.front();
      }
      // What is in memory of a torn table is not what its snapshot lacks: all of it comes anew.
      auto laid = job.table.is_torn() ? Result<bool>(true) : Lay(job, step.lane, *run);
      run.reset();
      if (!laid.ok()) Fail(job, laid.error());
      std::lock_guard lock(mutex_);
      lane.busy = false;
      if (!laid.ok()) return;
      job.problem.clear();
      if (!*laid) return;
      lane.next_frame = 0;
      lane.queue.pop_front();
      return;
    }
    case Step::Kind::kEnd: return End(job);
    case Step::Kind::kNone: return;
  }
}

void HotLoader::Fail(Job& job, const Error& error) {
  {
    std::lock_guard lock(mutex_);
    job.problem = error.message;
    job.retry_at_ns = env_.clock.MonotonicNs() + kRetryUs * 1'000;
  }
  env_.log.Warn("hot rows were not loaded, it is tried again", {{"table", job.table.name().ToString()}, {"cause", error.ToString()}});
}

// True: that was all. A run is null when nothing new is durable.
Result<bool> HotLoader::Read(Job& job, Run& run) {
  if (Reached(job.read_to, job.plan.border)) return true;
  if (job.reader == nullptr) { ASSIGN_OR_RETURN(job.reader, log_.NewReader(job.table.topic_name(), job.read_to)); }
  auto next = job.reader->Next(kReadBytes);
  if (!next.ok()) {
    job.reader.reset();  // where it stands is not known: the next one begins where the lanes were left
    return next.error();
  }
  if (next->empty()) {
    ASSIGN_OR_RETURN(auto durable, log_.DurableEnds(job.table.topic_name()));
    return Reached(durable, job.plan.border);
  }
  run = std::make_shared<const log::FrameRun>(std::move(*next));
  job.read_to = job.reader->position();
  return Reached(job.read_to, job.plan.border);
}

// The first frame from `at` on with rows for the lane; the run's size: there is none.
size_t HotLoader::NextFrame(const Job& job, size_t lane, const log::FrameRun& run, size_t at) {
  for (; at < run.frames().size(); at++) {
    auto& frame = run.frames()[at];
    if (job.lane_of.at(frame.partition) == lane && frame.base_offset < job.plan.border.at(frame.partition)) break;
  }
  return at;
}

// False: there is no room for the rest.
Result<bool> HotLoader::Lay(Job& job, size_t index, const log::FrameRun& run) {
  auto& lane = *job.lanes[index];
  bool has_room = true;
  for (size_t at = NextFrame(job, index, run, lane.next_frame); has_room && at < run.frames().size(); at = lane.next_frame) {
    auto& frame = run.frames()[at];
    auto rows = AppendFrame(lane.tail, frame, job.plan.from.at(frame.partition), lane.scratch);
    CHECK(rows.ok() || rows.error().code != ErrorCode::kExhausted, "no memory for rows of the log");
    if (!rows.ok()) return rows.error();
    job.rows += *rows;
    lane.next_frame = NextFrame(job, index, run, at + 1);
    has_room = lane.tail.chunk_count() < 2 || TakeOver(job, lane);
  }
  TakeOver(job, lane);
  return lane.next_frame == run.frames().size();
}

// Chunks that are full become the table's. False: there is no room for more.
bool HotLoader::TakeOver(Job& job, Lane& lane) {
  lane.tail.Publish(kAlreadyDurable);
  job.table.hot().AddOlder(lane.tail.TakeWhole());
  if (HasRoom(job.table)) return true;
  lane.tail.Close();  // its chunk may leave meanwhile
  job.table.hot().AddOlder(lane.tail.TakeWhole());
  return false;
}

void HotLoader::End(Job& job) {
  for (auto& lane : job.lanes) {
    lane->tail.Close();
    job.table.hot().AddOlder(lane->tail.TakeWhole());
  }
  registry_.EndLoad(job.table);
  env_.log.Info(
      "hot rows loaded",
      {{"table", job.table.name().ToString()}, {"rows", job.rows.load()}, {"ms", (env_.clock.MonotonicNs() - job.began_ns) / 1'000'000}});
  std::lock_guard lock(mutex_);
  jobs_.remove_if([&](const Job& j) { return &j == &job; });
}

}  // namespace sluice::table
