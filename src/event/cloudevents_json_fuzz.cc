// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer target: the JSON decoder in its three forms. The first byte chooses the form, the second is what stands behind the body.
// Build: clang++ -fsanitize=fuzzer,address,undefined

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "event/cloudevents_json.h"
#include "event/partitioner.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::event;
  if (size < 2) return 0;
  std::string body(reinterpret_cast<const char*>(data) + 2, size - 2);
  size_t length = body.size();
  body.append(64, static_cast<char>(data[1]));
  JsonEventDecoder decoder;
  EventBatch batch;
  std::string_view view(body.data(), length);
  auto outcome = data[0] % 3 == 0 ? decoder.DecodeStructured(view, batch) : data[0] % 3 == 1 ? decoder.DecodeBatch(view, batch) : decoder.DecodeNdjson(view, batch);
  bool usable = outcome.status == DecodeStatus::kOk || outcome.status == DecodeStatus::kInvalidEvents;
  if (!usable) return 0;
  auto keys = KeyExtractor::Make({"/data/a/0", "/type"});
  for (size_t row = 0; row < batch.rows(); row++) {
    CHECK(!batch.Get(Attribute::kId, row).empty(), "every row is a valid event");
    CHECK(!batch.View(keys->Extract(batch, row)).empty(), "every row has a key");
  }
  return 0;
}
