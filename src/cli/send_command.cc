// SPDX-License-Identifier: Apache-2.0
#include "cli/send_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <optional>

#include "cli/console.h"
#include "cli/event_mapping.h"
#include "cli/progress_bar.h"
#include "cli/record_source.h"

namespace sluice::cli {
namespace {

constexpr size_t kSortBytesMax = size_t{1} << 30;
constexpr int kRefusedPrintedMax = 100;

struct SortedEvent {
  Timestamp time;
  int64_t record;
  std::string event;
};

// One run of the command: records in, events out.
class Sending {
 public:
  Sending(io::Env env, io::Termination& termination, HttpClient& client, RecordSource source, std::optional<EventMapping> mapping,
          int64_t from, SenderOptions options)
      : env_(env),
        source_(std::move(source)),
        mapping_(std::move(mapping)),
        from_(from),
        lenient_(options.lenient),
        began_ns_(env.clock.MonotonicNs()),
        bar_(stderr, env.clock),
        sender_(
            client, env, termination, std::move(options), [this](const Refused& refused) { PrintRefused(refused); },
            [this](const std::string& why) { TellWaiting(why); }) {}

  Result<void> InOrder();
  Result<void> ByTime();
  int Finish(const Result<void>& ended);

 private:
  Result<std::optional<std::string>> EventOf(std::string_view record);
  Result<void> AfterFlush(Error error);
  void PrintRefused(const Refused& refused);
  void TellWaiting(const std::string& why);
  void ShowProgress() { bar_.Show(source_.fraction(), sender_.totals().sent); }

  io::Env env_;
  RecordSource source_;
  const std::optional<EventMapping> mapping_;
  const int64_t from_;
  const bool lenient_;
  const int64_t began_ns_;
  ProgressBar bar_;
  Sender sender_;
  int64_t records_ = 0;  // read so far
  bool sorted_ = false;
  int64_t unmapped_ = 0;  // records that could not be made events, under --lenient
  int refused_printed_ = 0;
  int64_t sent_when_waiting_ = -1;  // totals().sent when it was last told, in a log, that the server does not answer
};

void Sending::PrintRefused(const Refused& refused) {
  bar_.Clear();
  if (refused_printed_++ == kRefusedPrintedMax) std::fprintf(stderr, "sluice send: more were refused and are not listed\n");
  if (refused_printed_ > kRefusedPrintedMax) return;
  std::fprintf(stderr, "record %lld: %s%s%s\n", static_cast<long long>(refused.record), refused.pointer.c_str(),
               refused.pointer.empty() ? "" : ": ", refused.reason.c_str());
}

// On a terminal in the place of the progress bar, in a log once.
void Sending::TellWaiting(const std::string& why) {
  if (bar_.Note("waiting: " + why) || sent_when_waiting_ == sender_.totals().sent) return;
  sent_when_waiting_ = sender_.totals().sent;
  std::fprintf(stderr, "sluice send: waiting: %s\n", why.c_str());
}

// Nothing: left out, because it lies before --from, or cannot be an event under --lenient.
Result<std::optional<std::string>> Sending::EventOf(std::string_view record) {
  records_++;
  if (records_ < from_) return std::optional<std::string>();
  Result<std::string> event = mapping_ ? mapping_->Apply(record) : Result<std::string>(std::string(record));
  if (!mapping_) {
    if (records_ == from_)
      if (auto valid = CheckIsCloudEvent(record); !valid.ok() && !lenient_) event = valid.error();
    if (event.ok())
      std::replace_if(
          event->begin(), event->end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  }
  if (event.ok()) return std::optional(std::move(*event));
  if (!lenient_) return Error{ErrorCode::kInvalid, "record " + std::to_string(records_) + ": " + event.error().message, event.error().hint};
  unmapped_++;
  PrintRefused({records_, {}, event.error().message});
  return std::optional<std::string>();
}

// What came before `error` is fine, and goes.
Result<void> Sending::AfterFlush(Error error) {
  RETURN_IF_ERROR(sender_.Flush());
  return error;
}

Result<void> Sending::InOrder() {
  for (std::string_view record;;) {
    auto status = source_.Next(record);
    if (!status.ok()) return AfterFlush(status.error());
    if (*status == RecordSource::Status::kSignal) return Error{ErrorCode::kCancelled, "cancelled", {}};
    if (*status == RecordSource::Status::kRecord) {
      auto event = EventOf(record);
      if (!event.ok()) return AfterFlush(event.error());
      if (*event) RETURN_IF_ERROR(sender_.Add(records_, **event));
    } else {
      RETURN_IF_ERROR(sender_.Flush());
    }
    ShowProgress();
    if (*status == RecordSource::Status::kEnd) return {};
  }
}

Result<void> Sending::ByTime() {
  std::vector<SortedEvent> events;
  size_t bytes = 0;
  sorted_ = true;
  for (std::string_view record;;) {
    ASSIGN_OR_RETURN(const auto status, source_.Next(record));
    if (status == RecordSource::Status::kSignal) return Error{ErrorCode::kCancelled, "cancelled", {}};
    if (status == RecordSource::Status::kEnd) break;
    if (status == RecordSource::Status::kIdle) continue;
    ASSIGN_OR_RETURN(auto event, EventOf(record));
    if (!event) continue;
    bytes += event->size();
    if (bytes > kSortBytesMax)
      return Error{ErrorCode::kInvalid, "--sort holds at most " + std::to_string(kSortBytesMax >> 30) + " GiB of events",
                   "sort the file before, or send it in parts"};
    events.push_back({EventTimeOf(*event), records_, std::move(*event)});
  }
  std::stable_sort(events.begin(), events.end(), [](auto& a, auto& b) { return a.time < b.time; });
  for (size_t i = 0; i < events.size(); i++) {
    RETURN_IF_ERROR(sender_.Add(events[i].record, events[i].event));
    bar_.Show(static_cast<double>(i) / static_cast<double>(events.size()), sender_.totals().sent);
  }
  return sender_.Flush();
}

int Sending::Finish(const Result<void>& ended) {
  bar_.Clear();
  const auto& totals = sender_.totals();
  const int64_t rejected = totals.rejected + unmapped_;
  if (ended.ok() || totals.sent > 0 || rejected > 0)
    std::printf("%lld sent, %lld accepted, %lld duplicates, %lld rejected in %.2f s\n", static_cast<long long>(totals.sent),
                static_cast<long long>(totals.accepted), static_cast<long long>(totals.duplicates), static_cast<long long>(rejected),
                static_cast<double>(env_.clock.MonotonicNs() - began_ns_) / 1e9);
  std::fflush(stdout);
  if (ended.ok()) return kExitOk;
  const bool cancelled = ended.error().code == ErrorCode::kCancelled;
  std::fprintf(stderr, "sluice send: %s\n", cancelled ? "interrupted" : ended.error().ToString().c_str());
  if (totals.sent == 0) return kExitFailed;
  std::fprintf(stderr, "%s acknowledged and safe. Run the same command again: nothing is taken twice.",
               Counted(totals.sent, "event").c_str());
  if (!sorted_) std::fprintf(stderr, " `--from %lld` skips what is there.", static_cast<long long>(totals.record_last + 1));
  std::fprintf(stderr, "\n");
  return kExitFailed;
}

}  // namespace

void SendAction::Define(CLI::App& app) {
  app.footer(
      "Without --map the records are CloudEvents 1.0. With it any JSON becomes events:\n"
      "  sluice send quakes.json --records /features --sort time \\\n"
      "    --map 'id=/id,source=https://earthquake.usgs.gov,type=gov.usgs.{/properties/type},time=/properties/time'\n"
      "/pointer takes what stands there, a{/pointer}b is a template, anything else a constant (==/demo for one that begins with '/').\n"
      "data is the whole record unless it is mapped; times are RFC 3339 or numbers since 1970 in s, ms, us or ns.\n"
      "Sending twice is safe: the server knows (source, id).");
  app.add_option("FILE", file_, "NDJSON, or a JSON document with an array; - is stdin")->required();
  app.add_option("--records", records_, "Where the array of records is in the document")->type_name("POINTER");
  app.add_option("--map", map_, "Attributes of the event made of a record")->type_name("NAME=VALUE,...");
  app.add_option("--topic", topic_, "Topic for all of them (default: by event type)")->type_name("TOPIC");
  auto* sort = app.add_option("--sort", sort_, "Send in the order of event time; holds all events in memory")
                   ->check(CLI::IsMember({"time"}))
                   ->type_name("time");
  app.add_option("--from", from_, "Number of the first record to send, from 1; not with --sort")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->excludes(sort);
  app.add_option("--batch", options_.batch_events, "Events per request, up to 5,000 (500)")
      ->check(CLI::Range(size_t{1}, kBatchEventsMax))
      ->type_name("N");
  app.add_option("--retries", options_.retries, "Tries per request after the first (10)")->check(CLI::Range(0, 1000))->type_name("N");
  app.add_flag("--gzip,!--no-gzip", gzip_, "Compress what is sent (default: when the server is on another machine)");
  app.add_flag("--lenient", options_.lenient, "Take the valid events of a request, report the others");
  app.add_option("--url", url_, "The server (default SLUICE_URL, else http://127.0.0.1:8080)")->type_name("URL");
}

int SendAction::Run() {
  auto termination = io::Termination::Make();
  if (!termination.ok()) return Fail(termination.error());
  io::RealWorld world(io::LogLevel::kWarn);
  std::optional<EventMapping> mapping;
  if (!map_.empty()) {
    auto parsed = EventMapping::Parse(map_);
    if (!parsed.ok()) return Fail(parsed.error());
    mapping = std::move(*parsed);
  }
  std::optional<JsonPointer> pointer;
  if (!records_.empty()) {
    auto parsed = JsonPointer::Parse(records_);
    if (!parsed.ok()) return Fail(parsed.error());
    pointer = std::move(*parsed);
  }
  if (!topic_.empty()) options_.path = "/v1/topics/" + EscapePath(topic_) + "/events";
  auto client = HttpClient::Make(url_, termination->get());
  if (!client.ok()) return Fail(client.error());
  options_.gzip = gzip_.value_or(!(*client)->is_loopback());
  auto input = ByteInput::Open(file_, termination->get());
  if (!input.ok()) return Fail(input.error()), kExitFailed;
  Sending sending(world.env(), **termination, **client, RecordSource(std::move(*input), std::move(pointer)), std::move(mapping), from_,
                  options_);
  return sending.Finish(sort_.empty() ? sending.InOrder() : sending.ByTime());
}

}  // namespace sluice::cli
