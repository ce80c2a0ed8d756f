// SPDX-License-Identifier: Apache-2.0
#include "sim/ledger.h"

namespace sluice::sim {
namespace {

std::string Shown(const std::optional<std::string>& cell) {
  constexpr size_t kShownMax = 80;
  return !cell                       ? "null"
         : cell->size() <= kShownMax ? *cell
                                     : cell->substr(0, kShownMax) + "... (" + std::to_string(cell->size()) + " bytes)";
}

}  // namespace

Place PlaceOf(const Row& row) {
  auto number = [&](table::EventColumn column) { return std::stoll(Cell(row, column).value_or("-1")); };
  return {static_cast<int32_t>(number(table::EventColumn::kLogPartition)), number(table::EventColumn::kLogOffset)};
}

EventKey KeyOf(const Row& row, const std::string& topic) {
  auto text = [&](table::EventColumn column) { return Cell(row, column).value_or(""); };
  return {text(table::EventColumn::kTenant), topic, text(table::EventColumn::kSource), text(table::EventColumn::kId)};
}

std::string Difference(const Row& is, const Row& expected) {
  for (auto& column : table::EventColumns())
    if (Cell(is, column.column) != Cell(expected, column.column))
      return std::string(column.name) + " is " + Shown(Cell(is, column.column)) + ", expected " + Shown(Cell(expected, column.column));
  return {};
}

void Ledger::Send(int sender, const std::vector<EventKey>& keys, const std::vector<Row>& rows) {
  for (size_t i = 0; i < keys.size(); i++) {
    auto [at, is_new] = events_.try_emplace(keys[i]);
    auto& known = at->second;
    if (is_new) {
      known.request = requests_;
      known.sender = sender;
      known.number = numbers_[sender]++;
    }
    known.variants.push_back(rows[i]);
  }
  requests_++;
}

std::string Ledger::Acknowledge(const EventKey& key, Place place, bool duplicate, size_t acknowledged) {
  auto& known = events_.at(key);
  const auto what = key.ToString() + " is said to be " + (duplicate ? "a duplicate at " : "new at ") + place.ToString();
  if (known.place && *known.place != place) return what + ", it was acknowledged at " + known.place->ToString();
  // Answers may overtake each other: only what was acknowledged before the question cannot be new.
  if (!duplicate && known.place && known.acknowledged_as < acknowledged) return what + ", it was acknowledged before";
  if (!duplicate && known.answered_as_new) return what + " for the second time";
  known.answered_as_new |= !duplicate;
  if (known.place) return {};
  auto [at, is_new] = by_place_.try_emplace({key.topic, place}, key);
  if (!is_new) return what + ", where " + at->second.ToString() + " is";
  known.place = place;
  known.acknowledged_as = acknowledged_.size();
  acknowledged_.push_back(key);
  return {};
}

const Row* Ledger::SeenAt(const std::string& topic, Place place) const {
  auto at = seen_.find({topic, place});
  return at == seen_.end() ? nullptr : &at->second;
}

std::string Ledger::See(const std::string& topic, Place place, const Row& row) {
  auto [at, is_new] = seen_.try_emplace({topic, place}, row);
  if (!is_new) {
    auto different = Difference(row, at->second);
    return different.empty() ? different : topic + " " + place.ToString() + " changed between two views: " + different;
  }
  auto& end = seen_ends_[topic][place.partition];
  end = std::max(end, place.offset + 1);
  return {};
}

}  // namespace sluice::sim
