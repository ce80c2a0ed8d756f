// SPDX-License-Identifier: Apache-2.0
//
// Configuration files. yaml-cpp is not instrumented; what it throws must come back as an error that names the file.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "server/config.h"

namespace sluice::server {
namespace {

void Run(std::string_view input) {
  ServerOptions options;
  auto applied = ApplyConfigText(input, "sluice.yaml", options);
  if (!applied.ok()) {
    CHECK(applied.error().code == ErrorCode::kInvalid && applied.error().message.find("sluice.yaml") != std::string::npos, "the message names the file");
    return;
  }
  (void)options.Validate().ok();
}

std::vector<std::string> Seeds() {
  return {"tier: {interval_ms: 5000}\nrouting:\n  rules: [{type: \"order.*\", topic: raw-orders}]\ntopics:\n  raw-orders: {partitions: 12, key: [/data/order_id], partitioning: \"identity(type), day(time)\"}\n",
          "listen: 127.0.0.1:0\ndata: /d\nlog:\n  segment_bytes: 4 MiB\n", "a: &x [1, *x]\n", "? {a: b}\n: |\n  text\n", "log: ~\n"};
}

const base::FuzzRegistration kRegistration({"configuration", Run, Seeds});

}  // namespace
}  // namespace sluice::server
