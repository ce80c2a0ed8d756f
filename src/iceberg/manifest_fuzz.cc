// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer target: manifests, manifest lists and metadata files as other engines may leave them. The first byte chooses which.
// Build: clang++ -fsanitize=fuzzer,address,undefined

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "iceberg/manifest_list.h"
#include "iceberg/manifest_reader.h"
#include "iceberg/table_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::iceberg;
  if (size < 1) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Type partition = Type::Struct({{1000, "type", TypeId::kString}, {1001, "hour", TypeId::kInt}, {1002, "price", Type::Decimal(9, 2)}});
  if (data[0] % 3 == 0) (void)ParseManifest(bytes, {}, partition).ok();
  if (data[0] % 3 == 1) (void)ParseManifestList(bytes).ok();
  if (data[0] % 3 != 2) return 0;
  auto metadata = ParseTableMetadata(bytes, "fuzz");
  if (metadata.ok() && metadata->format_version == kFormatVersionWritten) {
    CHECK(ParseTableMetadata(SerializeTableMetadata(*metadata), "fuzz").ok(), "what was read can be written and read again");
  }
  return 0;
}
