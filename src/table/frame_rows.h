// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Rows that come from the log again, not from a request: at start, and when a table goes on from older offsets.

#include <cstdint>

#include "base/result.h"
#include "event/event_batch.h"
#include "log/frame.h"
#include "table/hot_tail.h"

namespace sluice::table {

// Lays the rows of `frame` at and behind offset `from` into `hot`, as part of a commit that is durable (Publish(kAlreadyDurable)
// shows them), and returns how many there were. `scratch` is reused from call to call. kCorruption: the frame cannot be decoded.
inline constexpr log::CommitSequence kAlreadyDurable{0};
Result<uint64_t> AppendFrame(HotTail& hot, const log::Frame& frame, log::Offset from, event::EventBatch& scratch);

}  // namespace sluice::table
