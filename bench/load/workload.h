// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What the load consists of: CloudEvents of a shop, about 564 bytes each, 15 fields of data, rendered into whole requests before the
// clock starts. Each time a request is used again its ids are rewritten, so that no event is a duplicate.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::bench {

enum class BodyFormat { kBatch, kNdjson };  // one event alone is application/cloudevents+json
enum class Spread { kOneTopic, kFiveTopics };

struct WorkloadOptions {
  uint64_t seed = 1;
  size_t events_per_request = 200;
  size_t requests = 1000;  // rendered; used round and round
  BodyFormat format = BodyFormat::kBatch;
  Spread spread = Spread::kOneTopic;
  double seconds_ago = 0;  // event times are so long before now
  std::string path = "/v1/events";
  std::string host;  // of the Host header
};

struct Request {
  std::string bytes;          // head and body
  uint64_t first_id = 0;      // the ids of its events are this and those that follow
  std::vector<uint32_t> ids;  // where in `bytes` the 16 hexadecimal digits start that make an id unique
};

// Deterministic: the same options make the same requests. Not thread-safe.
class Workload {
 public:
  // `run`: makes the ids of this process differ from those of every other.
  Workload(const WorkloadOptions& options, uint64_t run);
  // The next request, its ids fresh. Valid until it comes round again: at most `requests` may be on their way.
  const Request& Next();
  size_t requests() const { return requests_.size(); }
  size_t body_bytes() const { return body_bytes_; }  // of all rendered requests

 private:
  void AppendEvent(std::string& body, std::vector<uint32_t>& ids);

  const WorkloadOptions options_;
  std::mt19937_64 random_;
  int64_t now_us_;
  std::vector<Request> requests_;
  size_t next_ = 0, body_bytes_ = 0;
  uint64_t next_id_;
};

}  // namespace sluice::bench
