// SPDX-License-Identifier: Apache-2.0
#include "event/cloudevents_http.h"

#include <string>

#include "event/internal/event_draft.h"
#include "event/internal/http_header_value.h"
#include "event/internal/json_text.h"
#include "event/internal/structural_index.h"

namespace sluice::event {
namespace {

using internal::EqualsIgnoringCase;
using internal::Slot;
using internal::SlotOf;
using internal::StartsIgnoringCase;

constexpr std::string_view kHeaderPrefix = "ce-";
constexpr std::string_view kCloudEventsType = "application/cloudevents", kBatchType = "application/cloudevents-batch", kNdjsonType = "application/x-ndjson";

enum class ContentMode { kBatch, kStructured, kNdjson, kBinary, kUnknown };

// "type/subtype" without parameters and blanks around it.
std::string_view MediaTypeOf(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  size_t first = content_type.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return content_type.substr(first, content_type.find_last_not_of(" \t") - first + 1);
}

bool HasEventHeader(std::span<const HttpHeader> headers) {
  for (const HttpHeader& h : headers)
    if (StartsIgnoringCase(h.name, kHeaderPrefix)) return true;
  return false;
}

ContentMode FindContentMode(const HttpEventRequest& request) {
  std::string_view type = MediaTypeOf(request.content_type);
  auto is_json = [type](std::string_view prefix) { return type.size() == prefix.size() || EqualsIgnoringCase(type.substr(prefix.size()), "+json"); };
  if (StartsIgnoringCase(type, kBatchType)) return is_json(kBatchType) ? ContentMode::kBatch : ContentMode::kUnknown;
  if (StartsIgnoringCase(type, kCloudEventsType)) return is_json(kCloudEventsType) ? ContentMode::kStructured : ContentMode::kUnknown;
  if (EqualsIgnoringCase(type, kNdjsonType)) return ContentMode::kNdjson;
  return HasEventHeader(request.headers) ? ContentMode::kBinary : ContentMode::kUnknown;
}

DecodeOutcome Unsupported(std::string_view content_type) {
  std::string what = content_type.empty() ? "a request without content type and without ce- headers is no CloudEvent"
                                          : "content type \"" + std::string(content_type) + "\" is not supported";
  return {DecodeStatus::kUnsupportedType, std::move(what),
          "send application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, or ce-* headers with the data as body"};
}

DecodeOutcome Judge(const EventBatch& batch) {
  if (batch.rejected_count() == 0) return {};
  return {DecodeStatus::kInvalidEvents, "the event is not valid: " + batch.rejected().front().reason, {}};
}

// One ce-* header. False: its value is malformed.
bool PutHeader(const HttpHeader& header, internal::EventDraft& draft) {
  std::string name(header.name.substr(kHeaderPrefix.size())), value;
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  if (!internal::DecodeHeaderValue(header.value, value)) return false;
  EventBatch& batch = draft.batch();
  Slot slot = internal::FindSlot(name);
  bool no_header = slot == SlotOf(Attribute::kDataContentType) || slot == SlotOf(Attribute::kData) || slot == internal::kSlotDataBase64;
  if (no_header) draft.Fail(internal::PointerTo(name), "\"" + name + "\" must not be a ce- header: Content-Type and the body say it");
  else if (!internal::IsAttributeName(name)) draft.Fail(internal::PointerTo(name), "attribute names consist of lower-case letters and digits");
  else if (internal::HasForbiddenCharacter(value)) draft.Fail(internal::PointerTo(name), "attribute \"" + name + "\" must not hold control characters or noncharacters");
  if (draft.failed()) return true;
  Slice stored = batch.Store(value);
  if (slot == internal::kSlotExtension) {
    draft.PutExtension(batch.Store(name), stored);
  } else {
    draft.Name(slot);
    draft.Put(slot, stored);
  }
  return true;
}

}  // namespace

DecodeOutcome HttpEventDecoder::Decode(const HttpEventRequest& request, EventBatch& batch) {
  switch (FindContentMode(request)) {
    case ContentMode::kBatch: return json_.DecodeBatch(request.body, batch);
    case ContentMode::kStructured: return json_.DecodeStructured(request.body, batch);
    case ContentMode::kNdjson: return json_.DecodeNdjson(request.body, batch);
    case ContentMode::kBinary: return DecodeBinary(request, batch);
    case ContentMode::kUnknown: break;
  }
  batch.Reset({});
  return Unsupported(request.content_type);
}

DecodeOutcome HttpEventDecoder::DecodeBinary(const HttpEventRequest& request, EventBatch& batch) {
  const DecodeLimits& limits = json_.limits();
  size_t size = request.body.size() + request.content_type.size();
  for (const HttpHeader& h : request.headers) size += StartsIgnoringCase(h.name, kHeaderPrefix) ? h.name.size() + h.value.size() : 0;
  batch.Reset({});
  if (size > limits.event_bytes_max)
    return {DecodeStatus::kTooLarge, "the event has " + std::to_string(size) + " bytes, more than " + std::to_string(limits.event_bytes_max), {}};
  batch.Reset(request.body);
  internal::EventDraft draft(limits);
  draft.Begin(batch);
  for (const HttpHeader& header : request.headers) {
    if (!StartsIgnoringCase(header.name, kHeaderPrefix) || PutHeader(header, draft)) continue;
    return {DecodeStatus::kMalformed, "the value of header \"" + std::string(header.name) + "\" is not percent-encoded UTF-8", "encode `%` itself as %25"};
  }
  std::string_view type = request.content_type.substr(0, request.content_type.find_last_not_of(" \t") + 1);
  type.remove_prefix(std::min(type.find_first_not_of(" \t"), type.size()));
  // The one attribute that does not come through DecodeHeaderValue.
  if (!internal::IsUtf8(type) || internal::HasForbiddenCharacter(type)) draft.Fail("/datacontenttype", "Content-Type must be UTF-8 without control characters");
  else if (!type.empty()) draft.Put(SlotOf(Attribute::kDataContentType), batch.Store(type));
  bool is_json = internal::IsJsonMediaType(type);
  if (!request.body.empty()) {
    if (is_json) {
      if (auto json = json_.CheckJson(request.body); !json.ok()) return json;
    }
    Attribute column = is_json || internal::IsUtf8(request.body) ? Attribute::kData : Attribute::kDataBinary;
    draft.Put(SlotOf(column), batch.SliceOf(request.body));
  }
  draft.Commit(0);
  return Judge(batch);
}

}  // namespace sluice::event
