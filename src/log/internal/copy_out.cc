// SPDX-License-Identifier: Apache-2.0
#include "log/internal/copy_out.h"

#include "log/internal/journal_reader.h"

namespace sluice::log {
namespace {

using Writers = std::map<std::pair<std::string, LogPartition>, std::unique_ptr<TopicFileWriter>>;

Result<void> CopyFrame(io::FileSystem& files, const LogPaths& paths, const CopyOutRequest& request, const Frame& frame, CommitSequence sequence,
                       Writers& writers) {
  auto topic = request.drop_before.find(frame.topic);
  if (topic == request.drop_before.end()) return {};
  auto drop = topic->second.find(frame.partition);
  if (drop == topic->second.end() || frame.next_offset <= drop->second) return {};
  auto& writer = writers[{topic->first, frame.partition}];
  if (writer == nullptr) {
    Path directory = TopicFileDirectory(paths, frame.topic, frame.partition);
    ASSIGN_OR_RETURN(writer, TopicFileWriter::Create(files, directory, request.journal_id, frame.partition, frame.base_offset));
  }
  return writer->Add(frame, sequence);
}

}  // namespace

Result<std::vector<LogView::CopiedPartition>> CopyOut(io::FileSystem& files, const LogPaths& paths, const CopyOutRequest& request) {
  ASSIGN_OR_RETURN(auto reader, SegmentReader::Open(files, paths.segment(request.segment)));
  Writers writers;
  uint64_t position = kBlock;
  for (CommitSequence sequence = request.first; sequence <= request.last; ++sequence) {
    ASSIGN_OR_RETURN(auto read, reader.ReadCommit(request.journal_id, request.segment, position));
    if (read.state != CommitState::kValid || read.header.sequence != sequence) {
      return Error{ErrorCode::kCorruption, "journal commit " + std::to_string(sequence.get()) + " in '" + paths.segment(request.segment) +
                   "' at byte " + std::to_string(position) + " is not what was written", "restore the file from a backup"};
    }
    Frame frame;
    for (FrameCursor cursor(read.body); cursor.Next(frame);) {
      if (frame.kind == FrameKind::kEvents) RETURN_IF_ERROR(CopyFrame(files, paths, request, frame, sequence, writers));
    }
    position += read.header.padded_length();
  }
  std::vector<LogView::CopiedPartition> copied;
  for (auto& [place, writer] : writers) {
    ASSIGN_OR_RETURN(auto file, writer->Finish());
    copied.push_back({place.first, place.second, std::move(file)});
  }
  return copied;
}

}  // namespace sluice::log
