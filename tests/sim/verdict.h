// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace sluice::sim {

// What a run found. The first finding counts: what follows it is often its consequence.
class Verdict {
 public:
  // Empty: nothing is wrong. Actors look at ok() and come to their end.
  void Note(const std::string& where, const std::string& what) {
    if (!what.empty() && finding_.empty()) finding_ = where + ": " + what;
  }
  // What else was found, about the same.
  void Add(const std::string& what) { finding_ += "; " + what; }
  bool ok() const { return finding_.empty(); }
  const std::string& finding() const { return finding_; }

 private:
  std::string finding_;
};

}  // namespace sluice::sim
