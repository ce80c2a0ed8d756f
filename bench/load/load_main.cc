// SPDX-License-Identifier: Apache-2.0
//
// sluice_load: the load generator. Prints one JSON object.

#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>

#include "base/json.h"
#include "load/load_client.h"

namespace sluice::bench {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Json ReportJson(const LoadReport& report, double event_bytes, double cpu_seconds) {
  Json out;
  out.Set("events_per_second", static_cast<double>(report.events_measured) / report.seconds);
  out.Set("requests_per_second", static_cast<double>(report.requests_measured) / report.seconds);
  out.Set("events_answered", report.events_answered);
  out.Set("requests_refused", report.requests_refused);
  out.Set("requests_unsent", report.requests_unsent);
  out.Set("event_bytes", event_bytes);
  out.Set("seconds", report.seconds);
  Json latency;
  for (auto [name, q] : {std::pair("p50", 0.5), {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}, {"max", 1.0}})
    latency.Set(name, report.LatencyAt(q));
  out.Set("latency_us", std::move(latency));
  out.Set("client_cpu_seconds", cpu_seconds);
  out.Set("server_gone", report.server_gone);
  if (!report.refusal.empty()) out.Set("first_refusal", report.refusal);
  return out;
}

// One event a line, for whoever reads files.
int WriteEvents(Workload& events, const std::string& path) {
  std::ofstream out(path);
  for (size_t i = 0; i < events.requests(); i++) {
    const std::string& bytes = events.Next().bytes;
    out << std::string_view(bytes).substr(bytes.find("\r\n\r\n") + 4);
  }
  out.close();
  if (out.good()) return 0;
  std::fprintf(stderr, "sluice_load: cannot write %s\n", path.c_str());
  return 1;
}

int Run(int argc, char** argv) {
  WorkloadOptions workload;
  LoadOptions load;
  std::string file;
  CLI::App app("Sends shop events to a server and prints what it saw as JSON.");
  app.add_option("--host", load.host, "IPv4 address")->capture_default_str();
  app.add_option("--port", load.port, "TCP port");
  app.add_option("--path", workload.path, "where to POST")->capture_default_str();
  app.add_option("--batch", workload.events_per_request, "events a request")->capture_default_str();
  app.add_option("--requests", workload.requests, "how many are rendered")->capture_default_str();
  app.add_option("--connections", load.connections, "kept open")->capture_default_str();
  app.add_option("--seconds", load.seconds, "measured")->capture_default_str();
  app.add_option("--warmup", load.warmup_seconds, "seconds before that")->capture_default_str();
  app.add_option("--rate", load.events_per_second, "events a second, open loop; 0: as fast as it is answered")->capture_default_str();
  app.add_option("--ago", workload.seconds_ago, "seconds before now that the events are of")->capture_default_str();
  app.add_option("--ledger", load.ledger,
                 "file for the acknowledged ids: a line \"first count\" for each request; a server that goes away is no error then");
  app.add_option("--seed", workload.seed, "of the events")->capture_default_str();
  app.add_option("--format", workload.format, "batch or ndjson")
      ->transform(
          CLI::CheckedTransformer(std::map<std::string, BodyFormat>{{"batch", BodyFormat::kBatch}, {"ndjson", BodyFormat::kNdjson}}));
  app.add_option("--spread", workload.spread, "one or five topics")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Spread>{{"one", Spread::kOneTopic}, {"five", Spread::kFiveTopics}}));
  app.add_option("--write", file, "write the rendered events to a file, one a line, and send nothing");
  CLI11_PARSE(app, argc, argv);
  if (!file.empty()) workload.format = BodyFormat::kNdjson;
  workload.host = load.host + ":" + std::to_string(load.port);

  Workload events(workload, static_cast<uint64_t>(std::time(nullptr)));
  if (!file.empty()) return WriteEvents(events, file);
  const double cpu = CpuSeconds();
  auto report = RunLoad(events, workload.events_per_request, load);
  if (!report.ok()) {
    std::fprintf(stderr, "sluice_load: %s\n", report.error().ToString().c_str());
    return 1;
  }
  const double event_bytes =
      static_cast<double>(events.body_bytes()) / static_cast<double>(workload.requests * workload.events_per_request);
  std::printf("%s\n", ReportJson(*report, event_bytes, CpuSeconds() - cpu).Dump().c_str());
  return report->events_answered > 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
