// SPDX-License-Identifier: Apache-2.0
#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

// Independent streams, so that a fault more or less does not change who runs next.
constexpr uint64_t kScheduleStream = 0x5343'4845'4455'4c45;
constexpr uint64_t kFaultStream = 0x4641'554c'5453'0000;
constexpr uint64_t kDiskStream = 0x4449'534b'0000'0000;
constexpr uint64_t kLieStream = 0x4c49'4553'0000'0000;
constexpr uint64_t kCatalogLieStream = 0x4341'544c'4945'5300;
constexpr uint64_t kSocketStream = 0x534f'434b'4554'5300;

constexpr int64_t kNanosPerMicro = 1'000;

}  // namespace

Simulation::Simulation(uint64_t seed_of_world, SimulationOptions options_of_world)
    : seed(seed_of_world),
      options(options_of_world),
      scheduler(seed ^ kScheduleStream, options),
      fault_random(seed ^ kFaultStream),
      disk_random(seed ^ kDiskStream),
      lies(disk, seed ^ kLieStream),
      sockets(seed ^ kSocketStream, options, scheduler),
      catalog_lies(seed ^ kCatalogLieStream) {}

void Simulation::Crash(CrashKind kind, ProcessId process) {
  const auto doom = [&](ProcessId p) {
    scheduler.Doom(p);
    sockets.OnCrash(kind, p);
  };
  if (kind == CrashKind::kProcess) return doom(process);
  for (ProcessId p = 1; p < next_process; p++)
    if (!scheduler.IsDoomed(p)) doom(p);
  disk.Crash(disk_random);
  catalog_lies.OnPowerFailure(catalog, scheduler.now_ns());
}

bool IoGate::Fault(double probability) { return simulation_.scheduler.Self() != nullptr && simulation_.fault_random.Chance(probability); }

Error IoGate::EndDead(MayThrow may_throw) {
  if (may_throw == MayThrow::kYes) simulation_.scheduler.ThrowIfDoomed();
  return Error{ErrorCode::kCancelled, "the simulated process has crashed", {}};
}

Result<IoGate::Fate> IoGate::Enter(std::string_view call, std::string_view subject, uint64_t detail, MayThrow may_throw) {
  auto& scheduler = simulation_.scheduler;
  if (scheduler.IsDoomed(process_)) return EndDead(may_throw);
  if (scheduler.Self() == nullptr) return Fate::kGo;
  const auto cost_us = 1 + static_cast<int64_t>(simulation_.fault_random.Below(static_cast<uint64_t>(simulation_.options.io_cost_us_max)));
  std::string doing(call);
  doing.append(" ").append(subject);
  scheduler.Yield(doing, detail, cost_us * kNanosPerMicro);
  if (scheduler.IsDoomed(process_)) return EndDead(may_throw);
  if (process_ == kOutside) return Fate::kGo;
  return ++simulation_.io_count == simulation_.options.crash_at_io ? Fate::kCrash : Fate::kGo;
}

}  // namespace sluice::io
