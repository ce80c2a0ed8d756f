// SPDX-License-Identifier: Apache-2.0
//
// sluice_probe: what the machine gives right now. Memory, compression and JSON on one core; the disk to one writer that waits for each
// write, the journal's way: O_DIRECT, O_DSYNC, into blocks that were written before, from a thread of the journal writer's priority
// (a busy machine wakes others up at its ticks of 4 ms). Pauses: for how long each core ran nobody, not even who goes before everybody.
// Prints one JSON object.

#include <fcntl.h>
#include <sched.h>
#include <simdjson.h>
#include <unistd.h>
#include <zstd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "base/json.h"
#include "io/env.h"
#include "kernel/kernel_clock.h"
#include "load/workload.h"

namespace sluice::bench {
namespace {

constexpr size_t kAlignment = 4096, kCopiedBytes = size_t{64} << 20, kPadding = 64, kFileBytes = size_t{256} << 20;

struct ProbeOptions {
  std::string directory = ".";
  double seconds = 0.5;
};

// How often `action` is done in a second.
double Rate(double seconds, const std::function<void()>& action) {
  action();
  const double begin = WallSeconds();
  double now = begin;
  int64_t times = 0;
  for (; now - begin < seconds; now = WallSeconds(), times++) action();
  return static_cast<double>(times) / (now - begin);
}

// Events of the load, an array of 200.
std::string Events() {
  WorkloadOptions options;
  options.requests = 1;
  Workload workload(options, 1);
  const std::string& bytes = workload.Next().bytes;
  return bytes.substr(bytes.find("\r\n\r\n") + 4);
}

Json Memory(io::Env, const ProbeOptions& options) {
  std::vector<char> from(kCopiedBytes, 'x'), to(kCopiedBytes, 'y');
  Json out;
  out.Set("bytes_per_second",
          static_cast<double>(kCopiedBytes) * Rate(options.seconds, [&] { std::memcpy(to.data(), from.data(), from.size()); }));
  return out;
}

Json Zstd(io::Env, const ProbeOptions& options) {
  std::string events;
  for (int i = 0; i < 8; i++) events += Events();
  std::vector<char> to(ZSTD_compressBound(events.size()));
  Json out;
  out.Set("bytes_per_second", static_cast<double>(events.size()) *
                                  Rate(options.seconds, [&] { ZSTD_compress(to.data(), to.size(), events.data(), events.size(), 1); }));
  return out;
}

// The structure only: no value is looked at.
Json JsonScan(io::Env, const ProbeOptions& options) {
  std::string events = Events();
  const size_t size = events.size();
  events.append(kPadding, ' ');
  simdjson::ondemand::parser parser;
  Json out;
  out.Set("bytes_per_second",
          static_cast<double>(size) * Rate(options.seconds, [&] {
            simdjson::ondemand::document document;
            size_t count = 0;
            if (parser.iterate(events.data(), size, events.size()).get(document) || document.count_elements().get(count)) std::abort();
          }));
  return out;
}

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "sluice_probe: %s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

Json Writes(const ProbeOptions& options, size_t block_bytes) {
  const std::string path = options.directory + "/disk-probe";
  auto* block = static_cast<char*>(::operator new (block_bytes, std::align_val_t{kAlignment}));
  std::memset(block, 0x5a, block_bytes);
  const size_t file_bytes = std::min(kFileBytes, block_bytes * 1024);
  const int filler = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (filler < 0) Fail("cannot make the file");
  for (size_t at = 0; at < file_bytes; at += block_bytes)
    if (pwrite(filler, block, block_bytes, static_cast<off_t>(at)) < 0) Fail("cannot fill the file");
  fsync(filler);
  close(filler);
  const int file = open(path.c_str(), O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC);
  if (file < 0) Fail("cannot open the file for direct writes");
  unlink(path.c_str());

  std::vector<double> us;
  const double begin = WallSeconds();
  double now = begin;
  for (size_t at = 0; now - begin < options.seconds; at = (at + block_bytes) % file_bytes) {
    if (pwrite(file, block, block_bytes, static_cast<off_t>(at)) < 0) Fail("cannot write");
    const double after = WallSeconds();
    us.push_back((after - now) * 1e6);
    now = after;
  }
  close(file);
  std::sort(us.begin(), us.end());
  Json out;
  out.Set("writes_per_second", static_cast<double>(us.size()) / (now - begin));
  out.Set("bytes_per_second", static_cast<double>(us.size() * block_bytes) / (now - begin));
  out.Set("p50_us", us[us.size() / 2]);
  out.Set("p99_us", us[us.size() * 99 / 100]);
  ::operator delete (block, std::align_val_t{kAlignment});
  return out;
}

Json Disk(io::Env env, const ProbeOptions& options, size_t block_bytes) {
  Json out;
  env.threads.Start("disk-probe", io::ThreadPriority::kRealTime, [&] { out = Writes(options, block_bytes); })->Join();
  return out;
}

// The longest that one who sleeps a millisecond at a time on this core, before all others, slept too long. Nothing: that is not allowed.
std::optional<double> LongestPauseUs(io::Clock& clock, size_t core, double seconds) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  sched_param before_others{};
  before_others.sched_priority = sched_get_priority_max(SCHED_FIFO);
  if (sched_setaffinity(0, sizeof cores, &cores) != 0 || sched_setscheduler(0, SCHED_FIFO, &before_others) != 0) return std::nullopt;
  constexpr int64_t kSleepUs = 1'000;
  double longest = 0;
  const double begin = WallSeconds();
  for (double now = begin; now - begin < seconds;) {
    clock.SleepUs(kSleepUs);
    const double after = WallSeconds();
    longest = std::max(longest, (after - now) * 1e6 - kSleepUs);
    now = after;
  }
  return longest;
}

Json Pauses(io::Env env, const ProbeOptions& options) {
  std::vector<std::optional<double>> longest(std::thread::hardware_concurrency());
  std::vector<std::unique_ptr<io::Thread>> threads;
  for (size_t core = 0; core < longest.size(); core++)
    threads.push_back(env.threads.Start("pauses", io::ThreadPriority::kNormal, [&, core] { longest[core] = LongestPauseUs(env.clock, core, options.seconds); }));
  for (auto& thread : threads) thread->Join();
  const auto most = *std::max_element(longest.begin(), longest.end());
  Json out = Json::MakeObject();
  if (most) out.Set("longest_us", *most);
  return out;
}

int Run(int argc, char** argv) {
  const std::map<std::string, std::function<Json(io::Env, const ProbeOptions&)>> all = {
      {"memory", Memory},
      {"zstd", Zstd},
      {"json", JsonScan},
      {"disk_4k", [](io::Env env, const ProbeOptions& o) { return Disk(env, o, size_t{4} << 10); }},
      {"disk_64k", [](io::Env env, const ProbeOptions& o) { return Disk(env, o, size_t{64} << 10); }},
      {"disk_1m", [](io::Env env, const ProbeOptions& o) { return Disk(env, o, size_t{1} << 20); }},
      {"pauses", Pauses},
  };
  ProbeOptions options;
  std::vector<std::string> names;
  CLI::App app("Measures what the machine gives right now and prints it as JSON.");
  app.add_option("name", names, "memory, zstd, json, disk_4k, disk_64k, disk_1m, pauses")->required()->check(CLI::IsMember(all));
  app.add_option("--directory", options.directory, "on the disk to be measured")->capture_default_str();
  app.add_option("--seconds", options.seconds, "of each")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  io::RealWorld world(io::LogLevel::kError);
  Json out;
  for (const auto& name : names) out.Set(name, all.at(name)(world.env(), options));
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
