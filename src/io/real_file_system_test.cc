// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "io/internal/real_parts.h"
#include "io/internal/system_error.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

class RealFiles : public testing::Test {
 protected:
  std::unique_ptr<FileSystem> files_ = MakeRealFileSystem();
  TestDirectory directory_{*files_};
};

TEST_F(RealFiles, DirectWriteReadsBackAcrossReopen) {
  auto path = directory_ / "journal";
  {
    auto file = files_->Open(path, {.mode = OpenMode::kCreate, .direct = true});
    ASSERT_TRUE(file.ok()) << file.error().ToString();
    AlignedBytes page(2 * kDirectAlignment, 'x');
    ASSERT_TRUE((*file)->Write(kDirectAlignment, page.view()).ok());
  }
  auto bytes = ReadFile(*files_, path);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(*bytes, std::string(kDirectAlignment, '\0') + std::string(2 * kDirectAlignment, 'x'));
}

// Goal: where O_DIRECT is refused the same calls work, and the file says so.
TEST_F(RealFiles, RefusedDirectFallsBackToBufferedWritesWithSync) {
  auto fallback = MakeRealFileSystem({.direct_allowed = false});
  auto file = fallback->Open(directory_ / "journal", {.mode = OpenMode::kCreate, .direct = true});
  ASSERT_TRUE(file.ok());
  EXPECT_FALSE((*file)->is_direct());
  EXPECT_EQ(fcntl((*file)->descriptor(), F_GETFL) & O_DIRECT, 0);
  AlignedBytes page(kDirectAlignment, 'x');
  EXPECT_TRUE((*file)->Write(0, page.view()).ok());
  EXPECT_EQ((*file)->Size().value(), kDirectAlignment);
}

TEST_F(RealFiles, RefusedDirectLeavesUncachedFilesInTheCache) {
  auto fallback = MakeRealFileSystem({.direct_allowed = false});
  auto file = fallback->Open(directory_ / "run", {.mode = OpenMode::kCreate, .uncached = true});
  ASSERT_TRUE(file.ok());
  AlignedBytes page(kDirectAlignment, 'x');
  EXPECT_TRUE((*file)->Write(0, page.view()).ok());
  EXPECT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(ReadFile(*fallback, directory_ / "run").value(), page.view());
}

TEST_F(RealFiles, DirectFileHasDirectAndSyncFlags) {
  auto file = files_->Open(directory_ / "journal", {.mode = OpenMode::kCreate, .direct = true});
  ASSERT_TRUE(file.ok());
  // A file system that refuses O_DIRECT gets neither flag: writes are synced instead.
  int flags = fcntl((*file)->descriptor(), F_GETFL);
  EXPECT_EQ(flags & (O_DIRECT | O_DSYNC), (*file)->is_direct() ? O_DIRECT | O_DSYNC : 0);
}

TEST_F(RealFiles, DirectReadStopsAtAnOddEnd) {
  auto path = directory_ / "file";
  ASSERT_TRUE(WriteFileAtomically(*files_, path, std::string(kDirectAlignment + 100, 'y')).ok());
  auto file = files_->Open(path, {.mode = OpenMode::kReadWrite, .direct = true});
  ASSERT_TRUE(file.ok());
  AlignedBytes to(3 * kDirectAlignment);
  auto n = (*file)->Read(0, to.span());
  ASSERT_TRUE(n.ok()) << n.error().ToString();
  EXPECT_EQ(*n, kDirectAlignment + 100);
}

// Programmer's errors end the process, with and without O_DIRECT, so that no machine hides them.
TEST_F(RealFiles, UnalignedDirectWriteIsRefused) {
  for (bool allowed : {true, false}) {
    auto files = MakeRealFileSystem({.direct_allowed = allowed});
    auto file = files->Open(directory_ / "journal", {.mode = OpenMode::kCreateOrOpen, .direct = true});
    ASSERT_TRUE(file.ok());
    AlignedBytes page(2 * kDirectAlignment);
    EXPECT_DEATH((void)(*file)->Write(1, page.view()).ok(), "kDirectAlignment");
    EXPECT_DEATH((void)(*file)->Write(0, page.view().substr(0, kDirectAlignment - 1)).ok(), "kDirectAlignment");
    EXPECT_DEATH((void)(*file)->Write(0, page.view().substr(0, kDirectAlignment + 1)).ok(), "kDirectAlignment");
    EXPECT_DEATH((void)(*file)->Write(0, page.view().substr(1, kDirectAlignment)).ok(), "aligned");
  }
}

TEST_F(RealFiles, EveryDescriptorIsClosedOnExec) {
  auto file = files_->Open(directory_ / "file", {.mode = OpenMode::kCreate});
  auto unnamed = files_->OpenUnnamed(directory_.path());
  ASSERT_TRUE(file.ok() && unnamed.ok());
  EXPECT_NE(fcntl((*file)->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(fcntl((*unnamed)->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(RealFiles, ErrorNamesCallPathAndReason) {
  auto path = directory_ / "missing/file";
  auto file = files_->Open(path, {.mode = OpenMode::kCreate});
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(file.error().message, "open \"" + path + "\": no such file or directory");
}

TEST_F(RealFiles, FullDiskIsExhausted) {
  auto file = files_->Open("/dev/full", {.mode = OpenMode::kReadWrite});
  ASSERT_TRUE(file.ok());
  auto written = (*file)->Write(0, "x");
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().code, ErrorCode::kExhausted);
  EXPECT_EQ(written.error().message, "write \"/dev/full\": no space left on device");
}

TEST_F(RealFiles, LockTellsItsHolder) {
  auto path = directory_ / "LOCK";
  auto held = files_->Lock(path);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(ReadFile(*files_, path).value(), std::to_string(getpid()) + "\n");
  auto second = files_->Lock(path);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().message.find("process " + std::to_string(getpid())), std::string::npos);
}

TEST_F(RealFiles, RemoveTreeDoesNotFollowLinks) {
  ASSERT_TRUE(files_->CreateDirectories(directory_ / "kept").ok());
  ASSERT_TRUE(WriteFileAtomically(*files_, directory_ / "kept/file", "x").ok());
  ASSERT_TRUE(files_->CreateDirectories(directory_ / "gone").ok());
  ASSERT_EQ(symlink((directory_ / "kept").c_str(), (directory_ / "gone/link").c_str()), 0);
  ASSERT_TRUE(RemoveTree(*files_, directory_ / "gone").ok());
  EXPECT_TRUE(Exists(*files_, directory_ / "kept/file").value());
}

TEST(SystemErrors, MapToWhatTheCallerDoes) {
  EXPECT_EQ(SystemErrorCode(ENOENT), ErrorCode::kNotFound);
  EXPECT_EQ(SystemErrorCode(EEXIST), ErrorCode::kExists);
  EXPECT_EQ(SystemErrorCode(ENOSPC), ErrorCode::kExhausted);
  EXPECT_EQ(SystemErrorCode(EDQUOT), ErrorCode::kExhausted);
  EXPECT_EQ(SystemErrorCode(EMFILE), ErrorCode::kExhausted);
  EXPECT_EQ(SystemErrorCode(EROFS), ErrorCode::kInvalid);
  EXPECT_EQ(SystemErrorCode(EACCES), ErrorCode::kInvalid);
  EXPECT_EQ(SystemErrorCode(EIO), ErrorCode::kIo);
  EXPECT_EQ(SystemError("sync", "", EIO).message, "sync: input/output error");
}

}  // namespace
}  // namespace sluice::io
