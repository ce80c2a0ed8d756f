// SPDX-License-Identifier: Apache-2.0
#include "ingest/request_decoder.h"

#include <string>
#include <utility>

#include "base/check.h"

namespace sluice::ingest {
namespace {

constexpr size_t kInflatedBytesKept = size_t{1} << 20;

IngestStatus StatusOf(event::DecodeStatus status) {
  switch (status) {
    case event::DecodeStatus::kOk: return IngestStatus::kTaken;
    case event::DecodeStatus::kMalformed: return IngestStatus::kMalformed;
    case event::DecodeStatus::kTooLarge: return IngestStatus::kTooLarge;
    case event::DecodeStatus::kUnsupportedType: return IngestStatus::kUnsupportedType;
    case event::DecodeStatus::kInvalidEvents: return IngestStatus::kInvalidEvents;
  }
  base::CheckFailed(__FILE__, __LINE__, "status", "a decode status without a meaning");
}

}  // namespace

IngestOutcome Refuse(IngestStatus status, std::string message, std::string hint) {
  IngestOutcome out;
  out.status = status;
  out.message = std::move(message);
  out.hint = std::move(hint);
  return out;
}

RequestDecoder::RequestDecoder(const event::DecodeLimits& limits) : decoder_(limits), inflater_(limits.body_bytes_max) {}

Result<std::string_view> RequestDecoder::DecodedBody(const IngestRequest& request, IngestOutcome& outcome) {
  auto encoding = ParseContentEncoding(request.content_encoding);
  if (!encoding.ok()) {
    outcome = Refuse(IngestStatus::kUnsupportedEncoding, encoding.error().message, encoding.error().hint);
    return encoding.error();
  }
  if (*encoding == ContentEncoding::kIdentity) return request.body;
  auto body = inflater_.Inflate(*encoding, request.body);
  if (!body.ok())
    outcome = Refuse(body.error().code == ErrorCode::kExhausted ? IngestStatus::kTooLarge : IngestStatus::kMalformedEncoding,
                     body.error().message, body.error().hint);
  return body;
}

IngestOutcome RequestDecoder::Decode(const IngestRequest& request) {
  batch_.Reset({});
  draft_.Clear();
  IngestOutcome outcome;
  auto body = DecodedBody(request, outcome);
  if (!body.ok()) return outcome;
  auto decoded = decoder_.Decode({request.content_type, request.headers, *body}, batch_);
  outcome.rejected = batch_.rejected_count();
  outcome.status = StatusOf(decoded.status);
  if (outcome.status == IngestStatus::kInvalidEvents && request.lenient) outcome.status = IngestStatus::kTaken;
  if (!outcome.ok()) {
    outcome.message = std::move(decoded.message);
    outcome.hint = std::move(decoded.hint);
  }
  return outcome;
}

void RequestDecoder::Trim() {
  batch_.Reset({});
  draft_.Clear();
  inflater_.Trim(kInflatedBytesKept);
}

}  // namespace sluice::ingest
