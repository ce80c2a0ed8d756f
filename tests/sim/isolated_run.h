// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <list>
#include <string>

namespace sluice::sim {

struct IsolatedResult {
  bool ended_well = false;  // the child came to its end; false: it crashed, aborted or took too long
  std::string output;       // what `body` returned; else how the child ended
};

// Runs bodies in child processes, some at a time, so that an abort of the engine is a finding of one run and not the end of all.
// REQUIRES: this process has one thread.
class IsolatedRuns {
 public:
  using Body = std::function<std::string()>;
  using Done = std::function<void(const IsolatedResult&)>;

  // At most `jobs` at a time, each for `seconds_max` of real time.
  IsolatedRuns(size_t jobs, int seconds_max) : jobs_(jobs), seconds_max_(seconds_max) {}
  ~IsolatedRuns();
  IsolatedRuns(const IsolatedRuns&) = delete;

  // Starts it when there is a place; `done` of earlier ones is called meanwhile, in the order in which they end.
  void Add(const Body& body, Done done);
  // Until all have ended.
  void Finish();

 private:
  struct Child {
    pid_t process;
    int output_end;
    std::string output;
    Done done;
  };
  void Wait();

  const size_t jobs_;
  const int seconds_max_;
  std::list<Child> children_;
};

// One of them.
IsolatedResult RunIsolated(const IsolatedRuns::Body& body, int seconds_max);

}  // namespace sluice::sim
