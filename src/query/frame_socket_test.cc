// SPDX-License-Identifier: Apache-2.0
#include "query/frame_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/env.h"

namespace sluice::query {
namespace {

struct Ends {
  io::RealWorld world{io::LogLevel::kError};
  io::Env env = world.env();
  std::pair<OwnedDescriptor, OwnedDescriptor> pair = std::move(*FrameSocket::Pair());
};

TEST(FrameSocket, CarriesFramesWithDescriptors) {
  Ends ends;
  FrameSocket a(ends.pair.first.Release(), &ends.env.clock), b(ends.pair.second.Release(), &ends.env.clock);
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  ASSERT_TRUE(a.Send(MessageType::kBind, 7, "hello").ok());
  ASSERT_TRUE(a.Send(MessageType::kOpened, 8, "", pipe_ends[1]).ok());
  Frame frame;
  ASSERT_EQ(b.Receive(frame, 1'000'000), ReceiveStatus::kFrame);
  EXPECT_EQ(frame.header.type, MessageType::kBind);
  EXPECT_EQ(frame.header.statement, 7u);
  EXPECT_EQ(frame.payload, "hello");
  EXPECT_EQ(frame.descriptor.get(), -1);
  ASSERT_EQ(b.Receive(frame, 1'000'000), ReceiveStatus::kFrame);
  ASSERT_GE(frame.descriptor.get(), 0);
  ASSERT_EQ(write(frame.descriptor.get(), "x", 1), 1);
  char c = 0;
  EXPECT_EQ(read(pipe_ends[0], &c, 1), 1);
  EXPECT_EQ(c, 'x');
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(FrameSocket, WaitsNoLongerThanTold) {
  Ends ends;
  FrameSocket a(ends.pair.first.Release(), &ends.env.clock), b(ends.pair.second.Release(), &ends.env.clock);
  Frame frame;
  EXPECT_EQ(b.Receive(frame, 1'000), ReceiveStatus::kNothing);
  auto bell = ends.env.threads.NewSignal();
  bell->Notify();
  EXPECT_EQ(b.Receive(frame, -1, bell->descriptor()), ReceiveStatus::kNothing) << "a bell ends the wait";
}

// Goal: a worker that stops in the middle of a frame does not block its server.
// Method: send a frame a few bytes at a time; every call before the last answers "nothing yet".
TEST(FrameSocket, PutsPartsTogether) {
  Ends ends;
  int raw = ends.pair.first.get();
  FrameSocket b(ends.pair.second.Release(), &ends.env.clock);
  FrameHeader header{100, MessageType::kResult, 0, 3};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += std::string(100, 'p');
  Frame frame;
  for (size_t at = 0; at < bytes.size(); at += 7) {
    EXPECT_EQ(b.Receive(frame, 100), ReceiveStatus::kNothing);
    auto part = bytes.substr(at, 7);
    ASSERT_EQ(send(raw, part.data(), part.size(), 0), static_cast<ssize_t>(part.size()));
  }
  ASSERT_EQ(b.Receive(frame, 1'000'000), ReceiveStatus::kFrame);
  EXPECT_EQ(frame.payload, std::string(100, 'p'));
}

TEST(FrameSocket, BrokenPeersAreClosed) {
  for (auto header : {FrameHeader{static_cast<uint32_t>(kFrameBytesMax) + 1, MessageType::kResult, 0, 1}, FrameHeader{0, MessageType::kResult, 1, 1}, FrameHeader{0, MessageType::kResult, 2, 1}}) {
    Ends ends;
    FrameSocket b(ends.pair.second.Release(), &ends.env.clock);
    ASSERT_EQ(send(ends.pair.first.get(), &header, sizeof header, 0), static_cast<ssize_t>(sizeof header));
    Frame frame;
    EXPECT_EQ(b.Receive(frame, 1'000'000), ReceiveStatus::kClosed) << header.bytes << " bytes, " << header.descriptors << " descriptors";
  }
  Ends ends;
  FrameSocket b(ends.pair.second.Release(), &ends.env.clock);
  { OwnedDescriptor gone(ends.pair.first.Release()); }
  Frame frame;
  EXPECT_EQ(b.Receive(frame, 1'000'000), ReceiveStatus::kClosed);
  EXPECT_FALSE(b.Send(MessageType::kCancel, 1, "").ok());
}

TEST(FrameSocket, RefusesFramesBeyondTheBound) {
  Ends ends;
  FrameSocket a(ends.pair.first.Release(), &ends.env.clock);
  EXPECT_EQ(a.Send(MessageType::kResult, 1, std::string(kFrameBytesMax + 1, 'x')).error().code, ErrorCode::kExhausted);
}

}  // namespace
}  // namespace sluice::query
