// SPDX-License-Identifier: Apache-2.0
#include "io/input_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/env.h"
#include "io/test_directory.h"

namespace sluice::io {
namespace {

class InputStreamTest : public testing::Test {
 protected:
  RealWorld world_{LogLevel::kError};
  TestDirectory directory_{world_.env().files};
};

bool IsReadable(const InputStream& stream) {
  pollfd wait{stream.descriptor(), POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

std::string ReadText(InputStream& stream) {
  char bytes[64];
  auto got = stream.Read(bytes);
  return got.ok() ? std::string(bytes, *got) : got.error().ToString();
}

TEST_F(InputStreamTest, AFileIsReadInOrderAndKnowsItsSize) {
  const Path path = directory_ / "file";
  ASSERT_TRUE(WriteFileAtomically(world_.env().files, path, "abc").ok());
  auto stream = InputStream::Open(path).value();
  EXPECT_EQ(stream->bytes_total(), 3u);
  EXPECT_TRUE(IsReadable(*stream));
  char two[2];
  EXPECT_EQ(stream->Read(two).value(), 2u);
  EXPECT_EQ(ReadText(*stream), "c");
  EXPECT_EQ(stream->Read(two).value(), 0u);
}

TEST_F(InputStreamTest, AFifoIsOpenedBeforeItsWriterAndEndsWithIt) {
  const Path path = directory_ / "fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  auto stream = InputStream::Open(path).value();
  EXPECT_EQ(stream->bytes_total(), 0u);
  EXPECT_FALSE(IsReadable(*stream));
  const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  char byte;
  EXPECT_EQ(stream->Read({&byte, 1}).error().code, ErrorCode::kUnavailable);
  ASSERT_EQ(write(writer, "x", 1), 1);
  EXPECT_TRUE(IsReadable(*stream));
  EXPECT_EQ(ReadText(*stream), "x");
  close(writer);
  EXPECT_TRUE(IsReadable(*stream));
  EXPECT_EQ(ReadText(*stream), "");
}

TEST_F(InputStreamTest, WhatCannotBeReadIsSaidWhenItIsOpened) {
  EXPECT_EQ(InputStream::Open(directory_ / "nothing").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(InputStream::Open(directory_.path()).error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace sluice::io
