// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What shall go wrong, and where: read once from the environment of the process.
//
//   SLUICE_FAULTS_ROOT=DIR         the data directory; nothing outside of it is touched. Missing: the layer does nothing.
//   SLUICE_FAULTS_PLAN=RULE;...    RULE = EDGE@WHEN=ACTION. EDGE: a name as in edges.txt, `*` and `?` as in a shell; `change`: all but reads
//     WHEN     12       the 12th time          12+      from then on           p0.02    each time with that probability
//     ACTION   kill | kill-after | kill-half                the process ends before, after, in the middle of the call
//              cut  | cut-after  | cut-half                 the machine does: what is not synced is lost (unsynced.h)
//              fail:ERRNO | fail-after:ERRNO                not done and told so; done, and told that it was not
//              short                                        half of a write or read is done and told
//              delay:MS                                     done, but later
//   SLUICE_FAULTS_SEED=N           of probabilities, and of what a power cut takes
//   SLUICE_FAULTS_GRAVEYARD=DIR    on the same file system: where removed files wait. Needed by cuts; without it they are off.
//   SLUICE_FAULTS_RECORD=FILE      a line with its edge for each call
//   SLUICE_FAULTS_HITS=FILE        the same for the calls that a rule met
//   SLUICE_FAULTS_CLOCK=FILE       8 bytes: nanoseconds to add to wall time; may change at any time

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice::faults {

enum class ActionKind : uint8_t { kNone, kKill, kKillAfter, kKillHalf, kCut, kCutAfter, kCutHalf, kFail, kFailAfter, kShort, kDelay };

struct Action {
  ActionKind kind = ActionKind::kNone;
  int number = 0;  // errno, or milliseconds
};

// Guarded by its owner's lock.
class Plan {
 public:
  // Ends the process when a rule makes no sense: a test with a typo must not pass.
  Plan(std::string_view rules, uint64_t seed);
  // What happens to the next call at `edge`.
  Action Next(const std::string& edge);
  bool has_cuts() const { return has_cuts_; }
  std::mt19937_64& dice() { return dice_; }

 private:
  struct Rule {
    std::string edge;  // a pattern
    uint64_t first = 0;
    bool goes_on = false;
    double probability = 0;
    Action action;
    uint64_t seen = 0;
  };
  static Rule ParseRule(const std::string& text);

  std::vector<Rule> rules_;
  std::mt19937_64 dice_;
  bool has_cuts_ = false;
};

}  // namespace sluice::faults
