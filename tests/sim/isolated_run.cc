// SPDX-License-Identifier: Apache-2.0
#include "sim/isolated_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

#include "base/check.h"

namespace sluice::sim {
namespace {

void WriteAll(int to, const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t n = write(to, bytes.data() + at, bytes.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}

std::string ReadAll(int from) {
  std::string out;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(from, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(buffer, static_cast<size_t>(n));
  }
}

}  // namespace

IsolatedResult RunIsolated(const std::function<std::string()>& body, int seconds_max) {
  int ends[2];
  CHECK(pipe(ends) == 0, "no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0, "no child process");
  if (child == 0) {
    close(ends[0]);
    alarm(static_cast<unsigned>(seconds_max));  // SIGALRM ends it
    WriteAll(ends[1], body());
    _exit(0);
  }
  close(ends[1]);
  IsolatedResult out;
  out.output = ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  out.ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (WIFSIGNALED(status)) out.output = WTERMSIG(status) == SIGALRM ? "it did not end in " + std::to_string(seconds_max) + " s" : "it ended with signal " + std::to_string(WTERMSIG(status));
  return out;
}

}  // namespace sluice::sim
