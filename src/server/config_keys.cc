// SPDX-License-Identifier: Apache-2.0
#include "server/config_keys.h"

#include <algorithm>
#include <charconv>
#include <cctype>
#include <limits>
#include <utility>
#include <vector>

namespace sluice::server {
namespace {

// "268435456", "256 MiB", "1GiB" -> bytes or a plain number.
Result<uint64_t> ParseNumber(std::string_view text) {
  struct Unit { std::string_view name; uint64_t factor; };
  static constexpr Unit kUnits[] = {{"", 1}, {"KiB", uint64_t{1} << 10}, {"MiB", uint64_t{1} << 20}, {"GiB", uint64_t{1} << 30}, {"TiB", uint64_t{1} << 40}};
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (error == std::errc())
    for (auto& u : kUnits)
      if (u.name == unit && value <= UINT64_MAX / u.factor) return value * u.factor;
  return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is no whole number", "write digits, for sizes with KiB, MiB or GiB behind them"};
}

template <class T>
Result<void> SetNumber(T& to, std::string_view text, uint64_t factor = 1) {
  ASSIGN_OR_RETURN(auto value, ParseNumber(text));
  if (value > static_cast<uint64_t>(std::numeric_limits<T>::max()) / factor) return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is too large", {}};
  to = static_cast<T>(value * factor);
  return {};
}

Result<void> SetBool(bool& to, std::string_view text) {
  if (text != "true" && text != "false") return Error{ErrorCode::kInvalid, "\"" + std::string(text) + "\" is neither true nor false", {}};
  to = text == "true";
  return {};
}

Result<void> SetText(std::string& to, std::string_view text) {
  to = text;
  return {};
}

// Makers of one row of the table. `field` names the option: [](auto& o) -> auto& { return o.data; }
template <auto field, uint64_t factor = 1>
constexpr ConfigKey Number(std::string_view name, std::string_view description) {
  return {name, description, [](ServerOptions& o, std::string_view text) { return SetNumber(field(o), text, factor); },
          [](const ServerOptions& o) { return std::to_string(static_cast<uint64_t>(field(o)) / factor); }};
}
template <auto field>
constexpr ConfigKey Text(std::string_view name, std::string_view description) {
  return {name, description, [](ServerOptions& o, std::string_view text) { return SetText(field(o), text); },
          [](const ServerOptions& o) { return std::string(field(o)); }};
}
template <auto field>
constexpr ConfigKey Bool(std::string_view name, std::string_view description) {
  return {name, description, [](ServerOptions& o, std::string_view text) { return SetBool(field(o), text); },
          [](const ServerOptions& o) { return std::string(field(o) ? "true" : "false"); }};
}
constexpr uint64_t kMillis = 1000;  // options count microseconds, settings milliseconds

const ConfigKey kKeys[] = {
    Text<[](auto& o) -> auto& { return o.data; }>("data", "Directory of the log, the catalog and the local warehouse."),
    Text<[](auto& o) -> auto& { return o.listen; }>("listen", "Address of the HTTP server, HOST:PORT; port 0 takes any free one."),
    Bool<[](auto& o) -> auto& { return o.insecure; }>("insecure", "Allow a listen address that other machines can reach, although nobody is authenticated yet."),
    Text<[](auto& o) -> auto& { return o.log_level; }>("log_level", "Lines written to stderr: debug, info, warn or error."),
    Number<[](auto& o) -> auto& { return o.log.segment_bytes; }>("journal.segment_bytes", "Size of a journal segment, a multiple of 4 KiB."),
    Number<[](auto& o) -> auto& { return o.log.journal_bytes_max; }>("journal.bytes_max", "Size of all journal segments together."),
    Number<[](auto& o) -> auto& { return o.log.tail_bytes_max; }>("journal.tail_bytes_max", "Newest commits that are kept in memory for readers."),
    Number<[](auto& o) -> auto& { return o.log.partitions_default; }>("log.partitions_default", "Log partitions of a new topic."),
    Number<[](auto& o) -> auto& { return o.log.untiered_bytes_max; }>("log.untiered_bytes_max", "Bytes of one topic that may wait for its table before it answers 503."),
    Number<[](auto& o) -> auto& { return o.log.watermark_delay_us; }, kMillis>("watermark.delay_ms", "How far behind the newest event time an event may be before it counts as late."),
    Number<[](auto& o) -> auto& { return o.log.time_ahead_us_max; }, kMillis>("watermark.ahead_ms_max", "Event times further in the future than this do not move the watermark."),
    Number<[](auto& o) -> auto& { return o.log.dedup_window_us; }, kMillis>("dedup.window_ms", "How long an event's source and id are remembered."),
    Number<[](auto& o) -> auto& { return o.log.dedup_table_keys_max; }>("dedup.table_keys_max", "Ids that are remembered in memory, 40 bytes each; more are written to a file."),
    Number<[](auto& o) -> auto& { return o.log.dedup_run_keys_max; }>("dedup.run_keys_max", "Remembered ids that a file holds at most."),
    Number<[](auto& o) -> auto& { return o.hot_bytes_max; }>("hot.bytes_max", "Memory for rows that are not in a table yet; when it is full new events get 503 until rows have left."),
    Number<[](auto& o) -> auto& { return o.hot_disk_bytes_max; }>("hot.disk_bytes_max", "Files for such rows when they wait long: of tables that do not get on, or when memory is nearly full. 0: none."),
    Number<[](auto& o) -> auto& { return o.tier.interval_us; }, kMillis>("tier.interval_ms", "Rows move to their table when the oldest of them has waited this long."),
    Number<[](auto& o) -> auto& { return o.tier.rows_max; }>("tier.rows_max", "Rows move to their table when so many of them wait, 2097152 in a commit at most."),
    Number<[](auto& o) -> auto& { return o.tier.bytes_max; }>("tier.bytes_max", "Rows move to their table when they take so many bytes of hot chunks."),
    Number<[](auto& o) -> auto& { return o.tier.interval_stretch_max; }>("tier.interval_stretch_max", "A table whose files would be tiny waits up to this many intervals."),
    Number<[](auto& o) -> auto& { return o.tier.file_rows_min; }>("tier.file_rows_min", "Fewer rows per data file than this count as tiny."),
    Number<[](auto& o) -> auto& { return o.tier.writers_max; }>("tier.writers_max", "Tables whose data files are written at the same time; each takes up to 48 MiB of memory."),
    Number<[](auto& o) -> auto& { return o.tier.snapshot_age_us_max; }, kMillis>("tier.snapshot_age_ms_max", "Snapshots older than this are expired."),
    Number<[](auto& o) -> auto& { return o.tier.snapshots_min; }>("tier.snapshots_min", "The newest snapshots that stay whatever their age."),
    Number<[](auto& o) -> auto& { return o.tier.expiry_interval_us; }, kMillis>("tier.expiry_interval_ms", "How often snapshots are expired at most; it comes with a table's commit."),
    Number<[](auto& o) -> auto& { return o.tier.orphan_age_us_min; }, kMillis>("tier.orphan_age_ms_min", "Files of a table that nobody refers to are removed when they are so old."),
    Number<[](auto& o) -> auto& { return o.tier.orphan_search_interval_us; }, kMillis>("tier.orphan_search_interval_ms", "How often such files are looked for, and at the start."),
    Number<[](auto& o) -> auto& { return o.tier.files.compression_level; }>("parquet.compression_level", "ZSTD level of data files."),
    Number<[](auto& o) -> auto& { return o.tier.files.row_group_rows_max; }>("parquet.row_group_rows_max", "Rows of a row group, 131072 at most."),
    Number<[](auto& o) -> auto& { return o.tier.files.page_bytes; }>("parquet.page_bytes", "Bytes of a data page before compression, 1048576 at most."),
    Text<[](auto& o) -> auto& { return o.partitioning; }>("table.partitioning", "How tables are partitioned unless their topic says otherwise."),
    Text<[](auto& o) -> auto& { return o.routing.default_topic; }>("routing.default_topic", "Topic of events that no routing rule names."),
    Number<[](auto& o) -> auto& { return o.http.connections_max; }>("http.connections_max", "Open connections; further ones get 503."),
    Number<[](auto& o) -> auto& { return o.http.body_bytes_max; }>("http.body_bytes_max", "Size of a request body as it is received."),
    Number<[](auto& o) -> auto& { return o.http.inflated_bytes_max; }>("http.inflated_bytes_max", "Size of a request body after decompression."),
    Number<[](auto& o) -> auto& { return o.sql.workers; }>("sql.workers", "SQL statements that run at the same time."),
    Number<[](auto& o) -> auto& { return o.sql.timeout_ms; }>("sql.timeout_ms", "Time limit of a statement that does not name its own."),
    Number<[](auto& o) -> auto& { return o.sql.worker_bytes_max; }>("sql.worker_bytes_max", "Private memory of a SQL worker process."),
    Number<[](auto& o) -> auto& { return o.sql.duckdb_bytes_max; }>("sql.duckdb_bytes_max", "Memory after which DuckDB spills to disk."),
    Number<[](auto& o) -> auto& { return o.sql.spill_bytes_max; }>("sql.spill_bytes_max", "Disk space that one SQL worker may spill to."),
    Number<[](auto& o) -> auto& { return o.sql.manifests_bytes_max; }>("sql.manifests_bytes_max", "Memory for what manifests say of data files, about 6 KiB each."),
};

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

const ConfigKey* FindConfigKey(std::string_view name) {
  for (auto& key : kKeys)
    if (key.name == name) return &key;
  return nullptr;
}

std::string EnvironmentName(const ConfigKey& key) {
  std::string out = "SLUICE_";
  for (char c : key.name) {
    if (c == '.') out += "__";
    else out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string Nearest(std::string_view name, std::span<const std::string_view> candidates) {
  std::string_view best;
  size_t distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (auto candidate : candidates) {
    const size_t d = EditDistance(name, candidate);
    if (d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return std::string(best);
}

}  // namespace sluice::server
