// SPDX-License-Identifier: Apache-2.0
//
// <folder>_fuzz CORPUS: runs each target on its seeds, on the inputs saved in CORPUS/<name>.txt, and on damaged copies of all of them,
// the same ones every time. For `./x test`, which needs no clang.
//
// One input is one line: printable ASCII stands for itself, every other byte and the backslash as \xNN.

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <unistd.h>

#include "base/fuzz_target.h"

namespace {

constexpr int kDamagedCopies = 24;
char current[8192];  // what is being run, for who reads the failure

void OnAbort(int) {
  (void)!write(2, current, std::strlen(current));
  _exit(1);
}

std::string Escape(std::string_view bytes) {
  std::string out;
  char code[8];
  for (char c : bytes) {
    bool plain = c > ' ' && c < 0x7f && c != '\\';
    if (plain || c == ' ') {
      out += c;
    } else {
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
      out += code;
    }
  }
  return out;
}

std::string Unescape(std::string_view line) {
  std::string out;
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '\\' && i + 3 < line.size() && line[i + 1] == 'x') {
      out += static_cast<char>(std::stoi(std::string(line.substr(i + 2, 2)), nullptr, 16));
      i += 3;
    } else {
      out += line[i];
    }
  }
  return out;
}

void RunOne(const sluice::base::FuzzTarget& target, const std::string& input) {
  std::snprintf(current, sizeof current, "\n%.*s broke on this input (docs/testing.md, Inputs):\n%s\n", static_cast<int>(target.name.size()), target.name.data(),
                Escape(input).c_str());
  auto exact = std::make_unique<char[]>(input.size() + (input.empty() ? 1 : 0));  // so that a sanitizer sees a read behind it
  std::memcpy(exact.get(), input.data(), input.size());
  target.run({exact.get(), input.size()});
}

// One or a few of: a bit, a byte, a piece cut out, a piece doubled, the rest cut off.
std::string Damage(std::string input, std::mt19937_64& random) {
  for (auto changes = 1 + random() % 3; changes > 0 && !input.empty(); changes--) {
    size_t at = random() % input.size(), n = 1 + random() % std::min<size_t>(16, input.size() - at);
    switch (random() % 5) {
      case 0: input[at] = static_cast<char>(input[at] ^ 1 << random() % 8); break;
      case 1: input[at] = static_cast<char>(random()); break;
      case 2: input.erase(at, n); break;
      case 3: input.insert(at, input.substr(at, n)); break;
      case 4: input.resize(at); break;
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s CORPUS\n", argv[0]), 2;
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGSEGV, OnAbort);
  for (const auto& target : sluice::base::FuzzTargets()) {
    auto inputs = target.seeds();
    std::ifstream file(std::string(argv[1]) + "/" + std::string(target.name) + ".txt");
    for (std::string line; std::getline(file, line);) inputs.push_back(Unescape(line));
    std::mt19937_64 random(1);
    size_t runs = 0;
    for (const auto& input : inputs) {
      RunOne(target, input);
      for (int i = 0; i < kDamagedCopies; i++) RunOne(target, Damage(input, random));
      runs += 1 + kDamagedCopies;
    }
    std::printf("%.*s: %zu inputs, %zu runs\n", static_cast<int>(target.name.size()), target.name.data(), inputs.size(), runs);
  }
}
