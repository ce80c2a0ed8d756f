// SPDX-License-Identifier: Apache-2.0
//
// sluice_disk_probe: what the disk gives to one writer that waits for each write, the journal's way: O_DIRECT, O_DSYNC, into blocks that
// were written before. Prints one JSON object.

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "base/json.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kAlignment = 4096;

struct ProbeOptions {
  std::string directory = ".";
  size_t block_bytes = size_t{1} << 20;
  size_t file_bytes = size_t{256} << 20;
  double seconds = 3;
};

int Fail(const char* what) {
  std::fprintf(stderr, "sluice_disk_probe: %s: %s\n", what, std::strerror(errno));
  return 1;
}

int Probe(const ProbeOptions& options) {
  const std::string path = options.directory + "/disk-probe";
  auto* block = static_cast<char*>(::operator new(options.block_bytes, std::align_val_t{kAlignment}));
  std::memset(block, 0x5a, options.block_bytes);
  const int filler = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (filler < 0) return Fail("cannot make the file");
  for (size_t at = 0; at < options.file_bytes; at += options.block_bytes)
    if (pwrite(filler, block, options.block_bytes, static_cast<off_t>(at)) < 0) return Fail("cannot fill the file");
  fsync(filler);
  close(filler);
  const int file = open(path.c_str(), O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC);
  if (file < 0) return Fail("cannot open the file for direct writes");
  unlink(path.c_str());

  std::vector<double> us;
  const auto begin = Clock::now();
  auto now = begin;
  for (size_t at = 0; std::chrono::duration<double>(now - begin).count() < options.seconds; at = (at + options.block_bytes) % options.file_bytes) {
    if (pwrite(file, block, options.block_bytes, static_cast<off_t>(at)) < 0) return Fail("cannot write");
    const auto after = Clock::now();
    us.push_back(std::chrono::duration<double, std::micro>(after - now).count());
    now = after;
  }
  close(file);
  const double seconds = std::chrono::duration<double>(now - begin).count();
  std::sort(us.begin(), us.end());
  Json out;
  out.Set("block_bytes", options.block_bytes);
  out.Set("writes_per_second", static_cast<double>(us.size()) / seconds);
  out.Set("bytes_per_second", static_cast<double>(us.size() * options.block_bytes) / seconds);
  out.Set("p50_us", us[us.size() / 2]);
  out.Set("p99_us", us[us.size() * 99 / 100]);
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

int Run(int argc, char** argv) {
  ProbeOptions options;
  CLI::App app("Measures synchronous writes as the journal makes them and prints them as JSON.");
  app.add_option("--directory", options.directory, "on the disk to be measured")->capture_default_str();
  app.add_option("--block-bytes", options.block_bytes, "of one write; a multiple of 4096")->capture_default_str();
  app.add_option("--seconds", options.seconds, "measured")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.file_bytes -= options.file_bytes % options.block_bytes;
  return Probe(options);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
