// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What clients of a server saw, and when: the input of the checker. It knows nothing of processes, clocks or the engine, so that
// runs of the real binary and of the simulator are judged by the same rules.
//
//   send: events, and how it ended (acknowledged with their places, refused, unknown)       ──┐
//   read: the rows that one statement saw of the topics it covered                            ├─▶ Check (checker.h) ─▶ anomalies
//   mark: the server started, was killed, ...: only told, never judged                      ──┘

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace sluice::history {

// Any clock of the recorder that grows: nanoseconds, steps of a simulator, a counter. a.completed < b.invoked means that a was over
// before b began; everything else is concurrent.
using Stamp = int64_t;
constexpr Stamp kNever = std::numeric_limits<Stamp>::max();

enum class Outcome : uint8_t {
  kUnknown,       // no answer, or one that leaves it open: stored whole or not at all
  kAcknowledged,  // stored, now or before
  kRefused,       // an answer that says that nothing was stored
};

// An event as its sender knows it. The same `id` in the same topic is the same event, however often it is sent; other topics are
// other events: a recorder whose server tells events apart by more than the id joins it all into `id`.
struct SentEvent {
  std::string id;
  std::string topic;
  std::string content;  // all that must not change, or a digest of it; empty: not recorded
};

// Where an event stands in its topic.
struct Place {
  int32_t partition = 0;
  int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

struct Send {
  Stamp invoked = 0;
  Stamp completed = kNever;
  std::string client;
  std::vector<SentEvent> events;
  Outcome outcome = Outcome::kUnknown;
  std::vector<Place> places;  // of an acknowledged send: one per event, or empty when the answer did not tell
};

struct Row {
  Place place;
  std::string id;
  std::string content;  // empty: not read
};

// What a read saw of one topic: all rows, or those from `from` on.
struct TopicRead {
  std::map<int32_t, int64_t> from;  // first offset asked for, by partition; none: 0
  std::vector<Row> rows;            // in any order
};

struct Read {
  Stamp invoked = 0;
  Stamp completed = kNever;
  std::string reader;                       // for messages; reads that may lag are compared with those of the same reader
  bool may_lag = false;                     // sees a prefix, not necessarily all that was acknowledged before (the lake alone)
  std::map<std::string, TopicRead> topics;  // those that the statement named; a topic without rows has an empty entry
};

struct Mark {
  Stamp at = 0;
  std::string what;
};

struct History {
  std::vector<Send> sends;
  std::vector<Read> reads;
  std::vector<Mark> marks;
};

}  // namespace sluice::history
