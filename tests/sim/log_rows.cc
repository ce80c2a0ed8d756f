// SPDX-License-Identifier: Apache-2.0
#include "sim/log_rows.h"

#include "base/time.h"
#include "event/record_batch_decoder.h"

namespace sluice::sim {
namespace {

constexpr uint64_t kReadBytes = 1 << 20;

}  // namespace

Result<LogRows> LogRows::Read(log::LogSource& log, const std::string& topic) {
  LogRows out;
  out.topic_ = topic;
  auto ends = log.DurableEnds(topic);
  if (!ends.ok() && ends.error().code == ErrorCode::kNotFound) return out;
  if (!ends.ok()) return ends.error();
  out.ends_ = std::move(*ends);
  ASSIGN_OR_RETURN(out.firsts_, log.FirstRetained(topic));
  ASSIGN_OR_RETURN(auto reader, log.NewReader(topic, out.firsts_));
  for (event::EventBatch batch;;) {
    ASSIGN_OR_RETURN(const auto run, reader->Next(kReadBytes));
    if (run.empty()) return out;
    for (auto& frame : run.frames()) {
      event::RecordPlaces places;
      RETURN_IF_ERROR(event::DecodeRecordBatch(frame.record_batch, batch, places));
      for (size_t i = 0; i < batch.rows(); i++) {
        auto text = [&](event::Attribute attribute) { return std::string(batch.Get(attribute, i)); };
        const Place place{frame.partition.get(), frame.base_offset.get() + places.offset_deltas[i]};
        const EventKey key{std::string(frame.tenant), topic, text(event::Attribute::kSource), text(event::Attribute::kId)};
        out.events_[place] = {key, frame.append_time.us};
      }
    }
  }
}

bool LogRows::Holds(const EventKey& key, Place place) const {
  auto own = events_.find(place);
  return own != events_.end() && own->second.key == key;
}

bool LogRows::EndsBefore(Place place) const {
  auto end = ends_.find(log::LogPartition(place.partition));
  return end == ends_.end() || end->second.get() <= place.offset;
}

std::string LogRows::WhyNotOf(const Row& row) const {
  const auto place = PlaceOf(row);
  const auto where = KeyOf(row, topic_).ToString() + " at " + place.ToString();
  if (EndsBefore(place)) return where + ", where the log ends";
  if (auto first = firsts_.find(log::LogPartition(place.partition)); first != firsts_.end() && place.offset < first->second.get())
    return {};
  auto own = events_.find(place);
  if (own == events_.end()) return where + ", where the log has nothing";
  if (own->second.key != KeyOf(row, topic_)) return where + ", where the log has " + own->second.key.ToString();
  Timestamp appended;
  const auto& text = Cell(row, table::EventColumn::kIngestedAt);
  if (!text || !base::ParseRfc3339(*text, appended) || appended.us != own->second.appended_us)
    return where + ", which the log took at another time";
  return {};
}

}  // namespace sluice::sim
