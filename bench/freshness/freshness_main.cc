// SPDX-License-Identifier: Apache-2.0
//
// sluice_freshness: sends one event, waits for its acknowledgement, asks SQL for it, and notes how long it took from the acknowledgement
// until an answer had it. Prints one JSON object.

#include <CLI/CLI.hpp>
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "io/env.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string url;
  double seconds = 10, rate = 20;
};

// One kept-alive connection.
class Client {
 public:
  explicit Client(std::string url) : url_(std::move(url)), curl_(curl_easy_init(), curl_easy_cleanup) {
    curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, &Client::Take);
    curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &answer_);
    curl_easy_setopt(curl_.get(), CURLOPT_TCP_NODELAY, 1L);
  }
  // The body of a 200; nothing otherwise.
  std::optional<std::string> Post(const std::string& path, const char* type, const std::string& body) {
    answer_.clear();
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(curl_slist_append(nullptr, type), curl_slist_free_all);
    curl_easy_setopt(curl_.get(), CURLOPT_URL, (url_ + path).c_str());
    curl_easy_setopt(curl_.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl_.get(), CURLOPT_POSTFIELDS, body.c_str());
    long status = 0;
    if (curl_easy_perform(curl_.get()) != CURLE_OK) return std::nullopt;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status == 200 ? std::optional(answer_) : std::nullopt;
  }

 private:
  static size_t Take(char* bytes, size_t size, size_t n, void* to) {
    static_cast<std::string*>(to)->append(bytes, size * n);
    return size * n;
  }
  const std::string url_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  std::string answer_;
};

struct Probe {
  double us = 0;
  bool at_once = true;  // the first statement had it
};

std::optional<Probe> RunProbe(Client& events, Client& sql, uint64_t number) {
  const auto wall = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::string time = base::FormatRfc3339(Timestamp{wall});
  const std::string id = "probe-" + std::to_string(wall) + "-" + std::to_string(number);
  const std::string event = R"({"specversion":"1.0","id":")" + id + R"(","source":"/probe","type":"shop.probe","time":")" + time + R"(","data":{}})";
  if (!events.Post("/v1/events", "Content-Type: application/cloudevents+json", event)) return std::nullopt;
  const auto acknowledged = Clock::now();
  Probe probe;
  for (;; probe.at_once = false) {
    auto answer = sql.Post("/v1/sql", "Content-Type: text/plain",
                           "SELECT count(*) AS n FROM bronze.events WHERE time >= TIMESTAMPTZ '" + time + "' AND id = '" + id + "'");
    if (!answer) return std::nullopt;
    auto json = Json::Parse(*answer);
    if (!json.ok()) return std::nullopt;
    if ((*json)["rows"].AsArray().at(0).AsArray().at(0).AsInt() == 1) break;
  }
  probe.us = std::chrono::duration<double, std::micro>(Clock::now() - acknowledged).count();
  return probe;
}

int Measure(const Options& options) {
  Client events(options.url), sql(options.url);
  std::vector<double> us;
  uint64_t late = 0, number = 0;
  io::RealWorld world;
  const auto env = world.env();
  const auto begin = Clock::now();
  for (auto due = begin; std::chrono::duration<double>(due - begin).count() < options.seconds;
       due += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options.rate))) {
    env.clock.SleepUs(std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(due - Clock::now()).count()));
    auto probe = RunProbe(events, sql, number++);
    if (!probe) {
      std::fprintf(stderr, "sluice_freshness: the server refused an event or a statement\n");
      return 1;
    }
    us.push_back(probe->us);
    late += !probe->at_once;
  }
  std::sort(us.begin(), us.end());
  Json out;
  out.Set("probes", us.size());
  out.Set("not_at_once", late);
  out.Set("p50", us[us.size() / 2]);
  out.Set("p99", us[us.size() * 99 / 100]);
  out.Set("max", us.back());
  std::printf("%s\n", out.Dump().c_str());
  return 0;
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app("Measures how soon an acknowledged event is in SQL.");
  app.add_option("--url", options.url, "of the server")->required();
  app.add_option("--seconds", options.seconds, "measured")->capture_default_str();
  app.add_option("--rate", options.rate, "probes a second")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  return Measure(options);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Run(argc, argv); }
