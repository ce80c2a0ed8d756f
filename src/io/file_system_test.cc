// SPDX-License-Identifier: Apache-2.0
//
// The contract of FileSystem, checked on both twins.

#include "io/file_system.h"

#include <gtest/gtest.h>

#include "io/file_system_twins.h"

namespace sluice::io {
namespace {

class FileSystemContract : public testing::TestWithParam<FileSystemTwin> {
 protected:
  FileSystem& files() { return twin_->files(); }
  Path At(std::string_view name) { return base::JoinPath(twin_->directory(), name); }
  std::unique_ptr<FileSystemUnderTest> twin_ = MakeFileSystem(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Twins, FileSystemContract, testing::Values(FileSystemTwin::kReal, FileSystemTwin::kSimulated),
                         [](auto& tested) { return FileSystemTwinName(tested.param); });

template <class T>
ErrorCode CodeOf(const Result<T>& result) {
  EXPECT_FALSE(result.ok());
  return result.ok() ? ErrorCode::kInvalid : result.error().code;
}

TEST_P(FileSystemContract, OpenModesTellMissingFromExisting) {
  EXPECT_EQ(CodeOf(files().Open(At("f"), {.mode = OpenMode::kRead})), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf(files().Open(At("f"), {.mode = OpenMode::kReadWrite})), ErrorCode::kNotFound);
  EXPECT_TRUE(files().Open(At("f"), {.mode = OpenMode::kCreate}).ok());
  EXPECT_EQ(CodeOf(files().Open(At("f"), {.mode = OpenMode::kCreate})), ErrorCode::kExists);
  EXPECT_EQ(CodeOf(files().Open(At("f"), {.mode = OpenMode::kCreate, .direct = true})), ErrorCode::kExists);
  EXPECT_TRUE(files().Open(At("f"), {.mode = OpenMode::kCreateOrOpen}).ok());
  EXPECT_TRUE(files().Open(At("g"), {.mode = OpenMode::kCreateOrOpen}).ok());
}

TEST_P(FileSystemContract, DirectoryIsNoFile) {
  ASSERT_TRUE(files().CreateDirectories(At("d")).ok());
  EXPECT_EQ(CodeOf(files().Open(At("d"), {.mode = OpenMode::kRead})), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(files().Open(At("d"), {.mode = OpenMode::kReadWrite})), ErrorCode::kInvalid);
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "x").ok());
  EXPECT_EQ(CodeOf(files().List(At("f"))), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(files().Stat(At("f/g"))), ErrorCode::kInvalid);
  EXPECT_EQ(CodeOf(files().CreateDirectories(At("f"))), ErrorCode::kInvalid);
}

TEST_P(FileSystemContract, ReadsAndWritesAtPositions) {
  auto file = files().Open(At("f"), {.mode = OpenMode::kCreate}).value();
  ASSERT_TRUE(file->Write(3, "abc").ok());
  ASSERT_TRUE(file->Write(4, "XY").ok());
  EXPECT_EQ(file->Size().value(), 6u);
  char to[10];
  EXPECT_EQ(file->Read(0, to).value(), 6u);
  EXPECT_EQ(std::string(to, 6), std::string("\0\0\0aXY", 6));
  EXPECT_EQ(file->Read(5, to).value(), 1u);
  EXPECT_EQ(file->Read(6, to).value(), 0u);
  EXPECT_EQ(file->Read(7, to).value(), 0u);
  EXPECT_TRUE(file->Sync().ok());
}

// Goal: what went past the page cache is there for everybody, also behind its last whole block.
TEST_P(FileSystemContract, UncachedFilesAreFilesLikeOthers) {
  constexpr size_t kBlocks = 3;
  AlignedBytes from(kBlocks * kDirectAlignment, 'x'), to(2 * kBlocks * kDirectAlignment);
  {
    auto file = files().Open(At("f"), {.mode = OpenMode::kCreate, .uncached = true}).value();
    ASSERT_TRUE(file->Write(kDirectAlignment, from.view()).ok());
    ASSERT_TRUE(file->Truncate(kBlocks * kDirectAlignment + 100).ok());
    ASSERT_TRUE(file->Sync().ok());
    EXPECT_FALSE(file->is_direct()) << "a write is not durable by itself";
  }
  const std::string expected = std::string(kDirectAlignment, '\0') + std::string((kBlocks - 1) * kDirectAlignment + 100, 'x');
  EXPECT_EQ(ReadFile(files(), At("f")).value(), expected);
  auto file = files().Open(At("f"), {.mode = OpenMode::kRead, .uncached = true}).value();
  EXPECT_EQ(file->Read(0, to.span()).value(), expected.size());
  EXPECT_EQ(to.view().substr(0, expected.size()), expected);
  EXPECT_EQ(file->Read(kBlocks * kDirectAlignment, to.span()).value(), 100u);
}

TEST_P(FileSystemContract, UnalignedUncachedReadsAndWritesEndTheProcess) {
  auto file = files().Open(At("f"), {.mode = OpenMode::kCreate, .uncached = true}).value();
  AlignedBytes page(2 * kDirectAlignment);
  EXPECT_DEATH((void)file->Write(1, page.view()).ok(), "kDirectAlignment");
  EXPECT_DEATH((void)file->Write(0, page.view().substr(0, kDirectAlignment + 1)).ok(), "kDirectAlignment");
  EXPECT_DEATH((void)file->Read(0, page.span().subspan(1, kDirectAlignment)).ok(), "aligned");
}

TEST_P(FileSystemContract, ReadOnlyFileRefusesWrites) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "abc").ok());
  auto file = files().Open(At("f"), {}).value();
  EXPECT_FALSE(file->Write(0, "x").ok());
  EXPECT_FALSE(file->Truncate(0).ok());
  EXPECT_EQ(ReadFile(files(), At("f")).value(), "abc");
}

TEST_P(FileSystemContract, TruncateCutsAndExtendsWithZeros) {
  auto file = files().Open(At("f"), {.mode = OpenMode::kCreate}).value();
  ASSERT_TRUE(file->Write(0, "abcdef").ok());
  ASSERT_TRUE(file->Truncate(2).ok());
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(ReadFile(files(), At("f")).value(), std::string("ab\0\0", 4));
}

TEST_P(FileSystemContract, OpenFileOutlivesItsName) {
  auto file = files().Open(At("f"), {.mode = OpenMode::kCreate}).value();
  ASSERT_TRUE(file->Write(0, "abc").ok());
  ASSERT_TRUE(files().Remove(At("f")).ok());
  char to[3];
  EXPECT_EQ(file->Read(0, to).value(), 3u);
  EXPECT_FALSE(Exists(files(), At("f")).value());
}

TEST_P(FileSystemContract, UnnamedFileHasNoName) {
  auto file = files().OpenUnnamed(twin_->directory()).value();
  ASSERT_TRUE(file->Write(0, "spill").ok());
  EXPECT_EQ(file->Size().value(), 5u);
  EXPECT_TRUE(files().List(twin_->directory()).value().empty());
  EXPECT_EQ(CodeOf(files().OpenUnnamed(At("missing"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, ListIsSorted) {
  for (auto name : {"b", "a", "c"}) ASSERT_TRUE(WriteFileAtomically(files(), At(name), "x").ok());
  EXPECT_EQ(files().List(twin_->directory()).value(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(CodeOf(files().List(At("missing"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, StatTellsSizeKindAndIdentity) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "abc").ok());
  ASSERT_TRUE(files().CreateDirectories(At("d")).ok());
  auto file = files().Stat(At("f")).value();
  EXPECT_EQ(file.size, 3u);
  EXPECT_FALSE(file.is_directory);
  EXPECT_TRUE(files().Stat(At("d"))->is_directory);
  EXPECT_NE(files().Stat(At("d"))->inode, file.inode);
  ASSERT_TRUE(files().Rename(At("f"), At("g")).ok());
  EXPECT_EQ(files().Stat(At("g"))->inode, file.inode);
}

TEST_P(FileSystemContract, CreateDirectoriesMakesParentsAndRepeats) {
  EXPECT_TRUE(files().CreateDirectories(At("a/b/c")).ok());
  EXPECT_TRUE(files().CreateDirectories(At("a/b/c")).ok());
  EXPECT_TRUE(files().Stat(At("a/b/c"))->is_directory);
}

TEST_P(FileSystemContract, RenameReplaces) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "new").ok());
  ASSERT_TRUE(WriteFileAtomically(files(), At("g"), "old").ok());
  ASSERT_TRUE(files().Rename(At("f"), At("g")).ok());
  EXPECT_EQ(ReadFile(files(), At("g")).value(), "new");
  EXPECT_FALSE(Exists(files(), At("f")).value());
  EXPECT_EQ(CodeOf(files().Rename(At("f"), At("g"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, RenameToNewReplacesNothing) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "new").ok());
  ASSERT_TRUE(WriteFileAtomically(files(), At("g"), "old").ok());
  EXPECT_EQ(CodeOf(files().RenameToNew(At("f"), At("g"))), ErrorCode::kExists);
  EXPECT_EQ(ReadFile(files(), At("g")).value(), "old");
  EXPECT_EQ(ReadFile(files(), At("f")).value(), "new");
  EXPECT_TRUE(files().RenameToNew(At("f"), At("h")).ok());
  EXPECT_EQ(ReadFile(files(), At("h")).value(), "new");
  EXPECT_FALSE(Exists(files(), At("f")).value());
}

TEST_P(FileSystemContract, RemoveKeepsDirectoriesWithContent) {
  ASSERT_TRUE(files().CreateDirectories(At("d")).ok());
  ASSERT_TRUE(WriteFileAtomically(files(), At("d/f"), "x").ok());
  EXPECT_EQ(CodeOf(files().Remove(At("d"))), ErrorCode::kExists);
  ASSERT_TRUE(files().Remove(At("d/f")).ok());
  EXPECT_TRUE(files().Remove(At("d")).ok());
  EXPECT_EQ(CodeOf(files().Remove(At("d"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, SyncDirectoryNeedsADirectory) {
  EXPECT_TRUE(files().SyncDirectory(twin_->directory()).ok());
  EXPECT_EQ(CodeOf(files().SyncDirectory(At("missing"))), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, LockIsExclusiveUntilReleased) {
  auto held = files().Lock(At("LOCK"));
  ASSERT_TRUE(held.ok());
  auto second = files().Lock(At("LOCK"));
  EXPECT_EQ(CodeOf(second), ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("held by process "), std::string::npos);
  held->reset();
  EXPECT_TRUE(files().Lock(At("LOCK")).ok());
}

TEST_P(FileSystemContract, SpaceIsKnown) {
  auto space = files().Space(twin_->directory());
  ASSERT_TRUE(space.ok());
  EXPECT_GT(space->total_bytes, 0u);
  EXPECT_LE(space->free_bytes, space->total_bytes);
}

TEST_P(FileSystemContract, ReadFileRefusesMoreThanItsBound) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "12345").ok());
  EXPECT_EQ(ReadFile(files(), At("f"), 5).value(), "12345");
  EXPECT_EQ(ReadFile(files(), At("f"), 6).value(), "12345");
  EXPECT_EQ(CodeOf(ReadFile(files(), At("f"), 4)), ErrorCode::kExhausted);
}

TEST_P(FileSystemContract, WriteFileAtomicallyReplacesAndLeavesNoTemporary) {
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "a longer text").ok());
  ASSERT_TRUE(WriteFileAtomically(files(), At("f"), "short").ok());
  EXPECT_EQ(ReadFile(files(), At("f")).value(), "short");
  EXPECT_EQ(files().List(twin_->directory()).value(), std::vector<std::string>{"f"});
}

TEST_P(FileSystemContract, RemoveTreeRemovesAllAndRepeats) {
  ASSERT_TRUE(files().CreateDirectories(At("a/b/c")).ok());
  ASSERT_TRUE(WriteFileAtomically(files(), At("a/b/f"), "x").ok());
  EXPECT_TRUE(RemoveTree(files(), At("a")).ok());
  EXPECT_FALSE(Exists(files(), At("a")).value());
  EXPECT_TRUE(RemoveTree(files(), At("a")).ok());
}

}  // namespace
}  // namespace sluice::io
