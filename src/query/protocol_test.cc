// SPDX-License-Identifier: Apache-2.0
#include "query/protocol.h"

#include <gtest/gtest.h>

#include <functional>

namespace sluice::query {
namespace {

// Goal: no prefix of a message and no byte more is taken for one; nothing crashes on changed bytes.
// Method: cut at every byte, append one, flip every byte.
template <class Decode>
void ExpectStrict(const std::string& bytes, Decode decode) {
  ASSERT_TRUE(decode(bytes).ok());
  for (size_t n = 0; n < bytes.size(); n++) EXPECT_FALSE(decode(std::string_view(bytes).substr(0, n)).ok()) << "cut at " << n;
  EXPECT_FALSE(decode(bytes + "x").ok());
  for (size_t i = 0; i < bytes.size(); i++) {
    auto changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x80);
    (void)decode(changed).ok();
  }
}

TEST(Protocol, QueryComesBack) {
  QueryMessage message{"SELECT $1", {std::monostate(), true, int64_t{-5}, 2.5, std::string("a\0b", 3)}};
  auto back = DecodeQuery(Encode(message));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->sql, message.sql);
  EXPECT_EQ(back->parameters, message.parameters);
  ExpectStrict(Encode(message), DecodeQuery);
}

TEST(Protocol, TablesComeBack) {
  auto bytes = Encode(std::vector<TableName>{{"bronze", "events"}, {"silver", ""}});
  auto back = DecodeTables(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->at(0).name, "events");
  EXPECT_EQ(back->at(1).schema, "silver");
  ExpectStrict(bytes, DecodeTables);
}

TEST(Protocol, BindComesBackWithItsVersion) {
  for (auto version :
       {std::optional<VersionRequest>(), std::optional<VersionRequest>(int64_t{7}), std::optional<VersionRequest>(Timestamp{9})}) {
    auto bytes = Encode(BindMessage{"bronze", "events__hot", version});
    auto back = DecodeBind(bytes);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->version, version);
    EXPECT_EQ(back->name, "events__hot");
    ExpectStrict(bytes, DecodeBind);
  }
}

BoundMessage FoundTable() {
  BoundMessage out;
  out.status = BoundStatus::kFound;
  out.table.handle = 3;
  out.table.part = TablePart::kLake;
  iceberg::NestedField id;
  id.id = 1;
  id.name = "id";
  id.type = iceberg::TypeId::kString;
  id.required = true;
  iceberg::NestedField map;
  map.id = 2;
  map.name = "extensions";
  map.type = iceberg::Type::Map(3, iceberg::TypeId::kString, 4, iceberg::TypeId::kString, false);
  out.table.columns = {id, map};
  out.table.aliases = {{"event_id", 0}};
  out.table.rows = 11;
  return out;
}

TEST(Protocol, BoundComesBack) {
  auto back = DecodeBound(Encode(FoundTable()));
  ASSERT_TRUE(back.ok()) << back.error().ToString();
  EXPECT_EQ(back->table.columns, FoundTable().table.columns);
  EXPECT_EQ(back->table.aliases[0].name, "event_id");
  EXPECT_EQ(back->table.rows, 11);
  EXPECT_EQ(back->table.part, TablePart::kLake);
  ExpectStrict(Encode(FoundTable()), DecodeBound);
  ExpectStrict(Encode(BoundMessage{}), DecodeBound);
  BoundMessage failed;
  failed.status = BoundStatus::kFailed;
  failed.error = {QueryErrorKind::kUnavailable, "m", std::nullopt, "h"};
  EXPECT_EQ(DecodeBound(Encode(failed))->error.message, "m");
  ExpectStrict(Encode(failed), DecodeBound);
}

TEST(Protocol, AliasOfNoColumnIsDamage) {
  auto message = FoundTable();
  message.table.aliases[0].column = 2;
  EXPECT_FALSE(DecodeBound(Encode(message)).ok());
}

ScanMessage AllFilters() {
  return {5,
          {{1, iceberg::FilterOp::kEqual, {true}},
           {2, iceberg::FilterOp::kLess, {int64_t{3}}},
           {3, iceberg::FilterOp::kLessEqual, {1.5f}},
           {4, iceberg::FilterOp::kGreater, {2.5}},
           {5, iceberg::FilterOp::kGreaterEqual, {iceberg::Int128(-7)}},
           {6, iceberg::FilterOp::kIn, {std::string("a"), std::string("b")}},
           {7, iceberg::FilterOp::kIsNull, {}},
           {8, iceberg::FilterOp::kIsNotNull, {}}}};
}

TEST(Protocol, ScanComesBackWithEveryKindOfValue) {
  auto message = AllFilters();
  auto back = DecodeScan(Encode(message));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->handle, 5u);
  ASSERT_EQ(back->filters.size(), message.filters.size());
  for (size_t i = 0; i < message.filters.size(); i++) {
    EXPECT_EQ(back->filters[i].field_id, message.filters[i].field_id);
    EXPECT_EQ(back->filters[i].op, message.filters[i].op);
    EXPECT_EQ(back->filters[i].values, message.filters[i].values);
  }
  ExpectStrict(Encode(message), DecodeScan);
}

TEST(Protocol, ScanHasAsManyValuesAsItsOperatorTakes) {
  auto scan = [](iceberg::FilterOp op, size_t values) {
    return DecodeScan(Encode(ScanMessage{0, {{1, op, std::vector<iceberg::Value>(values, int64_t{1})}}})).ok();
  };
  EXPECT_FALSE(scan(iceberg::FilterOp::kEqual, 0));
  EXPECT_FALSE(scan(iceberg::FilterOp::kEqual, 2));
  EXPECT_FALSE(scan(iceberg::FilterOp::kIsNull, 1));
  EXPECT_TRUE(scan(iceberg::FilterOp::kIn, 0));
  EXPECT_TRUE(scan(iceberg::FilterOp::kIn, kFilterValuesMax));
  EXPECT_FALSE(scan(iceberg::FilterOp::kIn, kFilterValuesMax + 1));
}

TEST(Protocol, ScanIsBounded) {
  auto scan = [](size_t filters) {
    return DecodeScan(Encode(ScanMessage{
                          0, std::vector<iceberg::ColumnFilter>(filters, iceberg::ColumnFilter{1, iceberg::FilterOp::kIsNull, {}})}))
        .ok();
  };
  EXPECT_TRUE(scan(kScanFiltersMax));
  EXPECT_FALSE(scan(kScanFiltersMax + 1));
}

TEST(Protocol, ScannedComesBack) {
  ScannedMessage message;
  message.more = true;
  message.files.push_back({9, true, 4096, 10, 0, 5, 15, {}});
  message.files.push_back({uint64_t{1} << 63, false, 77, 3, 8, 0, 0, {1, 2}});
  auto back = DecodeScanned(Encode(message));
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(back->more);
  EXPECT_EQ(back->files[0].end, 15u);
  EXPECT_EQ(back->files[1].deleted_rows, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(back->files[1].id, uint64_t{1} << 63);
  ExpectStrict(Encode(message), DecodeScanned);
}

TEST(Protocol, DoneComesBack) {
  DoneMessage message;
  message.error = QueryError{QueryErrorKind::kSyntax, "m", 4, "h"};
  message.discard = true;
  message.rows = 3;
  message.mapped_bytes = 5;
  message.damaged_file = 0;
  auto back = DecodeDone(Encode(message));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->error->position, 4u);
  EXPECT_EQ(back->error->hint, "h");
  EXPECT_TRUE(back->discard);
  EXPECT_EQ(back->mapped_bytes, 5u);
  EXPECT_EQ(back->damaged_file, uint64_t{0});
  ExpectStrict(Encode(message), DecodeDone);
  ExpectStrict(Encode(DoneMessage{}), DecodeDone);
}

TEST(Protocol, OpenedAndNumbersComeBack) {
  EXPECT_EQ(*DecodeNumber(EncodeNumber(7)), 7u);
  ExpectStrict(EncodeNumber(7), DecodeNumber);
  EXPECT_FALSE(DecodeOpened(Encode(std::optional<QueryError>()))->has_value());
  auto refused = Encode(std::optional(QueryError{QueryErrorKind::kUnavailable, "gone", std::nullopt, ""}));
  EXPECT_EQ((*DecodeOpened(refused))->message, "gone");
  ExpectStrict(refused, DecodeOpened);
}

}  // namespace
}  // namespace sluice::query
