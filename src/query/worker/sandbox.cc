// SPDX-License-Identifier: Apache-2.0
#include "query/worker/sandbox.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

namespace sluice::query {
namespace {

// What DuckDB 1.5.6, Arrow 26 and glibc 2.36 call after start: found with `trap` over the statements of the tests.
constexpr int kAllowed[] = {
    // memory (mmap, mprotect and madvise: below)
    SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk),
    // threads, time, own signals
    SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(getcpu),
    SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
    // descriptors that were given
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(ftruncate), SCMP_SYS(close),
    SCMP_SYS(sendmsg), SCMP_SYS(recvmsg)};

// Nothing in the process has a reason to try these: it dies at once and the server counts it.
constexpr int kDeadly[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
                           SCMP_SYS(process_vm_writev), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd),
                           SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(keyctl), SCMP_SYS(init_module), SCMP_SYS(kexec_load),
                           SCMP_SYS(memfd_create)};

// An error, not death: DuckDB and glibc look into /proc and /sys and live without.
constexpr int kAbsent[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(access),
                           SCMP_SYS(readlink)};

Result<void> Limit(decltype(RLIMIT_DATA) what, uint64_t value) {
  rlimit limit{value, value};
  if (setrlimit(what, &limit) != 0) return Error{ErrorCode::kIo, "setrlimit: " + std::string(strerror(errno)), ""};
  return {};
}

void OnTrap(int, siginfo_t* info, void* context) {
  char line[256];
  auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  bool path = info->si_syscall == SYS_openat || info->si_syscall == SYS_newfstatat;
  int n = snprintf(line, sizeof line, "refused system call %d %s\n", info->si_syscall, path ? reinterpret_cast<const char*>(registers[REG_RSI]) : "");
  if (write(2, line, static_cast<size_t>(n)) < 0) _exit(98);
  _exit(99);
}

// Collects rules; the first failure sticks.
class Rules {
 public:
  explicit Rules(uint32_t otherwise) : context_(seccomp_init(otherwise), seccomp_release) {}
  template <class... Conditions>
  void Add(uint32_t action, int call, Conditions... conditions) {
    if (context_ == nullptr || failed_ != 0) return;
    failed_ = seccomp_rule_add(context_.get(), action, call, sizeof...(conditions), conditions...);
  }
  void Attribute(scmp_filter_attr name, uint32_t value) {
    if (context_ != nullptr && failed_ == 0) failed_ = seccomp_attr_set(context_.get(), name, value);
  }
  Result<void> Load() {
    if (context_ != nullptr && failed_ == 0) failed_ = seccomp_load(context_.get());
    if (context_ == nullptr || failed_ != 0) return Error{ErrorCode::kIo, "seccomp: " + std::string(strerror(-failed_)), "SQL needs a kernel with seccomp filters"};
    return {};
  }

 private:
  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int failed_ = 0;
};

// What allocators and readers of files say about pages. Not: MADV_REMOVE, which empties a file, and MADV_HWPOISON, with which root takes pages of
// memory, shared ones too, out of use.
constexpr int kAdvice[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE};

void AddMemoryRules(Rules& rules) {
  // A mapping that grows down is a stack to the kernel, and RLIMIT_DATA does not count stacks.
  constexpr uint64_t kUncounted = MAP_SHARED | MAP_GROWSDOWN | MAP_HUGETLB;
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), SCMP_A3(SCMP_CMP_MASKED_EQ, kUncounted, 0));
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, 0), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_GROWSDOWN, 0));
  for (int advice : kAdvice) rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(madvise), SCMP_A2(SCMP_CMP_EQ, static_cast<uint64_t>(advice)));
}

void AddThreadRules(Rules& rules) {
  // Threads yes, processes and namespaces no. clone3's flags are behind a pointer: ENOSYS makes glibc use clone.
  const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  const uint64_t looked_at = thread | CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS;
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, looked_at, thread));
  rules.Add(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, static_cast<uint64_t>(getpid())));  // abort() ends this process, no other
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  rules.Add(SCMP_ACT_ALLOW, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_EQ, F_GETFL));
}

Result<void> EnterLimits(const SandboxOptions& options) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Error{ErrorCode::kIo, "no_new_privs: " + std::string(strerror(errno)), ""};
  // Processes of the same user can neither trace it nor read its memory.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Error{ErrorCode::kIo, "dumpable: " + std::string(strerror(errno)), ""};
  signal(SIGXFSZ, SIG_IGN);  // beyond RLIMIT_FSIZE: EFBIG instead of death
  RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0));
  RETURN_IF_ERROR(Limit(RLIMIT_FSIZE, options.spill_file_bytes));
  RETURN_IF_ERROR(Limit(RLIMIT_MEMLOCK, 0));
  if (!kMemoryIsLimited) return {};
  RETURN_IF_ERROR(Limit(RLIMIT_AS, kAddressBytesMax));
  return Limit(RLIMIT_DATA, options.data_bytes);
}

}  // namespace

Result<void> EnterSandbox(const SandboxOptions& options) {
  RETURN_IF_ERROR(EnterLimits(options));
  if (options.trap) {
    struct sigaction action {};
    action.sa_sigaction = OnTrap;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &action, nullptr);
  }
  Rules rules(options.trap ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM));
  rules.Attribute(SCMP_FLTATR_CTL_TSYNC, 1);     // DuckDB's threads run already: without this they would stay free
  rules.Attribute(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: 60 rules cost a read nothing that can be measured
  for (int call : kAllowed) rules.Add(SCMP_ACT_ALLOW, call);
  for (int call : kDeadly) rules.Add(SCMP_ACT_KILL_PROCESS, call);
  AddMemoryRules(rules);
  AddThreadRules(rules);
  if (!options.trap)
    for (int call : kAbsent) rules.Add(SCMP_ACT_ERRNO(EACCES), call);
  return rules.Load();
}

}  // namespace sluice::query
