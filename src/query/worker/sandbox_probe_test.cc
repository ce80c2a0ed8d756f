// SPDX-License-Identifier: Apache-2.0
#include "query/worker/sandbox_probe.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "io/env.h"
#include "query/worker/sandbox.h"

namespace sluice::query {
namespace {

constexpr size_t kBig = size_t{3} << 30;

bool Maps(size_t bytes, int protection, int flags) { return mmap(nullptr, bytes, protection, flags, -1, 0) != MAP_FAILED; }

bool OpensInANewThread() {
  bool done = false;
  std::thread thread([&] { done = syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) >= 0; });
  thread.join();
  return done;
}
bool RaisesItsLimit() {
  rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  return setrlimit(RLIMIT_DATA, &none) == 0;
}
bool Connects() {
  sockaddr_un address{AF_UNIX, "/run/x"};
  return connect(0, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}
bool MakesCodeExecutable() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}
bool Executes() {
  char* none[] = {nullptr};
  return execve("/bin/true", none, none) == 0;
}

// True: it worked.
struct Probe {
  const char* name;
  bool (*attempt)();
};
constexpr Probe kProbes[] = {
    {"open", [] { return open("/etc/passwd", O_RDONLY) >= 0; }},
    {"create", [] { return openat(AT_FDCWD, "/tmp/x", O_WRONLY | O_CREAT, 0600) >= 0; }},
    {"open_in_thread", OpensInANewThread},
    {"socket", [] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
    {"connect", Connects},
    {"exec", Executes},
    {"fork", [] { return syscall(SYS_fork) >= 0; }},
    {"vfork_by_clone", [] { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0; }},
    {"ptrace", [] { return syscall(SYS_ptrace, 16, getppid(), 0, 0) == 0; }},
    {"kill_parent", [] { return kill(getppid(), 0) == 0; }},
    {"tgkill_parent", [] { return syscall(SYS_tgkill, getppid(), getppid(), 0) == 0; }},
    {"executable_memory", [] { return Maps(4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS); }},
    {"mprotect_executable", MakesCodeExecutable},
    {"much_memory", [] { return Maps(kBig, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS); }},
    {"much_shared_memory", [] { return Maps(kBig, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS); }},
    {"raise_limit", RaisesItsLimit},
    {"io_uring", [] { return syscall(SYS_io_uring_setup, 1, nullptr) >= 0; }},
    {"memfd", [] { return syscall(SYS_memfd_create, "x", 0) >= 0; }},
    {"unshare", [] { return syscall(SYS_unshare, CLONE_NEWUSER) == 0; }},
    {"unlink", [] { return unlink("/tmp/x") == 0 || errno == ENOENT; }},
    {"renice", [] { return setpriority(PRIO_PROCESS, 0, -20) == 0; }},
    {"shared_segment", [] { return syscall(SYS_shmget, 1234, 1 << 20, 01600) >= 0; }},
    {"dump", [] { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0; }},
    {"dup_by_fcntl", [] { return fcntl(0, F_DUPFD, 100) >= 0; }},
};

class SandboxTest : public testing::TestWithParam<Probe> {};

// Goal: native code inside a worker gains nothing.
// Method: a child enters the sandbox and tries one thing; it must fail or kill the child.
TEST_P(SandboxTest, Refuses) {
  if (!kMemoryIsLimited && std::string(GetParam().name) == "much_memory") return;  // under a sanitizer it is not bounded
  io::RealWorld world(io::LogLevel::kError);
  auto child = world.env().processes.StartSelf({"probe", GetParam().name}, {});
  ASSERT_TRUE(child.ok()) << child.error().ToString();
  auto exit = (*child)->Wait();
  ASSERT_TRUE(exit.has_value());
  EXPECT_TRUE(exit->ok() || exit->signal == SIGSYS || exit->signal == SIGKILL) << "code " << exit->code << " signal " << exit->signal;
}
INSTANTIATE_TEST_SUITE_P(Probes, SandboxTest, testing::ValuesIn(kProbes), [](auto& probe) { return std::string(probe.param.name); });

TEST(Sandbox, ProbeThatIsAllowedIsSeen) {
  io::RealWorld world(io::LogLevel::kError);
  auto child = world.env().processes.StartSelf({"probe", "nothing_forbidden"}, {});
  ASSERT_TRUE(child.ok());
  EXPECT_EQ((*child)->Wait()->code, 1);
}

}  // namespace

int ProbeSandbox(const std::string& name) {
  if (name.find('.') != std::string::npos) return ProbeMemory(name);
  if (!EnterSandbox({}).ok()) return 2;
  if (name == "nothing_forbidden") return getpid() > 0 ? 1 : 0;
  for (auto& probe : kProbes)
    if (name == probe.name) return probe.attempt() ? 1 : 0;
  return 2;
}

}  // namespace sluice::query
