// SPDX-License-Identifier: Apache-2.0
#include "query/worker_options.h"

#include <charconv>
#include <string_view>

namespace sluice::query {
namespace {

struct NumberOption {
  std::string_view name;
  uint64_t WorkerOptions::*member;
  uint64_t min, max;
};
constexpr NumberOption kNumbers[] = {
    {"threads", &WorkerOptions::threads, 1, 256},
    {"memory_mb", &WorkerOptions::memory_mb, 64, uint64_t{1} << 20},
    {"data_mb", &WorkerOptions::data_mb, 128, uint64_t{1} << 20},
    {"spill_files", &WorkerOptions::spill_files, 0, 32},
    {"spill_mb", &WorkerOptions::spill_mb, 1, uint64_t{1} << 20},
};

bool IsNonce(std::string_view text) { return !text.empty() && text.size() <= 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

}  // namespace

std::vector<std::string> ToArguments(const WorkerOptions& options) {
  std::vector<std::string> out{"--nonce=" + options.nonce};
  for (auto& n : kNumbers) out.push_back("--" + std::string(n.name) + "=" + std::to_string(options.*n.member));
  if (options.trap) out.push_back("--trap=1");
  return out;
}

Result<WorkerOptions> ParseWorkerOptions(const std::vector<std::string>& arguments) {
  WorkerOptions out;
  for (std::string_view word : arguments) {
    if (!word.starts_with("--")) continue;
    auto equals = word.find('=');
    auto wrong = Error{ErrorCode::kInvalid, "the option \"" + std::string(word) + "\" of a worker is wrong", "workers are started by the server"};
    if (equals == std::string_view::npos) return wrong;
    auto name = word.substr(2, equals - 2), value = word.substr(equals + 1);
    bool known = name == "nonce" ? IsNonce(value) : name == "trap" && value == "1";
    if (name == "nonce") out.nonce = value;
    if (name == "trap") out.trap = true;
    for (auto& n : kNumbers) {
      if (name != n.name) continue;
      uint64_t number = 0;
      auto end = value.data() + value.size();
      auto parsed = std::from_chars(value.data(), end, number);
      known = parsed.ptr == end && parsed.ec == std::errc() && number >= n.min && number <= n.max;
      out.*n.member = number;
    }
    if (!known) return wrong;
  }
  if (out.nonce.empty()) return Error{ErrorCode::kInvalid, "a worker needs --nonce", "workers are started by the server"};
  return out;
}

}  // namespace sluice::query
