// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_format.h"
#include "log/log.h"

namespace sluice::log {
namespace {

constexpr uint64_t kSegmentBytesMin = 16 * kBlock, kSegmentBytesMax = uint64_t{4} << 30;
constexpr uint64_t kCommitBytesMin = 4 * kBlock, kCommitBytesMax = uint64_t{1} << 30;
constexpr uint64_t kSegmentsMin = 4;
constexpr uint32_t kRunKeysMax = 64u << 20;

Error Bad(const std::string& option, const std::string& bound) {
  return Error{ErrorCode::kInvalid, "option '" + option + "' must be " + bound, "docs/reference/configuration.md lists the defaults"};
}

}  // namespace

Result<void> LogOptions::Validate() const {
  if (segment_bytes % kBlock != 0 || segment_bytes < kSegmentBytesMin || segment_bytes > kSegmentBytesMax) {
    return Bad("journal.segment_bytes", "a multiple of 4096 from 65536 to 4 GiB");
  }
  if (journal_bytes_max / segment_bytes < kSegmentsMin) return Bad("journal.bytes_max", "at least four segments");
  if (commit_bytes_max % kBlock != 0 || commit_bytes_max < kCommitBytesMin || commit_bytes_max > kCommitBytesMax ||
      commit_bytes_max > segment_bytes - kBlock) {
    return Bad("journal.commit_bytes_max", "a multiple of 4096 from 16384 to 1 GiB, and at least 4096 below the segment size");
  }
  if (partitions_default < 1 || partitions_default > kPartitionsMax) return Bad("log.partitions_default", "1 to 1024");
  if (watermark_delay_us < 0 || time_ahead_us_max < 0) return Bad("watermark.delay", "not negative");
  if (dedup_window_us < 0 || dedup_run_span_us <= 0) return Bad("dedup.window", "not negative");
  if (dedup_run_keys_max == 0 || dedup_run_keys_max > kRunKeysMax) return Bad("dedup.run_keys_max", "1 to 67108864");
  if (dedup_table_keys_max == 0 || dedup_table_keys_max > kRunKeysMax) return Bad("dedup.table_keys_max", "1 to 67108864");
  if (idle_mark_delay_us < 0) return Bad("journal.idle_mark_delay", "not negative");
  return {};
}

}  // namespace sluice::log
