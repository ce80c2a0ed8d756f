// SPDX-License-Identifier: Apache-2.0
#include "sim/isolated_run.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <vector>

#include "base/check.h"

#ifdef SLUICE_COVERAGE
extern "C" void __gcov_dump();  // gcc's <gcov.h>, which forgets C++
#endif

namespace sluice::sim {
namespace {

// What lines a process ran is written down at its end, which _exit leaves out.
void SaveCoverage() {
#ifdef SLUICE_COVERAGE
  __gcov_dump();
#endif
}

void WriteAll(int to, const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = write(to, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}

// False: that was all.
bool ReadSome(int from, std::string& out) {
  char buffer[4096];
  const ssize_t n = read(from, buffer, sizeof buffer);
  if (n > 0) out.append(buffer, static_cast<size_t>(n));
  return n > 0 || (n < 0 && errno == EINTR);
}

IsolatedResult ResultOf(pid_t process, std::string output, int seconds_max) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {true, std::move(output)};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return {false, "it did not end in " + std::to_string(seconds_max) + " s"};
  return {false, WIFSIGNALED(status) ? "it ended with signal " + std::to_string(WTERMSIG(status))
                                     : "it ended with code " + std::to_string(WEXITSTATUS(status))};
}

}  // namespace

IsolatedRuns::~IsolatedRuns() { CHECK(children_.empty(), "runs that nobody waited for"); }

void IsolatedRuns::Add(const Body& body, Done done) {
  while (children_.size() >= jobs_) Wait();
  int ends[2];
  CHECK(pipe(ends) == 0, "no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0, "no child process");
  if (child == 0) {
    for (auto& other : children_) close(other.output_end);
    close(ends[0]);
    alarm(static_cast<unsigned>(seconds_max_));  // SIGALRM ends it
    WriteAll(ends[1], body());
    SaveCoverage();
    _exit(0);
  }
  close(ends[1]);
  children_.push_back({child, ends[0], {}, std::move(done)});
}

void IsolatedRuns::Wait() {
  std::vector<pollfd> ends;
  for (auto& child : children_) ends.push_back({child.output_end, POLLIN, 0});
  if (poll(ends.data(), ends.size(), -1) < 0) return;  // EINTR
  size_t i = 0;
  for (auto child = children_.begin(); child != children_.end(); i++) {
    if (ends[i].revents == 0 || ReadSome(child->output_end, child->output)) {
      ++child;
      continue;
    }
    close(child->output_end);
    const auto result = ResultOf(child->process, std::move(child->output), seconds_max_);
    const auto done = std::move(child->done);
    child = children_.erase(child);
    done(result);
  }
}

void IsolatedRuns::Finish() {
  while (!children_.empty()) Wait();
}

IsolatedResult RunIsolated(const IsolatedRuns::Body& body, int seconds_max) {
  IsolatedResult out;
  IsolatedRuns runs(1, seconds_max);
  runs.Add(body, [&](const IsolatedResult& result) { out = result; });
  runs.Finish();
  return out;
}

}  // namespace sluice::sim
