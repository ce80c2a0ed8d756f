// SPDX-License-Identifier: Apache-2.0
#include "history_text.h"

#include <charconv>

#include "base/json.h"

namespace sluice::history {
namespace {

Error Wrong(std::string what) { return Error{ErrorCode::kInvalid, std::move(what)}; }

Result<Stamp> Until(const Json& line, Stamp at) {
  const Json* until = line.Find("until");
  if (until == nullptr || until->is_null()) return kNever;
  if (!until->is_int() || until->AsInt() < at) return Wrong("\"until\" is no stamp behind \"at\"");
  return until->AsInt();
}

Result<Outcome> ParseOutcome(const std::string& word) {
  if (word == "acknowledged") return Outcome::kAcknowledged;
  if (word == "refused") return Outcome::kRefused;
  if (word == "unknown") return Outcome::kUnknown;
  return Wrong("\"" + word + "\" is no outcome");
}

Result<int32_t> Partition(int64_t value) {
  if (value < 0 || value > std::numeric_limits<int32_t>::max()) return Wrong("a partition is a small number from 0 on");
  return static_cast<int32_t>(value);
}

Result<Place> ParsePlace(const Json::Array& values) {
  if (values.size() < 2 || !values[0].is_int() || !values[1].is_int() || values[1].AsInt() < 0)
    return Wrong("a place is [partition, offset]");
  ASSIGN_OR_RETURN(const int32_t partition, Partition(values[0].AsInt()));
  return Place{partition, values[1].AsInt()};
}

Result<Send> ParseSend(const Json& line) {
  Send send;
  ASSIGN_OR_RETURN(send.invoked, line.RequireInt("at"));
  ASSIGN_OR_RETURN(send.completed, Until(line, send.invoked));
  ASSIGN_OR_RETURN(send.client, line.RequireString("client"));
  ASSIGN_OR_RETURN(const std::string outcome, line.RequireString("outcome"));
  ASSIGN_OR_RETURN(send.outcome, ParseOutcome(outcome));
  ASSIGN_OR_RETURN(const Json* events, line.RequireArray("events"));
  for (auto& event : events->AsArray()) {
    auto& values = event.AsArray();
    if (values.size() < 2 || !values[0].is_string() || !values[1].is_string()) return Wrong("an event is [id, topic, content]");
    send.events.push_back({values[0].AsString(), values[1].AsString(), values.size() > 2 ? values[2].AsString() : std::string()});
  }
  for (auto& place : line["places"].AsArray()) {
    ASSIGN_OR_RETURN(auto parsed, ParsePlace(place.AsArray()));
    send.places.push_back(parsed);
  }
  if (send.outcome != Outcome::kUnknown && send.completed == kNever) return Wrong("an outcome is known only when an answer came");
  if (!send.places.empty() && send.outcome != Outcome::kAcknowledged) return Wrong("only what was acknowledged has places");
  if (!send.places.empty() && send.places.size() != send.events.size()) return Wrong("there are not as many places as events");
  return send;
}

Result<TopicRead> ParseTopic(const Json& topic) {
  TopicRead read;
  for (auto& [name, offset] : topic["from"].AsObject()) {
    int64_t number = -1;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed != std::errc() || end != name.data() + name.size() || !offset.is_int()) return Wrong("\"from\" is an offset by partition");
    ASSIGN_OR_RETURN(const int32_t partition, Partition(number));
    read.from[partition] = offset.AsInt();
  }
  ASSIGN_OR_RETURN(const Json* rows, topic.RequireArray("rows"));
  read.rows.reserve(rows->AsArray().size());
  for (auto& row : rows->AsArray()) {
    auto& values = row.AsArray();
    ASSIGN_OR_RETURN(const Place place, ParsePlace(values));
    if (values.size() < 3 || !values[2].is_string()) return Wrong("a row is [partition, offset, id, content]");
    read.rows.push_back({place, values[2].AsString(), values.size() > 3 ? values[3].AsString() : std::string()});
  }
  return read;
}

Result<Read> ParseRead(const Json& line) {
  Read read;
  ASSIGN_OR_RETURN(read.invoked, line.RequireInt("at"));
  ASSIGN_OR_RETURN(read.completed, Until(line, read.invoked));
  if (read.completed == kNever) return Wrong("a read that did not end saw nothing: leave it out");
  ASSIGN_OR_RETURN(read.reader, line.RequireString("reader"));
  read.may_lag = line["may_lag"].AsBool();
  ASSIGN_OR_RETURN(const Json* topics, line.RequireObject("topics"));
  for (auto& [name, topic] : topics->AsObject()) {
    ASSIGN_OR_RETURN(auto parsed, ParseTopic(topic));
    read.topics.emplace(name, std::move(parsed));
  }
  return read;
}

Result<void> ParseLine(std::string_view text, History& history) {
  ASSIGN_OR_RETURN(const Json line, Json::Parse(text));
  const std::string& what = line["do"].AsString();
  if (what == "send") {
    ASSIGN_OR_RETURN(auto send, ParseSend(line));
    history.sends.push_back(std::move(send));
  } else if (what == "read") {
    ASSIGN_OR_RETURN(auto read, ParseRead(line));
    history.reads.push_back(std::move(read));
  } else if (what == "mark") {
    Mark mark;
    ASSIGN_OR_RETURN(mark.at, line.RequireInt("at"));
    ASSIGN_OR_RETURN(mark.what, line.RequireString("what"));
    history.marks.push_back(std::move(mark));
  } else {
    return Wrong("there is no operation \"" + what + "\"");
  }
  return {};
}

}  // namespace

Result<History> ParseHistory(std::string_view text) {
  History history;
  for (size_t number = 1; !text.empty(); number++) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (auto parsed = ParseLine(line, history); !parsed.ok()) return parsed.error().While("reading line " + std::to_string(number));
  }
  return history;
}

}  // namespace sluice::history
