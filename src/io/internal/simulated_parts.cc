// SPDX-License-Identifier: Apache-2.0
//
// The simulated twins that are a few lines each.

#include <cstdlib>
#include <cstring>

#include "io/internal/simulation.h"

namespace sluice::io {
namespace {

class SimulatedRandom final : public Random {
 public:
  explicit SimulatedRandom(uint64_t seed) : random_(seed) {}
  uint64_t Next64() override { return random_.Next(); }

 private:
  SeededRandom random_;
};

class SimulatedRegion final : public SharedRegion {
 public:
  explicit SimulatedRegion(size_t size) : size_(size), bytes_(static_cast<char*>(std::aligned_alloc(kPageBytes, size))) {
    CHECK(bytes_ != nullptr, "no memory");
    std::memset(bytes_, 0, size_);
  }
  ~SimulatedRegion() override { std::free(bytes_); }
  std::span<char> bytes() override { return {bytes_, size_}; }
  std::span<const char> view() const override { return {bytes_, size_}; }
  Result<void> Read(uint64_t at, std::span<char> to) const override {
    CHECK(at <= size_ && to.size() <= size_ - at, "a read beyond what is mapped");
    std::memcpy(to.data(), bytes_ + at, to.size());
    return {};
  }
  int descriptor() const override { return -1; }

 private:
  const size_t size_;
  char* const bytes_;
};

class SimulatedSharedMemory final : public SharedMemory {
 public:
  Result<std::unique_ptr<SharedRegion>> Create(const std::string&, size_t size) override {
    CHECK(size > 0, "a shared region of no bytes");
    return std::unique_ptr<SharedRegion>(std::make_unique<SimulatedRegion>((size + kPageBytes - 1) / kPageBytes * kPageBytes));
  }
  Result<std::unique_ptr<SharedBytes>> MapFile(File& file) override {
    ASSIGN_OR_RETURN(auto size, file.Size());
    ASSIGN_OR_RETURN(auto region, Create({}, size));
    ASSIGN_OR_RETURN([[maybe_unused]] auto read, file.Read(0, region->bytes().subspan(0, size)));
    return std::unique_ptr<SharedBytes>(std::move(region));
  }
};

class SimulatedLogger final : public Logger {
 public:
  SimulatedLogger(IoGate& gate, std::string server) : simulation_(gate.simulation()), who_(std::move(server) + "#" + std::to_string(gate.process())) {}

 protected:
  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) override {
    auto& log = simulation_.log;
    log.push_back(std::to_string(simulation_.scheduler.now_ns() / 1000) + "us " + who_ + " " + FormatLogLine(level, message, fields));
    if (log.size() > simulation_.options.log_lines_max) log.pop_front();
  }

 private:
  Simulation& simulation_;
  const std::string who_;
};

class SimulatedProcesses final : public Processes {
 public:
  Result<std::unique_ptr<Process>> StartSelf(const std::vector<std::string>&, std::span<const int>) override {
    return Error{ErrorCode::kUnavailable, "there are no processes in the simulator", {}};
  }
};

// Files with the one fault that a remote store has and a disk has not.
class SimulatedObjectStore final : public ObjectStore {
 public:
  SimulatedObjectStore(IoGate& gate, FileSystem& files) : gate_(gate), objects_(MakeFileObjectStore(files)) {}

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& uri) override {
    if (Unavailable()) return Error{ErrorCode::kUnavailable, "create \"" + uri + "\": slow down", {}};
    return objects_->Create(uri);
  }
  Result<std::unique_ptr<ObjectReader>> Open(const std::string& uri) override {
    if (Unavailable()) return Error{ErrorCode::kUnavailable, "open \"" + uri + "\": slow down", {}};
    return objects_->Open(uri);
  }
  Result<void> Remove(const std::string& uri) override {
    if (Unavailable()) return Error{ErrorCode::kUnavailable, "remove \"" + uri + "\": slow down", {}};
    return objects_->Remove(uri);
  }
  Result<void> List(const std::string& prefix, const std::function<void(const ObjectInfo&)>& visit) override {
    if (Unavailable()) return Error{ErrorCode::kUnavailable, "list \"" + prefix + "\": slow down", {}};
    return objects_->List(prefix, visit);
  }

 private:
  bool Unavailable() { return gate_.Fault(gate_.simulation().options.object_unavailable); }

  IoGate& gate_;
  const std::unique_ptr<ObjectStore> objects_;
};

}  // namespace

std::unique_ptr<Random> MakeSimulatedRandom(uint64_t seed) { return std::make_unique<SimulatedRandom>(seed); }
std::unique_ptr<SharedMemory> MakeSimulatedSharedMemory() { return std::make_unique<SimulatedSharedMemory>(); }
std::unique_ptr<Logger> MakeSimulatedLogger(IoGate& gate, std::string server) { return std::make_unique<SimulatedLogger>(gate, std::move(server)); }
std::unique_ptr<Processes> MakeSimulatedProcesses() { return std::make_unique<SimulatedProcesses>(); }
std::unique_ptr<ObjectStore> MakeSimulatedObjectStore(IoGate& gate, FileSystem& files) { return std::make_unique<SimulatedObjectStore>(gate, files); }

}  // namespace sluice::io
