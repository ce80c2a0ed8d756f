// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_recovery.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "io/simulated_world.h"
#include "log/internal/state_batch.h"

namespace sluice::log {
namespace {

constexpr uint64_t kSegmentBytes = 64 << 10;

JournalId IdOf(char fill) {
  JournalId id;
  id.fill(fill);
  return id;
}

// A journal made by hand on a simulated disk; no thread, no writer.
class JournalRecoveryTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files().CreateDirectories(paths_.journal).ok());
    NewSegment(1);
  }
  io::FileSystem& files() { return env_.files; }

  void NewSegment(uint64_t number, bool recycled = false, std::string content = {}) {
    content.resize(kSegmentBytes, '\0');
    EncodeSegmentHeader({kJournalFormatVersion, recycled, id_, SegmentNumber(number), kSegmentBytes, Timestamp{1}}, content.data());
    Store(number, content);
    segment_ = number;
    position_ = kBlock;
  }
  void Store(uint64_t number, std::string_view content) {
    ASSERT_TRUE(io::WriteFileAtomically(files(), paths_.segment(SegmentNumber(number)), content).ok());
  }
  std::string Load(uint64_t number) { return *io::ReadFile(files(), paths_.segment(SegmentNumber(number))); }

  // The bytes of the next commit, for the place where it goes.
  std::string MakeCommit(std::string_view payload) {
    std::string commit(kCommitHeaderSize, '\0');
    if (!payload.empty()) {
      Frame frame;
      frame.kind = FrameKind::kState;
      frame.topic = "__test";
      frame.next_offset = Offset(1);
      frame.rows = 1;
      std::string batch = EncodeStateBatch({{"k", std::string(payload)}}, Offset(0), Timestamp{0});
      size_t prefix = FramePrefixSize(frame);
      commit.resize(commit.size() + PadTo(prefix + batch.size(), kFrameAlignment));
      EncodeFramePrefix(frame, batch.size(), commit.data() + kCommitHeaderSize);
      std::copy(batch.begin(), batch.end(), commit.begin() + static_cast<std::ptrdiff_t>(kCommitHeaderSize + prefix));
    }
    CommitHeader header{kJournalFormatVersion, payload.empty() ? 0u : 1u, id_, SegmentNumber(segment_), position_, CommitSequence(++sequence_),
                        Timestamp{1'000}, static_cast<uint32_t>(commit.size()), base::Crc32c(std::string_view(commit).substr(kCommitHeaderSize))};
    EncodeCommitHeader(header, commit.data());
    commit.resize(PadTo(commit.size(), kBlock), '\0');
    return commit;
  }
  // Appends a commit; answers its position.
  uint64_t Commit(std::string_view payload = "value") {
    std::string bytes = MakeCommit(payload), content = Load(segment_);
    content.replace(position_, bytes.size(), bytes);
    Store(segment_, content);
    uint64_t at = position_;
    position_ += bytes.size();
    return at;
  }
  void Overwrite(uint64_t number, uint64_t at, std::string_view bytes) {
    std::string content = Load(number);
    content.replace(at, bytes.size(), bytes);
    Store(number, content);
  }
  void Flip(uint64_t number, uint64_t at) {
    std::string content = Load(number);
    content[at] = static_cast<char>(content[at] ^ 1);
    Store(number, content);
  }

  Result<JournalScan> Scan(const ScanExpectation& expectation = {}) {
    seen_.clear();
    return ScanJournal(files(), paths_, id_, expectation, [&](const CommitHeader& header, std::string_view) {
      seen_.push_back(header.sequence.get());
      return Result<void>();
    });
  }
  // Scans, and expects kCorruption that names `segment` and changes nothing.
  void ExpectCorruption(const std::string& words) {
    auto names = *files().List(paths_.journal);
    std::vector<std::string> before;
    for (const auto& name : names) before.push_back(*io::ReadFile(files(), base::JoinPath(paths_.journal, name)));
    auto scan = Scan();
    ASSERT_FALSE(scan.ok()) << "read " << seen_.size() << " commits";
    EXPECT_EQ(scan.error().code, ErrorCode::kCorruption);
    EXPECT_NE(scan.error().message.find(words), std::string::npos) << scan.error().message;
    EXPECT_FALSE(scan.error().hint.empty());
    EXPECT_EQ(*files().List(paths_.journal), names);
    for (size_t i = 0; i < names.size(); i++) EXPECT_EQ(*io::ReadFile(files(), base::JoinPath(paths_.journal, names[i])), before[i]);
    EXPECT_FALSE(*io::Exists(files(), paths_.quarantine));
  }

  io::SimulatedWorld world_{1};
  io::Env env_ = world_.env();
  LogPaths paths_{"/data"};
  JournalId id_ = IdOf('J');
  uint64_t segment_ = 1, position_ = kBlock, sequence_ = 0;
  std::vector<uint64_t> seen_;
};

TEST_F(JournalRecoveryTest, ReadsCommitsInSequenceOverSegments) {
  Commit();
  Commit();
  NewSegment(2);
  Commit();
  NewSegment(3);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  EXPECT_EQ(seen_, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(scan->last, CommitSequence(3));
  EXPECT_EQ(scan->active(), 1u);
  EXPECT_EQ(scan->segments[1].end, 2 * kBlock);
  EXPECT_FALSE(scan->torn);
}

TEST_F(JournalRecoveryTest, AnEmptyJournalIsWhole) {
  auto scan = Scan();
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(scan->last, CommitSequence());
  EXPECT_EQ(scan->active(), 0u);
  EXPECT_FALSE(scan->torn);
}

// Goal: a commit cut by a power failure disappears whole, and the one before it stays.
// Method: keep every possible number of bytes of the last commit, zeros behind them, and recover.
TEST_F(JournalRecoveryTest, TruncatesATornTailAtEveryByte) {
  Commit();
  uint64_t at = Commit(std::string(5'000, 'x'));
  const std::string whole = Load(1);
  ASSERT_EQ(position_, at + 2 * kBlock);
  size_t length = whole.find_last_not_of('\0') + 1 - at;
  for (size_t kept = 0; kept < length; kept++) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at + kept), torn.end(), '\0');
    Store(1, torn);
    auto scan = Scan();
    ASSERT_TRUE(scan.ok()) << kept << ": " << scan.error().ToString();
    ASSERT_EQ(seen_, std::vector<uint64_t>{1}) << kept;
    ASSERT_EQ(scan->torn.has_value(), kept != 0) << kept;
    if (kept != 0) {
      ASSERT_EQ(scan->torn->position, at);
      ASSERT_EQ(scan->active(), 1u);  // goes on in a new segment
    }
  }
}

// Goal: wherever the newest segment's bytes end, the commits that are whole are read, the one that is not disappears, and nothing else.
// Method: fill the newest segment with commits of many lengths; from its end to its beginning zero one byte more and read it.
TEST_F(JournalRecoveryTest, ZeroedFromEachByteOnKeepsTheCommitsBeforeIt) {
  std::vector<uint64_t> begins, ends;  // of the commits, without their padding
  for (size_t length = 1; position_ + 3 * kBlock <= kSegmentBytes; length = length * 3 % 9'001) {
    begins.push_back(Commit(std::string(length, 'x')));
    ends.push_back(Load(1).find_last_not_of('\0') + 1);
  }
  ASSERT_GT(begins.size(), 8u);
  auto file = *files().Open(paths_.segment(SegmentNumber(1)), {.mode = io::OpenMode::kReadWrite});
  for (uint64_t at = ends.back(); at-- > kBlock;) {
    ASSERT_TRUE(file->Write(at, std::string_view("\0", 1)).ok());
    std::vector<uint64_t> whole;
    bool torn = false;
    for (size_t i = 0; i < begins.size(); i++) {
      if (ends[i] <= at) whole.push_back(i + 1);
      torn |= begins[i] < at && at < ends[i];
    }
    auto scan = Scan();
    ASSERT_TRUE(scan.ok()) << at << ": " << scan.error().ToString();
    ASSERT_EQ(seen_, whole) << at;
    ASSERT_EQ(scan->torn.has_value(), torn) << at;
  }
}

TEST_F(JournalRecoveryTest, CutAtEachByteIsDamageNotATornTail) {
  Commit();
  NewSegment(2);
  Commit();
  auto file = *files().Open(paths_.segment(SegmentNumber(2)), {.mode = io::OpenMode::kReadWrite});
  for (uint64_t size = kSegmentBytes; size-- > 0;) {
    ASSERT_TRUE(file->Truncate(size).ok());
    auto scan = Scan();
    ASSERT_FALSE(scan.ok()) << size;
    ASSERT_EQ(scan.error().code, ErrorCode::kCorruption) << size;
    ASSERT_NE(scan.error().message.find("00000000000000000002.segment"), std::string::npos) << scan.error().message;
  }
}

TEST_F(JournalRecoveryTest, KeepsATornTailInQuarantineAndCutsItOff) {
  Commit();
  uint64_t at = Commit(std::string(5'000, 'x'));
  Flip(1, at + kBlock);
  std::string tail = Load(1).substr(at, 2 * kBlock);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok());
  ASSERT_TRUE(scan->torn);
  auto copy = CutTornTail(files(), paths_, *scan->torn);
  ASSERT_TRUE(copy.ok()) << copy.error().ToString();
  EXPECT_EQ(*io::ReadFile(files(), *copy), tail);
  EXPECT_EQ(Load(1).substr(at), std::string(kSegmentBytes - at, '\0'));
  EXPECT_FALSE(Scan()->torn);
  // A second tear at the same place keeps both copies.
  auto second = CutTornTail(files(), paths_, *scan->torn);
  ASSERT_TRUE(second.ok());
  EXPECT_NE(*copy, *second);
}

TEST_F(JournalRecoveryTest, FindsATornTailInARecycledSegmentByItsHeader) {
  std::string old_bytes = Load(1);
  for (size_t i = kBlock; i < old_bytes.size(); i++) old_bytes[i] = static_cast<char>(i * 7 + 1);
  NewSegment(1, true, old_bytes);
  Commit();
  EXPECT_FALSE(Scan()->torn);  // old bytes mean nothing
  uint64_t at = Commit(std::string(5'000, 'x'));
  Flip(1, at + kBlock);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok());
  ASSERT_TRUE(scan->torn);
  EXPECT_EQ(scan->torn->position, at);
  EXPECT_EQ(scan->torn->end, at + 2 * kBlock);
}

TEST_F(JournalRecoveryTest, RotInTheMiddleIsNotTruncation) {
  Commit();
  uint64_t at = Commit();
  Commit();
  Flip(1, at + kCommitHeaderSize + 3);
  ExpectCorruption("00000000000000000001.segment' at byte " + std::to_string(at));
}

TEST_F(JournalRecoveryTest, RotOfTheLastEventCommitIsFoundByTheIdleMarkBehindIt) {
  uint64_t at = Commit();
  Commit("");
  Flip(1, at);
  ExpectCorruption("00000000000000000001.segment' at byte " + std::to_string(at));
}

TEST_F(JournalRecoveryTest, RotOfTheLastIdleMarkLosesNothing) {
  Commit();
  uint64_t at = Commit("");
  Flip(1, at + 20);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok());
  EXPECT_EQ(seen_, std::vector<uint64_t>{1});
  EXPECT_TRUE(scan->torn);
}

TEST_F(JournalRecoveryTest, RotIsFoundByACommitInALaterSegment) {
  Commit();
  uint64_t at = Commit();
  NewSegment(2);
  Commit();
  Flip(1, at + kCommitHeaderSize);
  ExpectCorruption("00000000000000000001.segment' at byte " + std::to_string(at));
}

// One bit of any byte of a commit in the middle: found and named, each field of the header included.
TEST_F(JournalRecoveryTest, EveryByteOfACommitIsCovered) {
  Commit();
  uint64_t at = Commit();
  Commit();
  const std::string whole = Load(1);
  size_t length = whole.substr(at, kBlock).find_last_not_of('\0') + 1;
  for (size_t i = 0; i < length; i++) {
    std::string rotten = whole;
    rotten[at + i] = static_cast<char>(rotten[at + i] ^ 0x10);
    Store(1, rotten);
    auto scan = Scan();
    ASSERT_FALSE(scan.ok()) << "byte " << i;
    ASSERT_EQ(scan.error().code, ErrorCode::kCorruption);
    ASSERT_EQ(seen_, std::vector<uint64_t>{1});
  }
}

// A payload that is a whole, valid commit of this very journal, at a block border: as it would be if somebody sent in bytes of the
// journal file.
TEST_F(JournalRecoveryTest, AnImageOfACommitInAPayloadIsNothing) {
  uint64_t first = Commit();
  std::string image = Load(1).substr(first, kBlock);
  std::string commit = MakeCommit(std::string(3 * kBlock, 'x'));
  std::string content = Load(1);
  content.replace(position_, commit.size(), commit);
  content.replace(position_ + kBlock, image.size(), image);  // the CRC does not fit any more: as if torn
  Store(1, content);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  EXPECT_EQ(seen_, std::vector<uint64_t>{1});
  EXPECT_TRUE(scan->torn);

  // And one that names its own place, but another journal.
  CommitHeader header;
  ASSERT_EQ(DecodeCommitHeader(image, header), HeaderState::kValid);
  header.journal_id = IdOf('X');
  header.position = position_ + kBlock;
  header.sequence = CommitSequence(9);
  EncodeCommitHeader(header, content.data() + position_ + kBlock);
  Store(1, content);
  EXPECT_TRUE(Scan().ok());
  EXPECT_EQ(seen_, std::vector<uint64_t>{1});
}

TEST_F(JournalRecoveryTest, ATornFirstCommitOfASegmentIsATornTail) {
  Commit();
  NewSegment(2);
  uint64_t at = Commit(std::string(5'000, 'x'));
  Flip(2, at + kBlock);
  NewSegment(3);
  auto scan = Scan();
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  ASSERT_TRUE(scan->torn);
  EXPECT_EQ(scan->torn->segment, SegmentNumber(2));
  EXPECT_EQ(scan->active(), 2u);
  ASSERT_TRUE(CutTornTail(files(), paths_, *scan->torn).ok());
  sequence_ = 1;
  Commit();  // in segment 3
  auto again = Scan();
  ASSERT_TRUE(again.ok()) << again.error().ToString();
  EXPECT_EQ(seen_, (std::vector<uint64_t>{1, 2}));
}

TEST_F(JournalRecoveryTest, AMissingSegmentIsNamed) {
  Commit();
  NewSegment(2);
  Commit();
  NewSegment(3);
  Commit();
  ASSERT_TRUE(files().Remove(paths_.segment(SegmentNumber(2))).ok());
  ExpectCorruption("00000000000000000002.segment' is missing");
}

TEST_F(JournalRecoveryTest, AMissingFirstSegmentIsNamed) {
  Commit();
  NewSegment(2);
  Commit();
  ASSERT_TRUE(files().Remove(paths_.segment(SegmentNumber(1))).ok());
  ExpectCorruption("00000000000000000001.segment' is missing");
  // A checkpoint that covers it makes it needless.
  EXPECT_TRUE(Scan({SegmentNumber(2), CommitSequence(1)}).ok());
}

TEST_F(JournalRecoveryTest, AJournalThatEndsBeforeItsCheckpointIsRefused) {
  Commit();
  auto scan = Scan({SegmentNumber(1), CommitSequence(2)});
  ASSERT_FALSE(scan.ok());
  EXPECT_EQ(scan.error().code, ErrorCode::kCorruption);
}

TEST_F(JournalRecoveryTest, SwappedSegmentsAreNamed) {
  Commit();
  NewSegment(2);
  Commit();
  std::string one = Load(1), two = Load(2);
  Store(1, two);
  Store(2, one);
  ExpectCorruption("holds segment 2");
}

TEST_F(JournalRecoveryTest, ACopyOfASegmentUnderAnotherNumberIsNamed) {
  Commit();
  Store(2, Load(1));
  ExpectCorruption("holds segment 1");
}

TEST_F(JournalRecoveryTest, AForeignSegmentIsNamed) {
  Commit();
  id_ = IdOf('F');
  NewSegment(2);
  id_ = IdOf('J');
  ExpectCorruption("belongs to journal 46464646464646464646464646464646");
}

TEST_F(JournalRecoveryTest, ANewerFormatVersionIsRefusedWithTheWayOut) {
  std::string content = Load(1);
  EncodeSegmentHeader({kJournalFormatVersion + 1, false, id_, SegmentNumber(1), kSegmentBytes, Timestamp{1}}, content.data());
  Store(1, content);
  auto scan = Scan();
  ASSERT_FALSE(scan.ok());
  EXPECT_EQ(scan.error().code, ErrorCode::kInvalid);
  EXPECT_NE(scan.error().hint.find("newer"), std::string::npos);
}

TEST_F(JournalRecoveryTest, AShortenedSegmentIsDamageNotATornTail) {
  Commit();
  Commit();
  Store(1, Load(1).substr(0, 2 * kBlock));
  ExpectCorruption("it was made with 65536");
}

TEST_F(JournalRecoveryTest, AnEmptySegmentFileIsNamed) {
  Store(1, "");
  ExpectCorruption("has a damaged header");
}

TEST_F(JournalRecoveryTest, EveryByteOfASegmentHeaderIsCovered) {
  Commit();
  const std::string whole = Load(1);
  for (size_t i = 0; i < kSegmentHeaderSize; i++) {
    std::string rotten = whole;
    rotten[i] = static_cast<char>(rotten[i] ^ 1);
    Store(1, rotten);
    ASSERT_FALSE(Scan().ok()) << "byte " << i;
  }
}

TEST_F(JournalRecoveryTest, ACommitOutOfSequenceIsDamage) {
  Commit();
  sequence_++;
  uint64_t at = Commit();
  ExpectCorruption("at byte " + std::to_string(at) + " has sequence 3, it must have 2");
}

}  // namespace
}  // namespace sluice::log
