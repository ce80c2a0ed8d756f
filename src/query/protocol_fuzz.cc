// SPDX-License-Identifier: Apache-2.0
//
// Frames of a worker, which the server does not trust. The first byte chooses the payload; what is decoded is encoded again and must
// decode to the same.

#include "base/check.h"
#include "base/fuzz_target.h"
#include "query/protocol.h"

namespace sluice::query {
namespace {

template <class Decode>
void CheckSame(Decode decode, std::string_view bytes) {
  auto decoded = decode(bytes);
  if (!decoded.ok()) return;
  std::string written = Encode(*decoded);
  auto again = decode(written);
  CHECK(again.ok() && Encode(*again) == written, "what was read can be written and reads the same");
}

void Run(std::string_view input) {
  base::FormedInput formed(input, 9);
  switch (formed.form) {
    case 0: return CheckSame(DecodeQuery, formed.text);
    case 1: return CheckSame(DecodeTables, formed.text);
    case 2: return CheckSame(DecodeBind, formed.text);
    case 3: return CheckSame(DecodeBound, formed.text);
    case 4: return CheckSame(DecodeScan, formed.text);
    case 5: return CheckSame(DecodeScanned, formed.text);
    case 6: return CheckSame(DecodeOpened, formed.text);
    case 7: {
      auto number = DecodeNumber(formed.text);
      if (number.ok()) CHECK(EncodeNumber(*number) == formed.text, "what was decoded is what was sent");
      return;
    }
    default: return CheckSame(DecodeDone, formed.text);
  }
}

std::vector<std::string> Seeds() {
  auto form = [](char n, const std::string& bytes) { return std::string(1, n) + bytes; };
  iceberg::NestedField id{1, "id", iceberg::TypeId::kString, true}, map{2, "m", iceberg::Type::Map(3, iceberg::TypeId::kString, 4, iceberg::TypeId::kLong, false)};
  BoundMessage bound, failed;
  bound.status = BoundStatus::kFound;
  bound.table.columns = {id, map};
  bound.table.aliases = {{"event_id", 0}};
  bound.table.rows = 11;
  failed.status = BoundStatus::kFailed;
  failed.error = {QueryErrorKind::kUnavailable, "m", 3, "h"};
  ScanMessage scan{5, {{1, iceberg::FilterOp::kEqual, {true}}, {3, iceberg::FilterOp::kLessEqual, {1.5f}}, {5, iceberg::FilterOp::kGreaterEqual, {iceberg::Int128(-7)}},
                       {6, iceberg::FilterOp::kIn, {std::string("a"), std::string("b")}}, {7, iceberg::FilterOp::kIsNull, {}}}};
  ScannedMessage scanned;
  scanned.more = true;
  scanned.files = {{1, true, 100, 5, 0, 0, 5, {}}, {2, false, 1000, 50, 77, 0, 0, {1, 2, 40}}};
  DoneMessage done, broken;
  done.rows = 7;
  broken.error = QueryError{QueryErrorKind::kSyntax, "no", 4, ""};
  broken.damaged_file = 2;
  return {form(0, Encode(QueryMessage{"SELECT $1", {std::monostate(), true, int64_t{-1}, 0.5, std::string("x")}})), form(1, Encode(std::vector<TableName>{{"bronze", "events"}})),
          form(2, Encode(BindMessage{"bronze", "events__lake", std::nullopt})), form(3, Encode(bound)), form(3, Encode(failed)), form(3, Encode(BoundMessage{})),
          form(4, Encode(scan)), form(5, Encode(scanned)), form(6, Encode(std::optional<QueryError>())), form(6, Encode(broken.error)), form(7, EncodeNumber(42)),
          form(8, Encode(done)), form(8, Encode(broken))};
}

const base::FuzzRegistration kRegistration({"worker_protocol", Run, Seeds});

}  // namespace
}  // namespace sluice::query
