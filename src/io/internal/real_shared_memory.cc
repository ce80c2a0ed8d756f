// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"
#include "io/internal/system_error.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010  // linux/fcntl.h, Linux 5.1; not in every glibc
#endif

namespace sluice::io {
namespace {

// A mapping and the descriptor that a worker gets of the same bytes. `Base`: what of it the owner may do.
template <class Base>
class Mapping : public Base {
 public:
  Mapping(void* base, size_t size, Descriptor reader) : base_(static_cast<char*>(base)), size_(size), reader_(std::move(reader)) {}
  ~Mapping() override { munmap(base_, size_); }
  std::span<const char> view() const override { return {base_, size_}; }
  int descriptor() const override { return reader_.get(); }
  Result<void> Read(uint64_t at, std::span<char> to) const override {
    CHECK(at <= size_ && to.size() <= size_ - at, "a read beyond what is mapped");
    while (!to.empty()) {
      const ssize_t n = pread(reader_.get(), to.data(), to.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return SystemError("read", "shared bytes", n < 0 ? errno : EIO);
      at += static_cast<uint64_t>(n);
      to = to.subspan(static_cast<size_t>(n));
    }
    return {};
  }

 protected:
  char* const base_;
  const size_t size_;

 private:
  const Descriptor reader_;
};

class RealRegion final : public Mapping<SharedRegion> {
 public:
  using Mapping::Mapping;
  std::span<char> bytes() override { return {base_, size_}; }
};

using MappedFile = Mapping<SharedBytes>;

// The kernel gives a reader no write access later, only because this descriptor was opened without it.
Result<Descriptor> OpenAgainForReading(int descriptor) {
  Descriptor reader(open(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!reader.valid()) return SystemError("open", "/proc/self/fd", errno);
  return reader;
}

class RealSharedMemory final : public SharedMemory {
 public:
  Result<std::unique_ptr<SharedRegion>> Create(const std::string& name, size_t size) override {
    CHECK(size > 0, "a shared region of no bytes");
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size = (size + page - 1) / page * page;
    Descriptor owner(memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!owner.valid()) return SystemError("memfd_create", name, errno);
    if (ftruncate(owner.get(), static_cast<off_t>(size)) != 0) return SystemError("ftruncate", name, errno);
    ASSIGN_OR_RETURN(auto reader, OpenAgainForReading(owner.get()));
    void* base = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, owner.get(), 0);
    if (base == MAP_FAILED) return SystemError("mmap", name, errno);
    auto region = std::make_unique<RealRegion>(base, size, std::move(reader));
    // The order matters: the writable mapping must exist before FUTURE_WRITE, the size must be final before SHRINK and GROW.
    if (fcntl(owner.get(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
      return SystemError("seal", name, errno);
    return std::unique_ptr<SharedRegion>(std::move(region));
  }

  Result<std::unique_ptr<SharedBytes>> MapFile(File& file) override {
    ASSIGN_OR_RETURN(auto size, file.Size());
    CHECK(size > 0, "a mapping of an empty file");
    ASSIGN_OR_RETURN(auto reader, OpenAgainForReading(file.descriptor()));
    void* base = mmap(nullptr, size, PROT_READ, MAP_SHARED, reader.get(), 0);
    if (base == MAP_FAILED) return SystemError("mmap", "a file of hot rows", errno);
    return std::unique_ptr<SharedBytes>(std::make_unique<MappedFile>(base, size, std::move(reader)));
  }
};

}  // namespace

std::unique_ptr<SharedMemory> MakeRealSharedMemory() { return std::make_unique<RealSharedMemory>(); }

}  // namespace sluice::io
