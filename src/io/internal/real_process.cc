// SPDX-License-Identifier: Apache-2.0
//
// vfork, prctl, dup2, execve: posix_spawn cannot ask for PR_SET_PDEATHSIG. That signal comes when the *thread* that
// forked ends, so one thread that lives as long as Processes does all the forking.

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <thread>
#include <tuple>

#include "base/time.h"
#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"
#include "io/internal/system_error.h"

namespace sluice::io {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr int kFirstDescriptor = 3;
constexpr int kExecFailedCode = 127;
constexpr std::string_view kAutogroupNice = "10";  // about a tenth of the share of a session that is busy, too: late, but not never

// What the child needs, made before the fork: between vfork and execve it may only call async-signal-safe functions.
struct StartRequest {
  std::vector<char*> arguments;
  std::span<const int> descriptors;
  int null_descriptor = -1;
  pid_t parent = 0;
  int failed = 0;  // errno of the child; it runs in our memory until execve
};

// Puts `from` at 3, 4, ... and closes everything behind. Copies stand above all targets first: dup2 would overwrite one that is still needed.
bool PlaceDescriptors(std::span<const int> from, int null_descriptor) {
  std::array<int, Processes::kDescriptorsMax> copies;
  const int end = kFirstDescriptor + static_cast<int>(from.size());
  if (dup2(null_descriptor, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return false;
  for (size_t i = 0; i < from.size(); i++) {
    copies[i] = fcntl(from[i], F_DUPFD, end);
    if (copies[i] < 0) return false;
  }
  for (size_t i = 0; i < from.size(); i++)
    if (dup2(copies[i], kFirstDescriptor + static_cast<int>(i)) < 0) return false;
  return syscall(SYS_close_range, end, ~0U, 0) == 0;
}

[[noreturn]] void BecomeChild(StartRequest& request) {
  static char* kNoEnvironment[] = {nullptr};
  sigset_t none;
  sigemptyset(&none);
  // A session of its own: a signal of the terminal is the parent's business, and where the kernel shares cores among sessions
  // (sched(7), autogroup) what the child uses is not taken from the parent. It fails only for a leader, which a new child is not.
  setsid();
  // The parent may have died before prctl; then nobody would send the signal.
  bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == request.parent && sigprocmask(SIG_SETMASK, &none, nullptr) == 0 &&
               PlaceDescriptors(request.descriptors, request.null_descriptor);
  if (ready) execve(kSelf, request.arguments.data(), kNoEnvironment);
  request.failed = errno != 0 ? errno : ESRCH;
  _exit(kExecFailedCode);
}

// The child's process id, or -1 with errno.
__attribute__((noinline)) pid_t Fork(StartRequest& request) {
  errno = 0;
  pid_t pid = vfork();
  if (pid == 0) BecomeChild(request);
  return pid;
}

class RealProcess final : public Process {
 public:
  RealProcess(pid_t pid, Descriptor descriptor) : pid_(pid), descriptor_(std::move(descriptor)) {}
  ~RealProcess() override {
    Kill();
    Wait(-1);
  }

  int pid() const override { return pid_; }
  // Through the pidfd: the id may belong to somebody else once it was reaped.
  void Kill() override { syscall(SYS_pidfd_send_signal, descriptor_.get(), SIGKILL, nullptr, 0); }
  int descriptor() const override { return descriptor_.get(); }

  // The policy is a thread's own, and counts within the session only: among sessions its autogroup's nice value does (sched(7)).
  // The id is ours until it is reaped, which only this object does.
  void RunInBackground() override {
    if (exit_.has_value()) return;
    std::error_code failed;
    const sched_param parameters{};
    const std::string process = "/proc/" + std::to_string(pid_);
    const Descriptor autogroup(open((process + "/autogroup").c_str(), O_WRONLY | O_CLOEXEC));
    if (autogroup.valid()) std::ignore = write(autogroup.get(), kAutogroupNice.data(), kAutogroupNice.size());
    std::filesystem::directory_iterator thread(process + "/task", failed);
    for (; !failed && thread != std::filesystem::directory_iterator(); thread.increment(failed))
      sched_setscheduler(std::stoi(thread->path().filename()), SCHED_IDLE, &parameters);
  }

  int64_t CpuNs() override {
    clockid_t clock{};
    timespec used{};
    if (exit_.has_value() || clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return 0;
    return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
  }

  std::optional<ProcessExit> Wait(int64_t timeout_us) override {
    if (exit_.has_value()) return exit_;
    if (!PollEnd(timeout_us)) return std::nullopt;
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
    exit_ = ProcessExit{WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    return exit_;
  }

 private:
  bool PollEnd(int64_t timeout_us) {
    timespec timeout{timeout_us / kMicrosPerSecond, timeout_us % kMicrosPerSecond * 1000};
    for (;;) {
      pollfd waiting{descriptor_.get(), POLLIN, 0};
      int n = ppoll(&waiting, 1, timeout_us < 0 ? nullptr : &timeout, nullptr);
      if (n >= 0) return n > 0;
      CHECK(errno == EINTR, "poll of a pidfd");
    }
  }

  const pid_t pid_;
  const Descriptor descriptor_;
  std::optional<ProcessExit> exit_;
};

class RealProcesses final : public Processes {
 public:
  RealProcesses() : forker_([this] { Run(); }) {}
  ~RealProcesses() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    forker_.join();
  }

  Result<std::unique_ptr<Process>> StartSelf(const std::vector<std::string>& arguments, std::span<const int> descriptors) override {
    CHECK(descriptors.size() <= kDescriptorsMax, "too many descriptors for a child process");
    Descriptor null_descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null_descriptor.valid()) return SystemError("open", "/dev/null", errno);
    std::vector<std::string> texts{"sluice"};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    StartRequest request;
    for (auto& text : texts) request.arguments.push_back(text.data());
    request.arguments.push_back(nullptr);
    request.descriptors = descriptors;
    request.null_descriptor = null_descriptor.get();
    request.parent = getpid();
    return Start(request);
  }

 private:
  // One request at a time: the caller waits for the forking thread, which answers within a fork.
  Result<std::unique_ptr<Process>> Start(StartRequest& request) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return request_ == nullptr; });
    request_ = &request;
    changed_.notify_all();
    changed_.wait(lock, [&] { return answered_; });
    answered_ = false;
    request_ = nullptr;
    pid_t pid = pid_;
    int failed = pid < 0 ? fork_failed_ : request.failed;
    lock.unlock();
    changed_.notify_all();
    if (pid < 0)
      return Error{ErrorCode::kExhausted, "start a process: " + SystemErrorText(failed), "raise the limit of processes (ulimit -u)"};
    if (failed != 0) {
      waitpid(pid, nullptr, 0);
      return Error{ErrorCode::kIo, "start a process: " + SystemErrorText(failed), {}};
    }
    return Watch(pid);
  }

  static Result<std::unique_ptr<Process>> Watch(pid_t pid) {
    Descriptor descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (descriptor.valid()) return std::unique_ptr<Process>(std::make_unique<RealProcess>(pid, std::move(descriptor)));
    auto error = SystemError("pidfd_open", "", errno);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return error;
  }

  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || (request_ != nullptr && !answered_); });
      if (stopping_) return;
      pid_ = Fork(*request_);
      fork_failed_ = errno;
      answered_ = true;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  StartRequest* request_ = nullptr;
  bool answered_ = false;
  bool stopping_ = false;
  pid_t pid_ = -1;
  int fork_failed_ = 0;
  std::thread forker_;  // last: it uses the others
};

}  // namespace

std::unique_ptr<Processes> MakeRealProcesses() { return std::make_unique<RealProcesses>(); }

}  // namespace sluice::io
