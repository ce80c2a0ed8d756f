// SPDX-License-Identifier: Apache-2.0
//
// A bad history for each anomaly, made by hand: a checker that cannot fail proves nothing. And good ones that look suspicious.
#include "checker.h"

#include <gtest/gtest.h>

#include "history_text.h"

namespace sluice::history {
namespace {

// The names of what is wrong with a history, in the order of the enum, each once.
std::string Judge(const std::string& text) {
  auto history = ParseHistory(text);
  if (!history.ok()) return history.error().ToString();
  std::vector<bool> found(kAnomalyKindCount);
  for (auto& anomaly : Check(*history)) found[static_cast<size_t>(anomaly.kind)] = true;
  std::string names;
  for (int i = 0; i < kAnomalyKindCount; i++)
    if (found[static_cast<size_t>(i)]) names += (names.empty() ? "" : " ") + std::string(AnomalyKindName(static_cast<AnomalyKind>(i)));
  return names;
}

std::string Sent(int at, int until, const std::string& ids, const std::string& places = "") {
  return R"({"do":"send","at":)" + std::to_string(at) + R"(,"until":)" + std::to_string(until) +
         R"(,"client":"a","outcome":"acknowledged","events":[)" + ids + "]" + (places.empty() ? "" : ",\"places\":[" + places + "]") +
         "}\n";
}
std::string Unknown(int at, const std::string& ids) {
  return R"({"do":"send","at":)" + std::to_string(at) + R"(,"client":"a","outcome":"unknown","events":[)" + ids + "]}\n";
}
std::string Seen(int at, const std::string& rows, const std::string& more = "", const std::string& from = "") {
  return R"({"do":"read","at":)" + std::to_string(at) + R"(,"until":)" + std::to_string(at + 1) + R"(,"reader":"sql")" + more +
         R"(,"topics":{"t":{)" + from + R"("rows":[)" + rows + "]}}}\n";
}
const char* const kA = R"(["a","t"])";
const char* const kB = R"(["b","t"])";
const char* const kAB = R"(["a","t"],["b","t"])";
const char* const kMayLag = R"(,"may_lag":true)";

TEST(GoodHistory, EmptyOneIsGood) { EXPECT_EQ(Judge(""), ""); }

TEST(GoodHistory, AcknowledgedEventsAreReadAtTheirPlaces) {
  EXPECT_EQ(Judge(Sent(1, 2, kAB, "[0,0],[0,1]") + Sent(3, 4, R"(["c","t"])", "[1,0]") + Seen(5, R"([0,0,"a"],[0,1,"b"],[1,0,"c"])")), "");
}

TEST(GoodHistory, UnknownRequestIsThereOrNot) {
  EXPECT_EQ(Judge(Unknown(1, kAB) + Seen(5, R"([0,0,"a"],[0,1,"b"])")), "");
  EXPECT_EQ(Judge(Unknown(1, kAB) + Seen(5, "")), "");
  EXPECT_EQ(Judge(Unknown(1, kAB) + Seen(3, "") + Seen(5, R"([0,0,"a"],[0,1,"b"])")), "")
      << "its answer got lost, and it was still on its way";
}

TEST(GoodHistory, ReadBesideSendShowsItOrNot) {
  EXPECT_EQ(Judge(Sent(1, 9, kA) + Seen(3, "")), "");
  EXPECT_EQ(Judge(Sent(1, 9, kA) + Seen(3, R"([0,0,"a"])")), "");
}

TEST(GoodHistory, RepeatedRequestKeepsItsFirstPlace) {
  EXPECT_EQ(Judge(Unknown(1, kA) + Sent(3, 4, kB, "[0,1]") + Sent(5, 6, kA, "[0,0]") + Seen(7, R"([0,0,"a"],[0,1,"b"])")), "")
      << "a came before b, when it was sent first";
}

TEST(GoodHistory, ConcurrentRequestsStandInAnyOrder) {
  EXPECT_EQ(Judge(Sent(1, 5, kA) + Sent(2, 4, kB) + Seen(6, R"([0,0,"b"],[0,1,"a"])")), "");
}

TEST(GoodHistory, RefusedEventMayBeSentAgain) {
  const std::string refused = R"({"do":"send","at":1,"until":2,"client":"a","outcome":"refused","events":[["a","t"]]})"
                              "\n";
  EXPECT_EQ(Judge(refused + Seen(3, "") + Sent(4, 5, kA) + Seen(6, R"([0,0,"a"])")), "");
}

TEST(GoodHistory, ReadThatMayLagLacksTheNewest) {
  EXPECT_EQ(Judge(Sent(1, 2, kAB) + Seen(5, "", kMayLag) + Seen(7, R"([0,0,"a"])", kMayLag) + Seen(9, R"([0,0,"a"],[0,1,"b"])")), "");
}

TEST(GoodHistory, ReadFromAnOffsetNeedNotShowWhatStandsBefore) {
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, R"([0,0,"a"])") + Sent(4, 5, kB) + Seen(6, R"([0,1,"b"])", "", R"("from":{"0":1},)")), "");
  EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,0]") + Seen(3, "", "", R"("from":{"0":1},)")), "");
}

TEST(GoodHistory, OneIdInTwoTopicsIsTwoEvents) {
  EXPECT_EQ(Judge(Sent(1, 2, R"(["a","t"],["a","u"])") +
                  R"({"do":"read","at":3,"until":4,"reader":"sql","topics":{"t":{"rows":[[0,0,"a"]]},"u":{"rows":[[0,0,"a"]]}}})"),
            "");
}

TEST(BadHistory, LostIsAcknowledgedAndNowhere) {
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, "")), "lost");
  EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,0]") + Seen(3, "")), "lost");
}

TEST(BadHistory, LostIsFoundBehindAnOffset) {
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, R"([0,0,"a"])") + Sent(4, 5, kB) + Seen(6, "", "", R"("from":{"0":1},)")), "lost");
}

TEST(BadHistory, StaleIsMissingInOneReadOnly) { EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, "") + Seen(5, R"([0,0,"a"])")), "stale"); }

TEST(BadHistory, DuplicateHasTwoRows) {
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, R"([0,0,"a"],[0,0,"a"])")), "duplicate");
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Seen(3, R"([0,0,"a"],[0,1,"a"])")), "duplicate moved");
}

TEST(BadHistory, PhantomWasNotSentBeforeTheReadWasOver) {
  EXPECT_EQ(Judge(Seen(3, R"([0,0,"x"])")), "phantom");
  EXPECT_EQ(Judge(Seen(3, R"([0,0,"a"])") + Sent(5, 6, kA)), "phantom");
}

TEST(BadHistory, RefusedEventHasARow) {
  EXPECT_EQ(Judge(R"({"do":"send","at":1,"until":2,"client":"a","outcome":"refused","events":[["a","t"]]})"
                  "\n" +
                  Seen(3, R"([0,0,"a"])")),
            "refused");
}

TEST(BadHistory, GapIsAMissingOffset) {
  EXPECT_EQ(Judge(Unknown(1, kA) + Seen(3, R"([0,1,"a"])")), "gap");
  EXPECT_EQ(Judge(Unknown(1, kA) + Unknown(1, kB) + Seen(3, R"([0,0,"a"],[0,2,"b"])", kMayLag)), "gap") << "a lake is a prefix, too";
  EXPECT_EQ(Judge(Unknown(1, kA) + Seen(3, R"([0,0,"a"])", "", R"("from":{"0":1},)")), "gap") << "what was not asked for";
}

TEST(BadHistory, BackwardsEndsBeforeAnEarlierRead) {
  EXPECT_EQ(Judge(Unknown(1, kA) + Seen(3, R"([0,0,"a"])") + Seen(5, "")), "backwards")
      << "nobody had acknowledged it, but somebody had read it";
  EXPECT_EQ(Judge(Unknown(1, kA) + Seen(3, R"([0,0,"a"])", kMayLag) + Seen(5, "", kMayLag)), "backwards");
}

TEST(BadHistory, MovedStandsElsewhereThanItsAnswerSaid) {
  EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,1]") + Unknown(1, kB) + Seen(3, R"([0,0,"a"],[0,1,"b"])")), "moved place-twice");
  EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,0]") + Sent(3, 4, kA, "[1,0]")), "moved");
}

TEST(BadHistory, PlaceTwiceNamesTwoEvents) { EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,0]") + Sent(3, 4, kB, "[0,0]")), "place-twice"); }

TEST(BadHistory, ChangedRowIsNotWhatWasSent) {
  EXPECT_EQ(Judge(Sent(1, 2, R"(["a","t","one"])") + Seen(3, R"([0,0,"a","two"])")), "changed");
}

TEST(BadHistory, TornRequestIsShownInPart) {
  EXPECT_EQ(Judge(Unknown(1, kAB) + Seen(3, R"([0,0,"a"])")), "torn-request");
  EXPECT_EQ(Judge(Unknown(1, R"(["a","t"],["a","u"])") +
                  R"({"do":"read","at":3,"until":4,"reader":"sql","topics":{"t":{"rows":[[0,0,"a"]]},"u":{"rows":[]}}})"),
            "torn-request")
      << "a statement sees one prefix of the log in all its tables";
}

TEST(BadHistory, ReorderedStandsBeforeWhatWasAnsweredBeforeItWasSent) {
  EXPECT_EQ(Judge(Sent(1, 2, kA) + Sent(3, 4, kB) + Seen(5, R"([0,0,"b"],[0,1,"a"])")), "reordered");
  EXPECT_EQ(Judge(Sent(1, 2, kA, "[0,1]") + Sent(3, 4, kB, "[0,0]")), "reordered") << "answers alone show it";
}

TEST(BadHistory, RequestOrderIsNotThatOfTheRequest) {
  EXPECT_EQ(Judge(Sent(1, 2, kAB) + Seen(3, R"([0,0,"b"],[0,1,"a"])")), "request-order");
}

TEST(BadHistory, NamesWhatIsWrongAndReportsAFewOfEachKind) {
  std::string text;
  for (int i = 0; i < 9; i++) text += Sent(1, 2, R"(["e)" + std::to_string(i) + R"(","t"])");
  const auto found = Check(*ParseHistory(text + Seen(3, "")), 3);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].what, "event \"e0\" of t, acknowledged at 2, is not in sql read at 3");
}

}  // namespace
}  // namespace sluice::history
