// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Reading the log from other threads: only what is durable is ever seen. The newest commits come from memory, older ones from
// journal segments, the oldest from topic files; a reader does not notice the borders.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/threads.h"
#include "log/frame.h"
#include "log/types.h"

namespace sluice::log {

// Frames and the memory they point into.
class FrameRun {
 public:
  const std::vector<Frame>& frames() const { return frames_; }
  bool empty() const { return frames_.empty(); }
  uint64_t bytes() const { return bytes_; }
  void Add(const Frame& frame) { frames_.push_back(frame); bytes_ += frame.record_batch.size(); }
  void Pin(std::shared_ptr<const void> memory) { pins_.push_back(std::move(memory)); }

 private:
  std::vector<Frame> frames_;
  std::vector<std::shared_ptr<const void>> pins_;
  uint64_t bytes_ = 0;
};

// Reads one topic forward. Not thread-safe; one per thread. Must not outlive the log.
class LogReader {
 public:
  virtual ~LogReader() = default;
  // The next frames in log order within each partition, about `bytes_max` (at least one frame). Empty: nothing new is durable.
  // A partition's first frame may begin before the offset asked for: skip its leading rows.
  // kNotFound: the offset asked for is not retained any more. kCorruption, kIo: names file and position.
  virtual Result<FrameRun> Next(uint64_t bytes_max) = 0;
  // The next offset of each partition that is read.
  virtual const std::map<LogPartition, Offset>& position() const = 0;
};

// A range of one log partition that can be handed on: its end is the end of a frame.
struct OffsetRange {
  Offset begin, end;
  uint64_t bytes = 0;    // about, as frames
  uint32_t chain = 0;    // CRC chain of the log partition up to `end`
};

// What pumps, tables and protocols need of a log. Thread-safe; a fake is easy.
class LogSource {
 public:
  virtual ~LogSource() = default;
  // Behind the last durable event of each partition. kNotFound: no such topic.
  virtual Result<std::map<LogPartition, Offset>> DurableEnds(std::string_view topic) = 0;
  // The first retained offset of each partition (equal to the end when nothing is).
  virtual Result<std::map<LogPartition, Offset>> FirstRetained(std::string_view topic) = 0;
  // A range from each `from`, together about `bytes_max`; partitions with nothing new are left out. Reads no data.
  // kNotFound: no such topic, or a `from` before the first retained offset. kInvalid: a `from` behind the durable end.
  virtual Result<std::map<LogPartition, OffsetRange>> Cut(std::string_view topic, const std::map<LogPartition, Offset>& from,
                                                         uint64_t bytes_max) = 0;
  // Reads the partitions named in `from`, no others. kNotFound: no such topic or partition.
  virtual Result<std::unique_ptr<LogReader>> NewReader(std::string_view topic, const std::map<LogPartition, Offset>& from) = 0;
  // The CRC chain of a log partition up to `offset`. kNotFound: not retained, or `offset` is no border between frames
  // (a divergent copy looks like that, too). May read from disk.
  virtual Result<uint32_t> ChainAt(std::string_view topic, LogPartition partition, Offset offset) = 0;
  // `signal` is rung whenever more became durable, until Unwatch. It must outlive the watch.
  virtual void Watch(io::Signal* signal) = 0;
  virtual void Unwatch(io::Signal* signal) = 0;
};

}  // namespace sluice::log
