// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// SIGTERM and SIGINT as something an event loop can wait for.

#include <memory>

#include "base/result.h"

namespace sluice::io {

// From its making on, both signals are no longer fatal but make the descriptor readable. Make it before any thread starts: threads
// inherit the mask. One a process.
class Termination {
 public:
  static Result<std::unique_ptr<Termination>> Make();
  ~Termination();
  int descriptor() const { return descriptor_; }
  // Takes one signal; 0 when none has come.
  int Take();

 private:
  explicit Termination(int descriptor) : descriptor_(descriptor) {}
  const int descriptor_;
};

}  // namespace sluice::io
