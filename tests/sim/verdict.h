// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sluice::sim {

// What a run found. The first finding counts: what follows it is often its consequence.
class Verdict {
 public:
  // Empty: nothing is wrong. Actors look at ok() and come to their end.
  void Note(const std::string& where, const std::string& what) {
    if (!what.empty() && ok()) finding_ = where + ": " + what;
  }
  // Something happened behind which nothing more can be asked of the engine: the run ends, and nothing is wrong.
  void Settle(const std::string& where, const std::string& what) {
    if (ok()) settled_ = where + ": " + what;
  }
  // What else was found, about the same.
  void Add(const std::string& what) { finding_ += "; " + what; }
  bool ok() const { return finding_.empty() && settled_.empty(); }
  const std::string& settled() const { return settled_; }
  const std::string& finding() const { return finding_; }

 private:
  std::string finding_, settled_;
};

}  // namespace sluice::sim
