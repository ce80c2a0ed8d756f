// SPDX-License-Identifier: Apache-2.0
//
// What native code that took a worker over does to the server's hot rows, and to the machine's memory. docs/guarantees.md says what stops what.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "io/env.h"
#include "io/test_directory.h"
#include "query/worker/sandbox.h"
#include "query/worker/sandbox_probe.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101  // asm-generic/mman-common.h, behind _DEFAULT_SOURCE in some glibc
#endif

namespace sluice::query {
namespace {

constexpr size_t kBig = size_t{3} << 30, kPage = 4096, kHotBytes = 16 * kPage;
constexpr off_t kBeyondSpill = off_t{512} << 20;  // twice what a spill file may have

// What a worker holds: the descriptor of a hot chunk in memory, that of one in a file, and a spill file of its own.
struct Held {
  int chunk, file, spill;
};

char* Map(int fd, int protection, int flags) {
  void* at = mmap(nullptr, kHotBytes, protection, flags, fd, 0);
  return at == MAP_FAILED ? nullptr : static_cast<char*>(at);
}
// True: it worked. Each with the descriptor of hot rows, in memory and then in a file.
struct HotProbe {
  const char* name;
  bool (*attempt)(int fd);
};
constexpr HotProbe kHotProbes[] = {
    {"map_for_writing", [](int fd) { return Map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) != nullptr; }},
    {"make_mapping_writable",
     [](int fd) {
       char* at = Map(fd, PROT_READ, MAP_SHARED);
       return at == nullptr || mprotect(at, kHotBytes, PROT_READ | PROT_WRITE) == 0;  // mapping it for reading must work
     }},
    {"make_mapping_writable_by_pkey",
     [](int fd) {
       char* at = Map(fd, PROT_READ, MAP_SHARED);
       return at == nullptr || syscall(SYS_pkey_mprotect, at, kHotBytes, PROT_READ | PROT_WRITE, -1) == 0;
     }},
    {"write", [](int fd) { return pwrite(fd, "x", 1, 0) >= 0; }},
    {"write_behind", [](int fd) { return lseek(fd, 0, SEEK_END) > 0 && write(fd, "x", 1) >= 0; }},
    {"cut", [](int fd) { return ftruncate(fd, 0) == 0; }},
    {"grow", [](int fd) { return ftruncate(fd, 2 * kHotBytes) == 0; }},
    {"punch_a_hole", [](int fd) { return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kPage) == 0; }},
    {"remove_pages",
     [](int fd) {
       char* at = Map(fd, PROT_READ, MAP_SHARED);
       return at == nullptr || madvise(at, kPage, MADV_REMOVE) == 0;
     }},
    {"take_pages_offline",  // as root it would work, and its sibling MADV_HWPOISON kills whoever reads the page
     [](int fd) {
       char* at = Map(fd, PROT_READ, MAP_SHARED);
       return at == nullptr || at[0] != 0 || madvise(at, kPage, MADV_SOFT_OFFLINE) == 0;
     }},
    {"open_again", [](int fd) { return open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR) >= 0; }},
    {"copy_by_splice", [](int fd) { return syscall(SYS_splice, 0, nullptr, fd, nullptr, kPage, 0) >= 0; }},
    {"seal_for_good", [](int fd) { return fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0; }},
    {"write_to_a_private_mapping",  // that is allowed, and nobody else sees it
     [](int fd) {
       char* at = Map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
       if (at != nullptr) at[0] = 'x';
       return at == nullptr;
     }},
};

bool MapsInPieces(size_t bytes, size_t piece) {
  for (; bytes > 0; bytes -= piece)
    if (mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return false;
  return true;
}
bool GrowsAMapping() {
  void* at = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return at != MAP_FAILED && mremap(at, kPage, kBig, MREMAP_MAYMOVE) != MAP_FAILED;
}
bool MakesAReservationWritable() {
  void* at = mmap(nullptr, kBig, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return at != MAP_FAILED && mprotect(at, kBig, PROT_READ | PROT_WRITE) == 0;
}
bool MapsAStack() { return mmap(nullptr, kBig, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0) != MAP_FAILED; }
bool MapsMuchForReading() {  // only page tables cost anything
  return mmap(nullptr, kAddressBytesMax, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}
bool MapsHugePages() { return mmap(nullptr, kBig, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0) != MAP_FAILED; }
bool CopiesAFile(int fd) {  // private writable pages of a file
  for (size_t bytes = 0; bytes < kBig; bytes += kHotBytes)
    if (Map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE) == nullptr) return false;
  return true;
}

struct MemoryProbe {
  const char* name;
  bool (*attempt)(const Held& held);
};
constexpr MemoryProbe kMemoryProbes[] = {
    {"in_small_pieces", [](const Held&) { return MapsInPieces(kBig, size_t{1} << 20); }},
    {"by_brk", [](const Held&) { return sbrk(kBig) != reinterpret_cast<void*>(-1); }},
    {"by_growing_a_mapping", [](const Held&) { return GrowsAMapping(); }},
    {"by_a_reservation", [](const Held&) { return MakesAReservationWritable(); }},
    {"as_a_stack", [](const Held&) { return MapsAStack(); }},
    {"as_huge_pages", [](const Held&) { return MapsHugePages(); }},
    {"in_page_tables", [](const Held&) { return MapsMuchForReading(); }},
    {"as_copies_of_a_file", [](const Held& held) { return CopiesAFile(held.chunk); }},
    {"as_locked_pages", [](const Held&) { return mlockall(MCL_CURRENT | MCL_FUTURE) == 0; }},
    {"in_a_pipe",
     [](const Held&) {
       int ends[2];
       return pipe(ends) == 0;
     }},
    {"as_zero_pages_of_dev", [](const Held&) { return open("/dev/zero", O_RDWR) >= 0 || open("/dev/shm", O_TMPFILE | O_RDWR, 0600) >= 0; }},
    {"in_a_spill_file",
     [](const Held& held) { return ftruncate(held.spill, kBeyondSpill) == 0 || pwrite(held.spill, "x", 1, kBeyondSpill) >= 0; }},
};

std::vector<std::string> Names() {
  std::vector<std::string> out;
  for (auto& probe : kHotProbes)
    for (auto* where : {"chunk.", "file."}) out.push_back(where + std::string(probe.name));
  for (auto& probe : kMemoryProbes) out.push_back("memory." + std::string(probe.name));
  return out;
}

class SandboxMemoryTest : public testing::TestWithParam<std::string> {};

// Goal: native code inside a worker changes no hot row, and gets no memory beyond its limit.
// Method: as sandbox_probe_test.cc, with the descriptors that a worker gets; the owner's bytes have to be the same afterwards.
TEST_P(SandboxMemoryTest, Refuses) {
  if (!kMemoryIsLimited && GetParam().starts_with("memory.")) return;  // under a sanitizer it is not bounded
  io::RealWorld world(io::LogLevel::kError);
  auto child = world.env().processes.StartSelf({"probe", GetParam()}, {});
  ASSERT_TRUE(child.ok()) << child.error().ToString();
  auto exit = (*child)->Wait();
  ASSERT_TRUE(exit.has_value());
  EXPECT_TRUE(exit->ok() || exit->signal == SIGSYS || exit->signal == SIGKILL) << "code " << exit->code << " signal " << exit->signal;
}
INSTANTIATE_TEST_SUITE_P(Probes, SandboxMemoryTest, testing::ValuesIn(Names()), [](auto& probe) {
  std::string name = probe.param;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

}  // namespace

int ProbeMemory(const std::string& name) {
  io::RealWorld world(io::LogLevel::kError);
  auto env = world.env();
  auto region = env.memory.Create("hot", kHotBytes);
  auto directory = std::make_unique<io::TestDirectory>(env.files);
  auto file = env.files.OpenUnnamed(directory->path()), spill = env.files.OpenUnnamed(directory->path());
  directory.reset();  // nobody could remove it later
  if (!region.ok() || !file.ok() || !spill.ok() || !(*file)->Write(0, std::string(kHotBytes, '\0')).ok()) return 2;
  auto mapped = env.memory.MapFile(**file);
  if (!mapped.ok() || !EnterSandbox({}).ok()) return 2;
  const Held held{(*region)->descriptor(), (*mapped)->descriptor(), (*spill)->descriptor()};
  const auto dot = name.find('.');
  const std::string where = name.substr(0, dot), what = name.substr(dot + 1);
  int exit = 2;
  for (auto& probe : kHotProbes)
    if (where != "memory" && what == probe.name) exit = probe.attempt(where == "chunk" ? held.chunk : held.file) ? 1 : 0;
  for (auto& probe : kMemoryProbes)
    if (where == "memory" && what == probe.name) exit = probe.attempt(held) ? 1 : 0;
  const auto untouched = [](std::span<const char> bytes) {
    return bytes.size() == kHotBytes && std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
  };
  if (!untouched((*region)->view()) || !untouched((*mapped)->view())) exit = 1;
  _exit(exit);
}

}  // namespace sluice::query
