// SPDX-License-Identifier: Apache-2.0
//
// A journal of nine commits in two segments, all of them acknowledged, on a disk that then changes bytes: flips, zeroed blocks, blocks
// written to another place, blocks of long ago. Input: four bytes a change.
//
// What must hold whatever the disk did: the scan either names corruption, or hands out commits 1..k with the bytes that were written, and
// none behind k is whole any more. Only damage that reaches to the end looks like a torn tail; in the middle it is never silent.

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fuzz_target.h"
#include "io/simulated_world.h"
#include "log/internal/journal_recovery.h"
#include "log/internal/state_batch.h"

namespace sluice::log {
namespace {

constexpr uint64_t kSegmentBytes = 32 << 10;
constexpr size_t kSegments = 2, kCommitsPerSegment = 5;  // the last one is an idle mark

struct Written {
  size_t segment;
  uint64_t position;
  std::string bytes;  // header and frames
};

struct Image {
  JournalId id;
  std::vector<std::string> segments;
  std::vector<Written> commits;  // commits[i] has sequence i + 1

  Image() {
    id.fill('J');
    for (size_t s = 0; s < kSegments; s++) {
      std::string& segment = segments.emplace_back(kSegmentBytes, '\0');
      EncodeSegmentHeader({kJournalFormatVersion, s == 1, id, SegmentNumber(s + 1), kSegmentBytes, Timestamp{1}}, segment.data());
      uint64_t position = kBlock;
      for (size_t i = 0; i < kCommitsPerSegment - s; i++) {
        bool idle = s == kSegments - 1 && i + 1 == kCommitsPerSegment - s;
        std::string bytes = Commit(s, position, idle ? 0 : i == 1 ? 5'000 : 100);
        segment.replace(position, bytes.size(), bytes);
        commits.push_back({s, position, bytes});
        position += PadTo(bytes.size(), kBlock);
      }
      if (s == 1) {  // what a recycled file holds behind its last commit
        std::string older = segments[0].substr(kBlock, kBlock);
        segment.replace(position, older.size(), older);
      }
    }
  }

  std::string Commit(size_t segment, uint64_t position, size_t payload) const {
    std::string commit(kCommitHeaderSize, '\0');
    if (payload > 0) {
      Frame frame;
      frame.kind = FrameKind::kState;
      frame.topic = "__test";
      frame.next_offset = Offset(1);
      frame.rows = 1;
      std::string batch = EncodeStateBatch({{"k", std::string(payload, 'x')}}, Offset(0), Timestamp{0});
      size_t prefix = FramePrefixSize(frame);
      commit.resize(commit.size() + PadTo(prefix + batch.size(), kFrameAlignment));
      EncodeFramePrefix(frame, batch.size(), commit.data() + kCommitHeaderSize);
      std::copy(batch.begin(), batch.end(), commit.begin() + static_cast<std::ptrdiff_t>(kCommitHeaderSize + prefix));
    }
    CommitHeader header{kJournalFormatVersion, payload == 0 ? 0u : 1u, id, SegmentNumber(segment + 1), position, CommitSequence(commits.size() + 1),
                        Timestamp{1'000}, static_cast<uint32_t>(commit.size()), base::Crc32c(std::string_view(commit).substr(kCommitHeaderSize))};
    EncodeCommitHeader(header, commit.data());
    return commit;
  }
};

void Change(std::vector<std::string>& segments, const unsigned char* change) {
  std::string& segment = segments[change[0] / 8 % kSegments];
  size_t at = (change[1] | static_cast<size_t>(change[2]) << 8) % kSegmentBytes, block = at / kBlock * kBlock;
  switch (change[0] % 8) {
    case 0: case 1: case 2: segment[at] = static_cast<char>(segment[at] ^ change[3]); break;
    case 3: std::fill_n(segment.begin() + static_cast<std::ptrdiff_t>(block), kBlock, '\0'); break;
    case 4: std::fill(segment.begin() + static_cast<std::ptrdiff_t>(at), segment.end(), static_cast<char>(change[3] % 2 == 0 ? 0 : change[3])); break;
    case 5: segment.replace(block, kBlock, segments[change[3] % kSegments].substr(change[3] / kSegments % (kSegmentBytes / kBlock) * kBlock, kBlock)); break;
    case 6: std::swap(segments[0], segments[1]); break;
    case 7: segment.replace(at, std::min<size_t>(8, kSegmentBytes - at), std::string(std::min<size_t>(8, kSegmentBytes - at), static_cast<char>(change[3]))); break;
  }
}

// The sequence of the last commit that was handed out; the bodies are compared.
Result<JournalScan> Scan(io::FileSystem& files, const LogPaths& paths, const Image& image) {
  size_t seen = 0;
  return ScanJournal(files, paths, image.id, {}, [&](const CommitHeader& header, std::string_view body) {
    CHECK(seen < image.commits.size() && header.sequence.get() == ++seen, "commits come in sequence");
    CHECK(body == std::string_view(image.commits[seen - 1].bytes).substr(kCommitHeaderSize), "a commit is what was written");
    return Result<void>();
  });
}

void Run(std::string_view input) {
  static const Image image;
  auto segments = image.segments;
  for (size_t at = 0; at + 4 <= input.size() && at < 64; at += 4) Change(segments, reinterpret_cast<const unsigned char*>(input.data()) + at);
  io::SimulatedWorld world(1);
  io::Env env = world.env();
  LogPaths paths("/data");
  CHECK(env.files.CreateDirectories(paths.journal).ok(), "a directory");
  for (size_t s = 0; s < kSegments; s++) CHECK(io::WriteFileAtomically(env.files, paths.segment(SegmentNumber(s + 1)), segments[s]).ok(), "a file");
  auto scan = Scan(env.files, paths, image);
  if (!scan.ok()) {
    CHECK(scan.error().code == ErrorCode::kCorruption || scan.error().code == ErrorCode::kInvalid, "damage is named as such");
    CHECK(scan.error().message.find(".segment") != std::string::npos && !scan.error().hint.empty(), "the message says where, and what to do");
    return;
  }
  uint64_t last = scan->last.get();
  for (size_t i = last; i < image.commits.size(); i++) {
    const Written& commit = image.commits[i];
    CHECK(segments[commit.segment].compare(commit.position, commit.bytes.size(), commit.bytes) != 0, "no commit that is whole is given up silently");
  }
  for (size_t cuts = 0; scan->torn; cuts++) {  // what lies behind the last commit of an older segment is seen once the newer one is clean
    CHECK(cuts < kSegments, "a torn tail is cut once");
    CHECK(CutTornTail(env.files, paths, *scan->torn).ok(), "a torn tail can be cut");
    scan = Scan(env.files, paths, image);
    CHECK(scan.ok() && scan->last.get() == last, "behind the cut the journal reads the same");
  }
}

std::vector<std::string> Seeds() {
  auto change = [](int op, int at, int value) { return std::string{static_cast<char>(op), static_cast<char>(at & 255), static_cast<char>(at >> 8), static_cast<char>(value)}; };
  return {"", change(0, 4096 + 90, 1), change(0, 8192 + 4096 + 90, 4), change(8, 4096 * 4 + 30, 1), change(3, 8192, 0), change(11, 4096 * 4, 0), change(12, 4096 * 3, 0), change(12, 4096 * 2 + 50, 7),
          change(5, 4096, 4), change(13, 4096 * 2, 6), change(6, 0, 0), change(0, 3, 255), change(8, 40, 2), change(0, 4096 + 4000, 9), change(8, 4096 * 4 + 3000, 9) + change(3, 4096 * 6, 0)};
}

const base::FuzzRegistration kRegistration({"journal_image", Run, Seeds});

}  // namespace
}  // namespace sluice::log
