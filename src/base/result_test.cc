// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace sluice {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::kInvalid, "\"" + std::to_string(n) + "\" is odd", "use an even number"};
  return n / 2;
}
Result<int> Quarter(int n) {
  ASSIGN_OR_RETURN(int half, Half(n));
  ASSIGN_OR_RETURN(int quarter, Half(half));
  return quarter;
}
Result<void> CheckQuarter(int n) {
  RETURN_IF_ERROR(Quarter(n));
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  auto good = Half(4);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 2);
  auto bad = Half(3);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bad.error().ToString(), "\"3\" is odd (use an even number)");
}

TEST(Result, MacrosPassTheErrorOn) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).error().message, "\"3\" is odd");
  EXPECT_TRUE(CheckQuarter(8).ok());
  EXPECT_EQ(CheckQuarter(7).error().message, "\"7\" is odd");
}

TEST(Result, HoldsWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(5);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

TEST(Result, MisuseEndsTheProcess) {
  auto good = Half(4);
  auto bad = Half(3);
  EXPECT_DEATH((void)bad.value(), "is odd");
  EXPECT_DEATH((void)good.error(), "holds a value");
  Result<void> nothing;
  EXPECT_DEATH((void)nothing.error(), "succeeded");
}

TEST(ErrorText, TellsFromFurtherOut) {
  Error error{ErrorCode::kIo, "read \"f\": input/output error", {}};
  EXPECT_EQ(error.ToString(), "read \"f\": input/output error");
  auto outer = error.While("opening the journal");
  EXPECT_EQ(outer.code, ErrorCode::kIo);
  EXPECT_EQ(outer.message, "while opening the journal: read \"f\": input/output error");
}

TEST(ErrorText, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int i = 0; i < kErrorCodeCount; i++) names.insert(ErrorCodeName(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kErrorCodeCount));
  EXPECT_EQ(ErrorCodeName(ErrorCode::kNotFound), "not_found");
  EXPECT_EQ(ErrorCodeName(ErrorCode::kCommitUnknown), "commit_unknown");
}

}  // namespace
}  // namespace sluice
