// SPDX-License-Identifier: Apache-2.0
#include "checker.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

namespace sluice::history {
namespace {

constexpr std::array<std::string_view, kAnomalyKindCount> kNames = {"lost",         "stale",     "duplicate",    "phantom",     "refused",
                                                                    "gap",          "backwards", "moved",        "place-twice", "changed",
                                                                    "torn-request", "reordered", "request-order"};

using EventIndex = size_t;

// What the whole history knows of one event.
struct Event {
  std::string id;
  std::string topic;
  std::string content;
  Stamp sent = kNever;          // first send that was not refused
  Stamp acknowledged = kNever;  // first answer that said so
  bool refused = false;
  size_t request = 0;          // its first send
  bool of_one_request = true;  // every send of it held the same events
  bool of_one_content = true;  // otherwise either may have been stored
  bool shown = false;
  std::optional<Place> place;
};

std::string Text(const std::string& topic, const Place& place) {
  return topic + "[" + std::to_string(place.partition) + "] offset " + std::to_string(place.offset);
}
std::string Text(const Read& read) { return read.reader + " read at " + std::to_string(read.invoked); }
std::string Text(const Event& event) { return "event \"" + event.id + "\" of " + event.topic; }

// What one read says about one partition.
struct Span {
  int64_t from = 0;
  int64_t end = 0;  // behind its last row; `from` when there is none
  bool empty = true;
};

class Checker {
 public:
  Checker(const History& history, size_t most) : history_(history), most_(most) {}

  std::vector<Anomaly> Run() {
    for (size_t i = 0; i < history_.sends.size(); i++) TakeSend(i);
    for (auto& read : history_.reads) TakeRows(read);
    std::vector<const Read*> reads;
    for (auto& read : history_.reads) reads.push_back(&read);
    std::sort(reads.begin(), reads.end(), [](auto* a, auto* b) { return a->invoked < b->invoked; });
    for (auto* read : reads) JudgeRead(*read);
    JudgeDirection(reads);
    JudgeOrder();
    JudgeRequestOrder();
    return std::move(found_);
  }

 private:
  void Report(AnomalyKind kind, std::string what) {
    if (count_[static_cast<size_t>(kind)]++ < most_) found_.push_back({kind, std::move(what)});
  }

  EventIndex Find(const std::string& topic, const std::string& id) {
    auto [at, is_new] = index_.try_emplace(topic + '\0' + id, events_.size());
    if (is_new) events_.push_back({.id = id, .topic = topic});
    return at->second;
  }

  // Where an event is, as `who` says.
  void Learn(EventIndex index, const Place& place, const std::string& who) {
    Event& event = events_[index];
    if (!event.place) event.place = place;
    else if (*event.place != place)
      Report(AnomalyKind::kMoved,
             Text(event) + " stands at " + Text(event.topic, *event.place) + ", and at " + Text(event.topic, place) + " (" + who + ")");
    auto [at, is_new] = places_[event.topic].try_emplace(place, index);
    if (!is_new && at->second != index)
      Report(AnomalyKind::kPlaceTwice,
             Text(event.topic, place) + " holds \"" + events_[at->second].id + "\", and \"" + event.id + "\" (" + who + ")");
  }

  void TakeSend(size_t number) {
    const Send& send = history_.sends[number];
    std::vector<EventIndex> indices;
    for (auto& sent : send.events) {
      const EventIndex index = Find(sent.topic, sent.id);
      Event& event = events_[index];
      indices.push_back(index);
      if (send.outcome == Outcome::kRefused) {
        event.refused = true;
        continue;
      }
      if (event.sent == kNever) event.request = number;
      else if (!SameEvents(history_.sends[event.request], send)) event.of_one_request = false;
      event.sent = std::min(event.sent, send.invoked);
      if (send.outcome == Outcome::kAcknowledged) event.acknowledged = std::min(event.acknowledged, send.completed);
      if (event.content.empty()) event.content = sent.content;
      else if (!sent.content.empty() && event.content != sent.content) event.of_one_content = false;
    }
    for (size_t i = 0; i < send.places.size(); i++)
      Learn(indices[i], send.places[i], "answer to " + send.client + " at " + std::to_string(send.completed));
  }

  static bool SameEvents(const Send& a, const Send& b) {
    return std::equal(a.events.begin(), a.events.end(), b.events.begin(), b.events.end(),
                      [](auto& x, auto& y) { return x.id == y.id && x.topic == y.topic; });
  }

  // What rows say about events and places, whatever the read was.
  void TakeRows(const Read& read) {
    for (auto& [topic, seen] : read.topics)
      for (auto& row : seen.rows) {
        const EventIndex index = Find(topic, row.id);
        Event& event = events_[index];
        event.shown = true;
        Learn(index, row.place, Text(read));
        if (event.content.empty() && event.sent == kNever) event.content = row.content;
        else if (event.of_one_content && !event.content.empty() && !row.content.empty() && event.content != row.content)
          Report(AnomalyKind::kChanged, Text(event) + " is \"" + event.content + "\", but \"" + row.content + "\" in " + Text(read));
        if (event.sent == kNever && event.refused) Report(AnomalyKind::kRefused, Text(event) + " was refused, and stands in " + Text(read));
        else if (event.sent >= read.completed)
          Report(AnomalyKind::kPhantom, Text(event) + " stands in " + Text(read) + ", and nobody had sent it");
      }
  }

  void JudgeRead(const Read& read) {
    std::vector<bool> seen(events_.size());
    for (auto& [topic, part] : read.topics) {
      spans_[&read][topic] = JudgePartitions(read, topic, part);
      for (auto& row : part.rows) {
        const EventIndex index = Find(topic, row.id);
        if (seen[index]) Report(AnomalyKind::kDuplicate, Text(events_[index]) + " has two rows in " + Text(read));
        seen[index] = true;
      }
    }
    if (read.may_lag) return;
    JudgeAcknowledged(read, seen);
    JudgeRequests(read, seen);
  }

  std::map<int32_t, Span> JudgePartitions(const Read& read, const std::string& topic, const TopicRead& part) {
    std::map<int32_t, Span> spans;
    for (auto& [partition, from] : part.from) spans[partition] = {from, from};
    std::vector<Place> places;
    for (auto& row : part.rows) places.push_back(row.place);
    std::sort(places.begin(), places.end());
    for (auto& place : places) {
      Span& span = spans[place.partition];
      if (place.offset > span.end)
        Report(AnomalyKind::kGap,
               Text(read) + " lacks " + Text(topic, {place.partition, span.end}) + " up to " + std::to_string(place.offset - 1));
      if (place.offset < span.from) Report(AnomalyKind::kGap, Text(read) + " shows " + Text(topic, place) + ", before what it asked for");
      span.end = std::max(span.end, place.offset + 1);
      span.empty = false;
    }
    return spans;
  }

  // Before the part that the read asked for: nobody can say whether it would be there, and it counts as there.
  bool Shows(const Read& read, const Event& event, bool seen) {
    if (seen) return true;
    if (!event.place) return false;
    auto& spans = spans_[&read][event.topic];
    auto span = spans.find(event.place->partition);
    return span != spans.end() && event.place->offset < span->second.from;
  }

  // True when every place before the parts that `read` asked for is known, so that an event that is nowhere is lost.
  bool KnowsBefore(const Read& read, const std::string& topic) {
    for (auto& [partition, from] : read.topics.at(topic).from) {
      auto& places = places_[topic];
      auto begin = places.lower_bound({partition, 0}), end = places.lower_bound({partition, from});
      if (std::distance(begin, end) != from) return false;
    }
    return true;
  }

  void JudgeAcknowledged(const Read& read, const std::vector<bool>& seen) {
    for (EventIndex i = 0; i < events_.size(); i++) {
      const Event& event = events_[i];
      if (event.acknowledged >= read.invoked || !read.topics.contains(event.topic) || Shows(read, event, seen[i])) continue;
      const std::string what = Text(event) + ", acknowledged at " + std::to_string(event.acknowledged) + ", is not in " + Text(read);
      if (event.shown) Report(AnomalyKind::kStale, what);
      else if (event.place || KnowsBefore(read, event.topic)) Report(AnomalyKind::kLost, what);
    }
  }

  void JudgeRequests(const Read& read, const std::vector<bool>& seen) {
    for (size_t number = 0; number < history_.sends.size(); number++) {
      const Event *shown = nullptr, *missing = nullptr;
      for (auto& sent : history_.sends[number].events) {
        const EventIndex index = Find(sent.topic, sent.id);
        const Event& event = events_[index];
        if (event.request != number || !event.of_one_request || event.sent == kNever || !read.topics.contains(event.topic)) continue;
        (Shows(read, event, seen[index]) ? shown : missing) = &event;
      }
      if (shown != nullptr && missing != nullptr)
        Report(AnomalyKind::kTornRequest, Text(read) + " shows " + Text(*shown) + ", and not " + Text(*missing) + " of the same request");
    }
  }

  // `reads` by the time they began. Reads that may lag are compared with those of the same reader.
  void JudgeDirection(const std::vector<const Read*>& reads) {
    std::vector<const Read*> by_end(reads);
    std::sort(by_end.begin(), by_end.end(), [](auto* a, auto* b) { return a->completed < b->completed; });
    std::map<std::string, std::map<std::pair<std::string, int32_t>, std::pair<int64_t, const Read*>>> reached;
    auto over = by_end.begin();
    for (auto* read : reads) {
      for (; over != by_end.end() && (*over)->completed < read->invoked; over++)
        for (auto& [topic, spans] : spans_[*over])
          for (auto& [partition, span] : spans) {
            auto& most = reached[Line(**over)][{topic, partition}];
            if (!span.empty && span.end > most.first) most = {span.end, *over};
          }
      for (auto& [key, most] : reached[Line(*read)]) {
        auto& [topic, partition] = key;
        auto& spans = spans_[read];
        if (most.second == nullptr || !spans.contains(topic)) continue;
        auto& partitions = spans[topic];
        const int64_t end = partitions.contains(partition) ? partitions[partition].end : 0;
        if (end < most.first)
          Report(AnomalyKind::kBackwards, Text(*read) + " ends before " + Text(topic, {partition, end}) + ", where " + Text(*most.second) +
                                              " had come to " + std::to_string(most.first));
      }
    }
  }
  static std::string Line(const Read& read) { return read.may_lag ? "may lag: " + read.reader : ""; }

  // From the last place to the first: nobody may stand before an event that was acknowledged before he was sent.
  void JudgeOrder() {
    for (auto& [topic, places] : places_) {
      const Event* earliest = nullptr;
      int32_t partition = -1;
      for (auto at = places.rbegin(); at != places.rend(); at++) {
        const Event& event = events_[at->second];
        if (at->first.partition != partition) earliest = nullptr;
        partition = at->first.partition;
        if (earliest != nullptr && event.sent != kNever && earliest->acknowledged < event.sent)
          Report(AnomalyKind::kReordered, Text(event) + " at " + Text(topic, at->first) + " was sent after " + Text(*earliest) +
                                              " had been acknowledged, which stands behind it");
        if (earliest == nullptr || event.acknowledged < earliest->acknowledged) earliest = &event;
      }
    }
  }

  void JudgeRequestOrder() {
    for (size_t number = 0; number < history_.sends.size(); number++) {
      std::map<std::pair<std::string, int32_t>, const Event*> last;
      for (auto& sent : history_.sends[number].events) {
        const Event& event = events_[Find(sent.topic, sent.id)];
        if (!event.place || event.request != number || !event.of_one_request) continue;
        const Event*& before = last[{event.topic, event.place->partition}];
        if (before != nullptr && before->place->offset > event.place->offset)
          Report(AnomalyKind::kRequestOrder, Text(event) + " stands before " + Text(*before) + ", which came first in its request");
        before = &event;
      }
    }
  }

  const History& history_;
  const size_t most_;
  std::vector<Event> events_;
  std::unordered_map<std::string, EventIndex> index_;                            // by topic and id
  std::map<std::string, std::map<Place, EventIndex>> places_;                    // by topic
  std::map<const Read*, std::map<std::string, std::map<int32_t, Span>>> spans_;  // by topic and partition
  std::array<size_t, kAnomalyKindCount> count_{};
  std::vector<Anomaly> found_;
};

}  // namespace

std::string_view AnomalyKindName(AnomalyKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::vector<Anomaly> Check(const History& history, size_t most) { return Checker(history, most).Run(); }

}  // namespace sluice::history
