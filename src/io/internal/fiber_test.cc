// SPDX-License-Identifier: Apache-2.0
#include "io/internal/fiber.h"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::io {
namespace {

TEST(Fiber, RunsInTurnsAndKeepsItsStack) {
  Fiber outside;
  std::string trace;
  Fiber* other = nullptr;
  Fiber first([&] {
    for (char c : std::string("ace")) trace += c, first.SwitchTo(*other);
    first.EndBySwitchTo(outside);
  });
  Fiber second([&] {
    for (char c : std::string("bdf")) trace += c, second.SwitchTo(first);
    second.EndBySwitchTo(outside);
  });
  other = &second;
  outside.SwitchTo(first);
  EXPECT_EQ(trace, "abcdef");
  outside.SwitchTo(second);
}

// Goal: an exception on its way belongs to the fiber that threw it.
// Method: one fiber is left in a destructor that runs while its stack unwinds, and in a handler; meanwhile others throw, too.
TEST(Fiber, ExceptionsOnTheirWayStayWithTheirFiber) {
  Fiber outside;
  std::vector<int> in_flight;
  std::string caught;
  struct LeavesWhileItDies {
    Fiber &self, &outside;
    ~LeavesWhileItDies() { self.SwitchTo(outside); }
  };
  Fiber fiber([&] {
    try {
      LeavesWhileItDies guard{fiber, outside};
      throw std::runtime_error("of the fiber");
    } catch (const std::exception&) {
      fiber.SwitchTo(outside);
      try {
        throw;
      } catch (const std::exception& e) { caught = e.what(); }
    }
    in_flight.push_back(std::uncaught_exceptions());
    fiber.EndBySwitchTo(outside);
  });
  auto fails_outside = [&] {
    in_flight.push_back(std::uncaught_exceptions());
    try {
      throw std::logic_error("of the thread");
    } catch (const std::exception& e) { EXPECT_STREQ(e.what(), "of the thread"); }
    EXPECT_EQ(std::current_exception(), nullptr);
  };
  outside.SwitchTo(fiber);  // it stands in the destructor
  fails_outside();
  outside.SwitchTo(fiber);  // in the handler
  fails_outside();
  outside.SwitchTo(fiber);
  EXPECT_EQ(caught, "of the fiber");
  EXPECT_EQ(in_flight, (std::vector<int>{0, 0, 0}));
}

int Dig(int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return depth < 10'000 ? Dig(depth + 1) + room[0] : 0;
}

TEST(Fiber, EndsTheProgramWhenItsStackIsTooSmall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto dig = [] {
    Fiber outside;
    Fiber deep([&] {
      Dig(0);
      deep.EndBySwitchTo(outside);
    });
    outside.SwitchTo(deep);
  };
  EXPECT_EXIT(
      dig(), [](int status) { return status != 0; }, "");
}

}  // namespace
}  // namespace sluice::io
