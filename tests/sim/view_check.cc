// SPDX-License-Identifier: Apache-2.0
#include "sim/view_check.h"

#include <algorithm>
#include <set>

#include "base/time.h"

namespace sluice::sim {
namespace {

using table::EventColumn;

// "where: what" when something is wrong.
using Finding = std::string;

std::string Text(const Row& row, EventColumn column) { return Cell(row, column).value_or(""); }

int64_t Micros(const Row& row, EventColumn column) {
  Timestamp out;
  return base::ParseRfc3339(Text(row, column), out) ? out.us : INT64_MIN;
}

// The rows of one view, put in order.
class ViewCheck {
 public:
  ViewCheck(const ViewRules& rules, Ledger& ledger) : rules_(rules), ledger_(ledger) {}

  Finding AddTable(const ShownTable& table) {
    for (auto& file : table.rows.lake)
      for (auto& row : *file)
        if (auto found = AddRow(table, row, true); !found.empty()) return found;
    for (auto& row : table.rows.hot)
      if (auto found = AddRow(table, row, false); !found.empty()) return found;
    if (auto found = CheckOffsets(table); !found.empty()) return found;
    return CheckLateness(table);
  }

  Finding CheckAll() {
    for (auto check : {&ViewCheck::CheckAcknowledged, &ViewCheck::CheckSeen, &ViewCheck::CheckRequests, &ViewCheck::CheckOrder})
      if (auto found = (this->*check)(); !found.empty()) return found;
    return {};
  }

 private:
  // Against what was sent, and against other rows.
  Finding AddRow(const ShownTable& table, const Row& row, bool in_lake) {
    const auto place = PlaceOf(row);
    const auto key = KeyOf(row, table.topic);
    const auto where = std::string(in_lake ? "lake" : "hot") + " row " + place.ToString() + " of " + table.topic + ", " + key.ToString();
    auto known = ledger_.events().find(key);
    if (known == ledger_.events().end()) return where + ": nobody sent this event";
    if (auto [at, is_new] = place_of_.try_emplace(key, place); !is_new)
      return where + ": the event is there twice, also at " + at->second.ToString();
    if (auto [at, is_new] = by_place_[table.topic].try_emplace(place, &row); !is_new) return where + ": the offset is there twice";
    if (known->second.place && *known->second.place != place) return where + ": it was acknowledged at " + known->second.place->ToString();
    if (auto found = CheckContent(row, known->second); !found.empty()) return where + ": " + found;
    return ledger_.See(table.topic, place, row);
  }

  // A row has to be one of the variants that were sent, in every column that its sender decides.
  static Finding CheckContent(const Row& row, const KnownEvent& known) {
    Finding nearest;
    for (auto expected : known.variants) {
      for (auto& column : table::EventColumns())
        if (IsDecidedByServer(column.column)) Cell(expected, column.column) = Cell(row, column.column);
      auto& time = Cell(expected, EventColumn::kTime);
      if (!time) time = Cell(row, EventColumn::kIngestedAt);
      nearest = Difference(row, expected);
      if (nearest.empty()) break;
    }
    if (nearest.empty() && (Cell(row, EventColumn::kSchemaId) || Cell(row, EventColumn::kProducer)))
      return "schema_id and producer are not null";
    return nearest;
  }

  Finding CheckOffsets(const ShownTable& table) {
    std::map<int32_t, int64_t> next, lake_next;
    for (auto& [place, row] : by_place_[table.topic])
      if (place.offset != next[place.partition]++)
        return table.topic + " " + place.ToString() + ": offsets before it are missing, the row before it is " +
               std::to_string(next[place.partition] - 2);
    int64_t rows_of_lake = 0;
    for (auto& file : table.rows.lake) {
      rows_of_lake += static_cast<int64_t>(file->size());
      for (auto& row : *file) {
        auto& end = lake_next[PlaceOf(row).partition];
        end = std::max(end, PlaceOf(row).offset + 1);
      }
    }
    if (auto found = SameEnds(table.topic + ": the table's progress", table.lake_ends, lake_next); !found.empty()) return found;
    int64_t rows_before = 0;
    for (auto& [partition, end] : lake_next) rows_before += end;
    if (rows_before != rows_of_lake) return table.topic + ": rows before the table's progress are not in the lake";
    return SameEnds(table.topic + ": the view's next offset", table.ends, next);
  }

  static Finding SameEnds(const std::string& what, const std::map<int32_t, int64_t>& said, const std::map<int32_t, int64_t>& rows) {
    std::set<int32_t> partitions;
    for (auto& [partition, end] : said) partitions.insert(partition);
    for (auto& [partition, end] : rows) partitions.insert(partition);
    auto at = [](auto& ends, int32_t partition) { return ends.contains(partition) ? ends.at(partition) : int64_t{0}; };
    for (int32_t partition : partitions)
      if (at(said, partition) != at(rows, partition))
        return what + " of log partition " + std::to_string(partition) + " is " + std::to_string(at(said, partition)) +
               ", its rows end at " + std::to_string(at(rows, partition));
    return {};
  }

  Finding CheckLateness(const ShownTable& table) {
    std::map<int32_t, int64_t> largest;
    for (auto& [place, row] : by_place_[table.topic]) {
      auto at = largest.find(place.partition);
      const int64_t time = Micros(*row, EventColumn::kTime);
      const bool late = at != largest.end() && time < at->second - rules_.watermark_delay_us;
      if (Text(*row, EventColumn::kIsLateArrival) != (late ? "true" : "false"))
        return table.topic + " " + place.ToString() + ": is_late_arrival is " + Text(*row, EventColumn::kIsLateArrival) +
               ", by the rows before it it should be the other";
      if (time > Micros(*row, EventColumn::kIngestedAt) + rules_.time_ahead_us_max) continue;
      if (at == largest.end()) largest[place.partition] = time;
      else at->second = std::max(at->second, time);
    }
    return {};
  }

  Finding CheckAcknowledged() {
    for (size_t i = 0; i < rules_.acknowledged; i++) {
      auto& key = ledger_.acknowledged()[i];
      if (rules_.left_out.contains(key.topic)) continue;
      if (!place_of_.contains(key))
        return key.ToString() + " was acknowledged at " + ledger_.events().at(key).place->ToString() +
               " before the view began and is not in it";
    }
    return {};
  }

  Finding CheckSeen() {
    for (auto& [topic, partitions] : rules_.seen_ends) {
      if (rules_.left_out.contains(topic)) continue;
      for (auto [partition, end] : partitions)
        if (!by_place_[topic].contains({partition, end - 1}))
          return topic + " " + std::to_string(partition) + ":" + std::to_string(end - 1) + " was in an earlier view and is gone";
    }
    return {};
  }

  Finding CheckRequests() {
    std::map<int64_t, std::pair<const EventKey*, const EventKey*>> shown_and_missing;
    for (auto& [key, known] : ledger_.events()) {
      if (known.variants.size() > 1 || rules_.left_out.contains(key.topic)) continue;  // another request may have brought it
      auto& [shown, missing] = shown_and_missing[known.request];
      (place_of_.contains(key) ? shown : missing) = &key;
    }
    for (auto& [request, keys] : shown_and_missing)
      if (keys.first != nullptr && keys.second != nullptr)
        return "half of a request is there: " + keys.first->ToString() + " but not " + keys.second->ToString();
    return {};
  }

  Finding CheckOrder() {
    for (auto& [topic, rows] : by_place_) {
      std::map<std::pair<int32_t, int>, int64_t> newest;  // by log partition and sender
      for (auto& [place, row] : rows) {
        auto& known = ledger_.events().at(KeyOf(*row, topic));
        if (known.variants.size() > 1) continue;
        auto [at, is_new] = newest.try_emplace({place.partition, known.sender}, known.number);
        if (!is_new && at->second > known.number)
          return topic + " " + place.ToString() + ": an event stands behind a later one of its sender";
        at->second = known.number;
      }
    }
    return {};
  }

  const ViewRules& rules_;
  Ledger& ledger_;
  std::map<EventKey, Place> place_of_;
  std::map<std::string, std::map<Place, const Row*>> by_place_;
};

}  // namespace

std::string CheckView(const std::vector<ShownTable>& tables, const ViewRules& rules, Ledger& ledger) {
  ViewCheck check(rules, ledger);
  for (auto& table : tables)
    if (auto found = check.AddTable(table); !found.empty()) return found;
  return check.CheckAll();
}

}  // namespace sluice::sim
