// SPDX-License-Identifier: Apache-2.0
#include "iceberg/data_file_columns.h"

#include <charconv>
#include <cstring>

#include "base/bytes.h"

namespace sluice::iceberg {

std::string EncodeFieldIdMetadata(FieldId id) {
  std::string value = std::to_string(id), out;
  base::AppendLittle<int32_t>(out, 1);
  base::AppendLittle<int32_t>(out, static_cast<int32_t>(kFieldIdMetadataKey.size()));
  out += kFieldIdMetadataKey;
  base::AppendLittle<int32_t>(out, static_cast<int32_t>(value.size()));
  out += value;
  return out;
}

namespace {

// The counted string at `at`, which moves behind it.
std::string_view NextText(const char*& at) {
  auto length = static_cast<size_t>(base::GetLittle<int32_t>(at));
  std::string_view text(at + sizeof(int32_t), length);
  at += sizeof(int32_t) + length;
  return text;
}

}  // namespace

std::optional<FieldId> FieldIdFromMetadata(const char* metadata) {
  if (metadata == nullptr) return std::nullopt;
  auto entries = base::GetLittle<int32_t>(metadata);
  const char* at = metadata + sizeof(int32_t);
  for (int32_t i = 0; i < entries; i++) {
    std::string_view key = NextText(at), value = NextText(at);
    if (key != kFieldIdMetadataKey) continue;
    FieldId id = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), id);
    if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
    return id;
  }
  return std::nullopt;
}

int64_t FindChildByFieldId(const ArrowSchema& parent, FieldId id) {
  for (int64_t i = 0; i < parent.n_children; i++) {
    if (FieldIdOf(*parent.children[i]) == id) return i;
  }
  return -1;
}

}  // namespace sluice::iceberg
