// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// A world that lives in one process and obeys a seed: the same seed and program give the same run, to the last byte.
//
//   SimulatedWorld world(seed, {.crash_at_io = 17});
//   auto first = world.Run([&] { Append(world.env(), "x"); });     // the machine stops in the middle of its 17th io call
//   auto second = world.Run([&] { Recover(world.env()); });        // a new process on what the disk kept
//
// Threads are actors that hold a baton (io/threads.h). Files obey the disk's rules: what was not synced may be lost, torn or come out
// of order (internal/simulated_content.h), names likewise (internal/simulated_disk.h).
//
// How an actor dies: when its process crashes, its next io call, Wait, Sleep or Start throws SimulatedCrash, which unwinds the actor up to its entry;
// no Result tells of it, so a test's body needs no code for it. The only exception that crosses folders, and only here. Destructors run, so
// the calls that they make do not throw: Join waits for the other actor, Notify does nothing, Remove answers kCancelled, and while an
// exception unwinds, every call answers kCancelled. Any other io call in a destructor ends the test: such work belongs into a Close().
//
// Outside of Run (set-up, checks) calls act at once, without faults, and are not counted.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/catalog_store.h"
#include "io/env.h"

namespace sluice::io {

enum class CrashKind : uint8_t {
  kProcess,  // kill -9: one process ends, the page cache stays
  kMachine,  // power failure: all processes end, unsynced bytes and names may be lost
};

// A disk that lies, once, in the `nth` read or write of a file whose path has `part` in it: nobody is told.
struct DiskLie {
  enum class Kind : uint8_t {
    kNone,
    kRottenBit,         // behind a write: a bit of any of these files is another one from now on
    kRottenRead,        // a bit of what is read is another one, this time
    kLostWrite,         // a write, or a page of it, is answered and synced and never reaches the disk
    kMisdirectedWrite,  // the same, and it reaches another page, of this or of another of these files
  };
  Kind kind = Kind::kNone;
  std::string part;
  uint64_t nth = 1;
};

// A catalog that lies, once: about the `nth` change that it has made, or the `nth` table that it was asked for, as soon as it can.
struct CatalogLie {
  enum class Kind : uint8_t {
    kNone,
    kLostCommit,   // a change was answered as made, and was not
    kLostAtCrash,  // it and all behind it are gone after the next power failure, although each was synced
    kRolledBack,   // from now on a table is where it was some commits ago
    kOldAnswer,    // the same, in this answer only
    kOtherTable,   // from now on a table is where another one is
    kOtherAnswer,  // the same, in this answer only
    kForgotten,    // from now on there is no such table
    kNoneAnswer,   // the same, in this answer only
  };
  Kind kind = Kind::kNone;
  uint64_t nth = 1;
};

// A lie that was told.
struct ToldLie {
  Path path;         // of the catalog: "catalog/<namespace>.<table>"
  uint64_t at = 0;   // in the file
  std::string what;  // "a write of 4096 bytes is lost"
  int64_t monotonic_ns = 0;
};

// Probabilities are per call, 0: never.
struct SimulationOptions {
  // Faults of files: kIo. A failed sync may have lost the bytes for good, although reads still see them.
  double read_error = 0;
  double write_error = 0;
  double sync_error = 0;
  // Bytes of all files together; writes beyond it answer kExhausted. 0: no limit.
  uint64_t disk_bytes_max = 0;
  // kUnavailable, without effect.
  double object_unavailable = 0;
  double catalog_unavailable = 0;
  // kCommitUnknown: the change was made, was not made, or (where catalog_late is set) lands later, if it then still fits.
  double catalog_unknown = 0;
  bool catalog_late = false;

  // Connections. Of each piece of what is sent: how long it travels at most, and how long it is at most (0: any).
  int64_t travel_us_max = 0;
  uint64_t piece_bytes_max = 0;
  // What fits into a connection between a sender and a receiver who is slow: up to this, each connection has a bound of its own.
  uint64_t window_bytes_max = 64 << 10;
  // Per Send: both sides find it closed, and bytes on their way are lost; or nothing arrives any more, and nobody is told.
  double connection_reset = 0;
  double connection_stalled = 0;
  // Per Accept: kExhausted, while the connection waits.
  double accept_exhausted = 0;

  // From the first call that is due on, once in all of a world's runs.
  DiskLie lie = {};
  CatalogLie catalog_lie = {};

  // Stops in the n-th io call (1 is the first) counted over all processes except the world outside (""); 0: never. The call may have taken effect, whole or in part.
  uint64_t crash_at_io = 0;
  CrashKind crash_kind = CrashKind::kMachine;

  // Simulated time that an io call takes at most.
  int64_t io_cost_us_max = 200;
  // Wall time at the beginning; 2026-01-15T00:00:00Z.
  Timestamp start{1'768'435'200'000'000};

  // Bounds that end a run which does not end by itself.
  uint64_t steps_max = 20'000'000;
  // Real time without a scheduling point after which the baton counts as lost.
  int64_t stall_seconds_max = 60;
  // Lines of the log that are kept.
  size_t log_lines_max = 2'000;
};

enum class SimulationOutcome : uint8_t {
  kFinished,  // every actor returned
  kCrashed,   // a crash ended at least one; all others returned or died
  kDeadlock,  // every actor waited, none for a time
  kEndless,   // steps_max was reached
};

struct SimulationResult {
  SimulationOutcome outcome = SimulationOutcome::kFinished;
  std::string report;  // of a deadlock or an endless run: what every actor was doing
  bool finished() const { return outcome == SimulationOutcome::kFinished; }
  bool crashed() const { return outcome == SimulationOutcome::kCrashed; }
};

// Not thread-safe, but its methods may be called by actors.
class SimulatedWorld {
 public:
  explicit SimulatedWorld(uint64_t seed, SimulationOptions options = {});
  ~SimulatedWorld();
  SimulatedWorld(const SimulatedWorld&) = delete;
  SimulatedWorld& operator=(const SimulatedWorld&) = delete;

  // Adds an actor to the process `server`, which is started if it does not run, and runs all until they ended. A lost baton (an
  // actor blocked on something that is not of this world, such as a mutex held across an io call) prints every actor's state and aborts.
  SimulationResult Run(std::function<void()> body, const std::string& server = "main");
  // Adds an actor only; for several processes, or to restart one from a driving actor.
  void Spawn(const std::string& server, const std::string& name, std::function<void()> body);
  SimulationResult Run();

  // The effects of the process that `server` is now; after a crash those of a new one. All processes share the disk and the catalog.
  // Valid as long as the world, useless after the crash.
  Env env(const std::string& server = "main");
  CatalogStore& catalog(const std::string& server = "main");

  // Ends the process, or the machine with all. Called by an actor of that process it does not return.
  void Crash(CrashKind kind = CrashKind::kMachine, const std::string& server = "main");
  // Nobody of the process that `server` is now runs for so long, as after SIGSTOP or while a virtual machine moves; time goes on. Another
  // call takes the place of the one before. REQUIRES: called by an actor of another process.
  void Freeze(int64_t us, const std::string& server = "main");
  // `to` becomes what `from` is, with all below it except `without`: a snapshot of a volume, taken at once and durable. `power_failed`:
  // of what a power failure now would leave of the files' bytes, else of what processes see. REQUIRES: `from` is a directory, `to` a new
  // name; directories above it are made.
  void CloneTree(const Path& from, const Path& to, const Path& without, bool power_failed);
  // From now on; counts go on where they were.
  void SetOptions(const SimulationOptions& options);
  const SimulationOptions& options() const;

  // io calls of all runs so far: a test loops crash_at_io from 1 to this.
  uint64_t io_count() const;
  // Of all that happened, in order.
  uint64_t trace_hash() const;

  // Flips the bits of `mask` in one byte of a file. REQUIRES: the file is longer than `at`.
  void CorruptByte(const Path& path, uint64_t at, uint8_t mask);
  // Null: none so far.
  const ToldLie* lie() const;
  // Moves the wall clock; the monotonic one stays.
  void JumpClock(int64_t us);
  // The newest log lines of all processes, with simulated time and process.
  std::vector<std::string> log() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::io
