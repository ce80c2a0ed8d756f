// SPDX-License-Identifier: Apache-2.0
//
// sluice_duplicates: requests of 200 keys, each looked up and put in if it is new, on one core. One key in twenty is a duplicate: most of
// the newest ones, the rest of all that ever were. Prints one JSON object.

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "kernel/kernel_clock.h"
#include "kernel/key_set.h"

namespace sluice::bench {
namespace {

constexpr size_t kKeysPerRequest = 200;
constexpr uint64_t kDuplicateOneIn = 20, kOldOneIn = 5;  // 5 %; a fifth of those of any age
constexpr uint64_t kNewest = 600'000;                    // a minute at 10,000 a second

class UnorderedKeySet final : public KeySet {
 public:
  size_t InsertAbsent(std::span<const log::DedupKey> keys) override {
    size_t absent = 0;
    for (const auto& key : keys) absent += keys_.insert(key).second;
    return absent;
  }
  uint64_t memory_bytes() const override {
    return keys_.size() * (sizeof(log::DedupKey) + 2 * sizeof(void*)) + keys_.bucket_count() * sizeof(void*);
  }

 private:
  struct Hash {
    size_t operator()(const log::DedupKey& key) const { return key.low; }
  };
  std::unordered_set<log::DedupKey, Hash> keys_;
};

// SplitMix64: the i-th key is a function of i, so that none has to be remembered.
uint64_t Mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}
log::DedupKey KeyOf(uint64_t i) { return {Mixed(i), Mixed(~i)}; }

// The stream of keys, the same for everybody.
class Stream {
 public:
  void Fill(std::vector<log::DedupKey>& keys) {
    for (auto& key : keys) {
      if (made_ == 0 || random_() % kDuplicateOneIn != 0) {
        key = KeyOf(made_++);
        continue;
      }
      const uint64_t back = random_() % kOldOneIn == 0 ? made_ : std::min(made_, kNewest);
      key = KeyOf(made_ - 1 - random_() % back);
    }
  }
  uint64_t made() const { return made_; }

 private:
  std::mt19937_64 random_{1};
  uint64_t made_ = 0;
};

int Measure(KeySet& set, uint64_t keys_wanted) {
  Stream stream;
  std::vector<log::DedupKey> keys(kKeysPerRequest);
  uint64_t offered = 0, absent = 0;
  double wall = 0, cpu = 0, upkeep = 0;
  while (stream.made() < keys_wanted) {
    stream.Fill(keys);
    const double before = WallSeconds(), cpu_before = ThreadCpuSeconds();
    absent += set.InsertAbsent(keys);
    const double after = WallSeconds();
    wall += after - before;
    cpu += ThreadCpuSeconds() - cpu_before;
    set.DoUpkeep();
    upkeep += WallSeconds() - after;
    offered += keys.size();
  }
  if (absent != stream.made()) {
    std::fprintf(stderr, "sluice_duplicates: %llu keys were new, %llu were taken\n", static_cast<unsigned long long>(stream.made()),
                 static_cast<unsigned long long>(absent));
    return 1;
  }
  Json out;
  out.Set("keys", absent);
  out.Set("duplicates", offered - absent);
  out.Set("keys_per_second", static_cast<double>(offered) / wall);
  out.Set("keys_per_cpu_second", static_cast<double>(offered) / cpu);
  out.Set("upkeep_seconds", upkeep);
  out.Set("keys_per_second_with_upkeep", static_cast<double>(offered) / (wall + upkeep));
  out.Set("memory_bytes", set.memory_bytes());
  out.Set("disk_bytes", set.disk_bytes());
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

int Run(int argc, char** argv) {
  io::RealWorld world(io::LogLevel::kError);
  std::string way, directory = ".";
  uint64_t keys = 10'000'000;
  const std::map<std::string, std::function<std::unique_ptr<KeySet>()>> ways = {
      {"sluice", [&] { return MakeSluiceKeySet(world.env(), directory); }},
      {"unordered_set", [] { return std::make_unique<UnorderedKeySet>(); }},
#ifdef SLUICE_BENCH_ROCKSDB
      {"rocksdb", [&] { return MakeRocksKeySet(directory); }},
#endif
  };
  CLI::App app("Looks keys up and puts new ones in, and prints what it cost as JSON.");
  app.add_option("--with", way, "sluice, unordered_set or rocksdb")->required()->check(CLI::IsMember(ways));
  app.add_option("--keys", keys, "different ones")->capture_default_str();
  app.add_option("--directory", directory, "for files; empty")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return Measure(*ways.at(way)(), keys);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
