// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Events to the server: in batches, each sent until it is acknowledged. Sending one twice is safe: the server knows
// (source, id) and answers with the first place.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/http_client.h"
#include "io/env.h"
#include "io/termination.h"

namespace sluice::cli {

inline constexpr size_t kBatchEventsDefault = 500;
inline constexpr size_t kBatchEventsMax = 5'000;           // what the server takes
inline constexpr size_t kBatchBytesMax = size_t{4} << 20;  // it takes 5 MiB
inline constexpr int kRetriesDefault = 10;                 // of one batch

struct SenderOptions {
  std::string path = "/v1/events";
  size_t batch_events = kBatchEventsDefault;
  bool lenient = false;
  int retries = kRetriesDefault;
  int64_t timeout_ms = 60'000;
  bool gzip = false;  // bodies are compressed
};

struct SendTotals {
  int64_t sent = 0;  // in batches that were answered
  int64_t accepted = 0, duplicates = 0, rejected = 0;
  int64_t record_last = 0;  // number of the newest record in an acknowledged batch
};

// An event that the server refused.
struct Refused {
  int64_t record;
  std::string pointer, reason;
};

// Not thread-safe. All references must outlive it.
class Sender {
 public:
  Sender(HttpClient& client, io::Env env, io::Termination& termination, SenderOptions options,
         std::function<void(const Refused&)> on_refused, std::function<void(const std::string&)> on_retry)
      : client_(client),
        env_(env),
        termination_(termination),
        options_(std::move(options)),
        on_refused_(std::move(on_refused)),
        on_retry_(std::move(on_retry)) {}

  // Takes one event on one line; sends the batch first when it is full. `record`: its number, from 1.
  // Errors as Flush.
  Result<void> Add(int64_t record, std::string_view event);
  // Sends what waits. kInvalid: the server refused the batch, nothing of it was taken, on_refused was told each reason; an event
  // that is too large for any request is one of those that SenderOptions::lenient leaves out;
  // kCancelled: Ctrl-C; kUnavailable: no answer after all retries;
  // kNotFound: nobody takes connections, at once or, if somebody did before, after all retries. After an error nothing more is sent.
  Result<void> Flush();

  const SendTotals& totals() const { return totals_; }
  size_t waiting() const { return records_.size(); }

 private:
  Result<HttpAnswer> SendUntilAnswered();
  Result<void> WaitToRetry(int64_t delay_us);
  void Account(const Json& answer);
  void TellRefused(const Json& problem);
  Result<void> Refuse(const HttpAnswer& answer);
  void Forget();

  HttpClient& client_;
  const io::Env env_;
  io::Termination& termination_;
  const SenderOptions options_;
  const std::function<void(const Refused&)> on_refused_;
  const std::function<void(const std::string&)> on_retry_;
  SendTotals totals_;
  std::string body_;
  std::vector<int64_t> records_;  // numbers of the events in body_
  bool met_ = false;              // somebody took a connection
};

}  // namespace sluice::cli
