// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// After a start: lays the rows that the log holds behind a table's snapshot into its hot tail, while new rows come in behind them.
//
//   log ──(one thread reads)──▶ runs of frames ──┬─▶ lane 0: half of the log partitions ─▶ chunks ─┐
//                                                └─▶ lane 1: the others ─────────────────▶ chunks ─┴─▶ hot tail, older rows
//
// Rows that find no room stay in the log until there is some: tables that get on move theirs away, those of others go to files.

#include <array>
#include <atomic>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/env.h"
#include "log/reader.h"
#include "table/registry.h"

namespace sluice::table {

// How far one table is.
struct LoadStatus {
  const Table* table = nullptr;
  uint64_t rows = 0, rows_all = 0;  // offsets: gaps count
  std::string problem;              // why it does not go on; empty: it does
};

// Thread-safe, but for Add. References must outlive it.
class HotLoader {
 public:
  HotLoader(io::Env env, TableRegistry& registry, ChunkMemory& memory, log::LogSource& log);
  // What is not loaded stays in the log.
  ~HotLoader();

  // Fills the tail of a table that TableRegistry::BeginLoad gave `plan` for, and ends with EndLoad. An error of the log is not the
  // end: it is tried again. The log's thread.
  void Add(Table& table, LoadPlan plan);
  std::vector<LoadStatus> Status() const;

 private:
  static constexpr size_t kLanes = 2;
  using Run = std::shared_ptr<const log::FrameRun>;
  // A part of the log partitions. While it is busy, its thread owns what is not the queue.
  struct Lane {
    explicit Lane(ChunkMemory& memory) : tail(memory, {}) {}
    std::deque<Run> queue;
    bool busy = false;
    size_t next_frame = 0;  // of the queue's first run, its own or the end
    HotTail tail;
    event::EventBatch scratch;
  };
  struct Job {
    Job(Table& t, LoadPlan p, ChunkMemory& memory) : table(t), plan(std::move(p)), read_to(plan.from) {
      for (auto& lane : lanes) lane = std::make_unique<Lane>(memory);
    }
    Table& table;
    const LoadPlan plan;
    std::map<log::LogPartition, size_t> lane_of;
    std::array<std::unique_ptr<Lane>, kLanes> lanes;
    bool reading = false, all_read = false, ending = false;
    int64_t retry_at_ns = 0;
    bool waits_behind_others = false;  // its table is stuck, as of the last look
    std::string problem;
    std::atomic<uint64_t> rows{0};
    uint64_t rows_all = 0;
    int64_t began_ns = 0;
    // The thread that reads.
    std::unique_ptr<log::LogReader> reader;
    PartitionOffsets read_to;  // what was read and handed to the lanes
  };
  struct Step {
    enum class Kind : uint8_t { kNone, kRead, kLay, kEnd } kind = Kind::kNone;
    Job* job = nullptr;
    size_t lane = 0;
    int64_t wait_us = -1;  // kNone: until there may be one
  };
  struct Worker {
    std::unique_ptr<io::Signal> wake;
    std::unique_ptr<io::Thread> thread;
  };

  void StartWorkers();
  void Work(Worker& self);
  Step Pick();
  Step PickOf(Job& job, int64_t now_ns);
  bool HasRoom(const Table& table) const;
  void Do(const Step& step);
  Result<bool> Read(Job& job, Run& run);
  static size_t NextFrame(const Job& job, size_t lane, const log::FrameRun& run, size_t at);
  Result<bool> Lay(Job& job, size_t lane, const log::FrameRun& run);
  bool TakeOver(Job& job, Lane& lane);
  void End(Job& job);
  void Fail(Job& job, const Error& error);
  void WakeAll();

  io::Env env_;
  TableRegistry& registry_;
  ChunkMemory& memory_;
  log::LogSource& log_;
  mutable std::mutex mutex_;
  std::list<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;  // made by the first Add
};

}  // namespace sluice::table
