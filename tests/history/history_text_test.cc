// SPDX-License-Identifier: Apache-2.0
#include "history_text.h"

#include <gtest/gtest.h>

namespace sluice::history {
namespace {

TEST(HistoryText, HoldsAllThatTheCheckerAsksFor) {
  const auto history = ParseHistory(
      R"({"do":"send","at":1,"until":2,"client":"c","outcome":"acknowledged","events":[["a","t","content"]],"places":[[3,12]]})"
      "\n\n"
      R"({"do":"read","at":3,"until":4,"reader":"lake","may_lag":true,"topics":{"t":{"from":{"3":12},"rows":[[3,12,"a","content"]]}}})"
      "\n"
      R"({"do":"mark","at":5,"what":"kill"})");
  ASSERT_TRUE(history.ok()) << history.error().ToString();
  const Send& send = history->sends.at(0);
  EXPECT_EQ(send.client, "c");
  EXPECT_EQ(send.events.at(0).content, "content");
  EXPECT_EQ(send.places.at(0), (Place{3, 12}));
  const Read& read = history->reads.at(0);
  EXPECT_TRUE(read.may_lag);
  EXPECT_EQ(read.topics.at("t").from.at(3), 12);
  EXPECT_EQ(read.topics.at("t").rows.at(0).place, (Place{3, 12}));
  EXPECT_EQ(history->marks.at(0).what, "kill");
}

TEST(HistoryText, RefusesWhatItCannotJudge) {
  for (const char* line :
       {"nothing", "{}", R"({"do":"dance","at":1})", R"({"do":"send","at":1,"client":"c","outcome":"maybe","events":[]})",
        R"({"do":"send","at":5,"until":4,"client":"c","outcome":"unknown","events":[]})",
        R"({"do":"send","at":1,"client":"c","outcome":"acknowledged","events":[]})",
        R"({"do":"send","at":1,"until":2,"client":"c","outcome":"unknown","events":[["a","t"]],"places":[[0,0]]})",
        R"({"do":"send","at":1,"until":2,"client":"c","outcome":"acknowledged","events":[["a","t"]],"places":[[0,0],[0,1]]})",
        R"({"do":"send","at":1,"until":2,"client":"c","outcome":"acknowledged","events":[["a"]]})",
        R"({"do":"read","at":1,"reader":"sql","topics":{}})",
        R"({"do":"read","at":1,"until":2,"reader":"sql","topics":{"t":{"rows":[[0,"a"]]}}})",
        R"({"do":"read","at":1,"until":2,"reader":"sql","topics":{"t":{"from":{"x":1},"rows":[]}}})"}) {
    const auto history = ParseHistory(std::string(R"({"do":"mark","at":5,"what":"kill"})") + "\n" + line);
    ASSERT_FALSE(history.ok()) << line;
    EXPECT_NE(history.error().message.find("line 2"), std::string::npos) << history.error().message;
  }
}

}  // namespace
}  // namespace sluice::history
