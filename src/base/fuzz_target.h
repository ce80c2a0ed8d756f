// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// For *_fuzz.cc only. A fuzz target is a decoder of bytes that others made. All targets of a folder are one program, <folder>_fuzz:
// `./x fuzz` builds it with libFuzzer and looks for new inputs, `./x test` runs the saved ones (tests/fuzz/).

#include <string>
#include <string_view>
#include <vector>

namespace sluice::base {

struct FuzzTarget {
  std::string_view name;  // of its inputs: tests/fuzz/corpus/<name>.txt
  // Comes back from any input, which is exactly as long as its memory; a CHECK breaks when what it answered cannot be right.
  void (*run)(std::string_view input);
  // Inputs that are mostly valid, to begin with.
  std::vector<std::string> (*seeds)();
};

inline std::vector<FuzzTarget>& FuzzTargets() {
  static std::vector<FuzzTarget> targets;
  return targets;
}

struct FuzzRegistration {
  explicit FuzzRegistration(FuzzTarget target) { FuzzTargets().push_back(target); }
};

// For targets with several forms: the first byte chooses one, the rest is the text.
struct FormedInput {
  unsigned form = 0;
  std::string_view text;
  FormedInput(std::string_view input, unsigned forms)
      : form(input.empty() ? 0 : static_cast<unsigned char>(input[0]) % forms), text(input.empty() ? input : input.substr(1)) {}
};

}  // namespace sluice::base
