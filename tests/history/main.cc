// SPDX-License-Identifier: Apache-2.0
//
// sluice_history check FILE: judges a recorded history (history_text.h). 0: nothing is wrong with it; 1: each anomaly on a line;
// 2: it is no history.
#include <cstdio>
#include <cstring>

#include "checker.h"
#include "history_text.h"
#include "io/env.h"

int main(int argc, char** argv) {
  using namespace sluice;
  if (argc != 3 || std::strcmp(argv[1], "check") != 0) {
    std::fprintf(stderr, "usage: sluice_history check FILE\n");
    return 2;
  }
  io::RealWorld world(io::LogLevel::kError);
  auto text = io::ReadFile(world.env().files, argv[2], uint64_t{4} << 30);
  auto history = text.ok() ? history::ParseHistory(*text) : Result<history::History>(text.error());
  if (!history.ok()) {
    std::fprintf(stderr, "sluice_history: %s\n", history.error().ToString().c_str());
    return 2;
  }
  size_t acknowledged = 0, rows = 0;
  for (auto& send : history->sends) acknowledged += send.outcome == history::Outcome::kAcknowledged ? send.events.size() : 0;
  for (auto& read : history->reads)
    for (auto& [topic, part] : read.topics) rows += part.rows.size();
  const auto anomalies = history::Check(*history);
  for (auto& anomaly : anomalies)
    std::printf("%s: %s\n", std::string(history::AnomalyKindName(anomaly.kind)).c_str(), anomaly.what.c_str());
  std::printf("%zu sends, %zu events acknowledged, %zu reads of %zu rows: %s\n", history->sends.size(), acknowledged, history->reads.size(),
              rows, anomalies.empty() ? "good" : "bad");
  return anomalies.empty() ? 0 : 1;
}
