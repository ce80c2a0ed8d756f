// SPDX-License-Identifier: Apache-2.0
#include "io/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>

#include "io/internal/descriptor.h"
#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

constexpr const char* kChildMark = "--process-test-child";
constexpr int64_t kLongUs = 60'000'000;
constexpr unsigned kWaitSecondsMax = 30;

void Say(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) < 0) _exit(100);
}

// What this process inherited: descriptors, variables, blocked signals, bytes on stdin.
std::string DescribeInheritance() {
  std::string text = "fds";
  DIR* open_files = opendir("/proc/self/fd");
  std::vector<int> fds;
  while (const dirent* entry = readdir(open_files))
    if (int fd = std::atoi(entry->d_name); entry->d_name[0] != '.' && fd != dirfd(open_files)) fds.push_back(fd);
  closedir(open_files);
  std::sort(fds.begin(), fds.end());
  for (int fd : fds) text += " " + std::to_string(fd);
  int variables = 0;
  while (environ[variables] != nullptr) variables++;
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  char byte;
  text += " variables " + std::to_string(variables) + " sigterm " + (sigismember(&mask, SIGTERM) ? "blocked" : "open") + " stdin " +
          std::to_string(read(0, &byte, 1));
  return text;
}

[[noreturn]] void RunChild(const std::string& role) {
  char byte;
  if (role == "exit") _exit(7);
  if (role == "describe") Say(3, DescribeInheritance());
  if (role == "swap") {
    Say(3, "three");
    Say(4, "four");
  }
  if (role == "wait") {
    // Ends by being killed. If nobody does it, the reader of the pipe must not wait for ever, and hears it.
    poll(nullptr, 0, static_cast<int>(kWaitSecondsMax) * 1000);
    Say(3, "nobody killed me");
  }
  if (role == "compute") {
    while (std::clock() < CLOCKS_PER_SEC / 50) continue;
    Say(3, "computed");
    poll(nullptr, 0, static_cast<int>(kWaitSecondsMax) * 1000);
  }
  if (role == "parent") {
    auto processes = MakeRealProcesses();
    int give[] = {3};
    auto child = processes->StartSelf({kChildMark, "wait"}, give);
    Say(3, child.ok() ? "started" : "failed");
    while (read(0, &byte, 1) >= 0) pause();
  }
  _exit(0);
}

// Runs before main: this binary is its own child.
__attribute__((constructor)) void ChildMain(int argc, char** argv, char**) {
  if (argc == 3 && std::strcmp(argv[1], kChildMark) == 0) RunChild(argv[2]);
}

struct Pipe {
  Pipe() {
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    from = Descriptor(ends[0]);
    to = Descriptor(ends[1]);
  }
  // All until the last writer is gone.
  std::string ReadAll() {
    to = Descriptor();
    std::string text;
    char part[256];
    for (ssize_t n; (n = read(from.get(), part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(n));
    return text;
  }
  Descriptor from, to;
};

class RealProcessTest : public testing::Test {
 protected:
  std::unique_ptr<Process> Start(const std::string& role, std::vector<int> descriptors = {}) {
    auto process = processes_->StartSelf({kChildMark, role}, descriptors);
    EXPECT_TRUE(process.ok()) << process.error().ToString();
    return std::move(process).value();
  }
  std::unique_ptr<Processes> processes_ = MakeRealProcesses();
};

TEST_F(RealProcessTest, ExitCodeIsTold) {
  auto process = Start("exit");
  auto end = process->Wait(kLongUs);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->code, 7);
  EXPECT_EQ(end->signal, 0);
  EXPECT_FALSE(end->ok());
  EXPECT_EQ(process->Wait()->code, 7) << "waiting again answers the same";
}

// The child's own loader may open nothing that stays.
TEST_F(RealProcessTest, ChildInheritsNothingButWhatIsGiven) {
  Pipe pipe;
  Descriptor leak(fcntl(pipe.from.get(), F_DUPFD, 50));  // without close-on-exec
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  auto process = Start("describe", {pipe.to.get()});
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(pipe.ReadAll(), "fds 0 1 2 3 variables 0 sigterm open stdin 0");
}

// Goal: descriptors land in order even when their numbers here are the targets there, crosswise.
TEST_F(RealProcessTest, DescriptorsArePlacedInOrder) {
  Pipe first, second;
  int low = first.to.get(), high = second.to.get();
  ASSERT_LT(low, high);
  auto process = Start("swap", {high, low});
  EXPECT_EQ(second.ReadAll(), "three");
  EXPECT_EQ(first.ReadAll(), "four");
}

TEST_F(RealProcessTest, WaitTimesOutAndKillEnds) {
  auto process = Start("wait");
  EXPECT_FALSE(process->Wait(0).has_value());
  process->Kill();
  auto end = process->Wait(kLongUs);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->signal, SIGKILL);
  process->Kill();  // of nobody
}

TEST_F(RealProcessTest, DestroyedProcessIsKilledAndReaped) {
  Pipe pipe;
  auto process = Start("wait", {pipe.to.get()});
  int pid = process->pid();
  process.reset();
  EXPECT_EQ(pipe.ReadAll(), "");
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(RealProcessTest, BackgroundProcessRunsWhenNobodyElseDoes) {
  auto process = Start("wait");
  EXPECT_EQ(sched_getscheduler(process->pid()), SCHED_OTHER);
  process->RunInBackground();
  EXPECT_EQ(sched_getscheduler(process->pid()), SCHED_IDLE);
  process->Kill();
  ASSERT_TRUE(process->Wait(kLongUs).has_value());
  process->RunInBackground();  // nobody is there: nothing
}

TEST_F(RealProcessTest, CpuTimeOfAProcessIsKnownUntilItsEnd) {
  Pipe pipe;
  auto process = Start("compute", {pipe.to.get()});
  pipe.to = Descriptor();
  char first = 0;
  ASSERT_EQ(read(pipe.from.get(), &first, 1), 1);
  const int64_t used_ns = process->CpuNs();
  EXPECT_GE(used_ns, 20'000'000);
  EXPECT_LT(used_ns, kLongUs * 1000);
  process->Kill();
  ASSERT_TRUE(process->Wait(kLongUs).has_value());
  EXPECT_EQ(process->CpuNs(), 0);
}

// Where the kernel shares cores among sessions, a worker in its parent's one used up the parent's share, idle class or not.
TEST_F(RealProcessTest, ProcessHasASessionOfItsOwnWithASmallShareInTheBackground) {
  auto process = Start("wait");
  EXPECT_EQ(getsid(process->pid()), process->pid());
  process->RunInBackground();
  std::ifstream autogroup("/proc/" + std::to_string(process->pid()) + "/autogroup");
  std::string line;
  std::getline(autogroup, line);
  EXPECT_TRUE(line.empty() || line.ends_with(" nice 10")) << line;  // empty: a kernel without the feature
}

// Goal: kill -9 of a server leaves no worker. Method: the pipe ends only when the grandchild, its last holder, is gone.
TEST_F(RealProcessTest, KilledParentLeavesNoOrphan) {
  Pipe pipe;
  auto parent = Start("parent", {pipe.to.get()});
  pipe.to = Descriptor();
  char text[16];
  ssize_t n = read(pipe.from.get(), text, sizeof text);
  ASSERT_EQ(std::string(text, static_cast<size_t>(std::max<ssize_t>(n, 0))), "started");
  parent->Kill();
  EXPECT_EQ(pipe.ReadAll(), "");
}

TEST_F(RealProcessTest, TooManyDescriptorsAreAProgrammersError) {
  std::vector<int> many(Processes::kDescriptorsMax + 1, 0);
  EXPECT_DEATH((void)processes_->StartSelf({}, many).ok(), "too many descriptors");
  many.pop_back();
  auto process = processes_->StartSelf({kChildMark, "exit"}, many);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ((*process)->Wait(kLongUs)->code, 7);
}

}  // namespace
}  // namespace sluice::io
