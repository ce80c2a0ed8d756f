// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace sluice::log {
namespace {

constexpr size_t kUsualKeyBytes = 512;

// Lengths before the texts: ("ab", "c") and ("a", "bc") are two keys.
void AppendCounted(std::string& to, std::string_view text) {
  base::AppendLittle(to, static_cast<uint32_t>(text.size()));
  to.append(text);
}

}  // namespace

DedupHasher::DedupHasher(std::string_view secret) { XXH3_generateSecret(secret_.data(), secret_.size(), secret.data(), secret.size()); }

DedupKey DedupHasher::Hash(std::string_view bytes) const {
  auto hash = XXH3_128bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size());
  return {hash.high64, hash.low64};
}

DedupHasher::Scope DedupHasher::ScopeOf(std::string_view tenant, std::string_view topic) const {
  std::string bytes;
  AppendCounted(bytes, tenant);
  AppendCounted(bytes, topic);
  DedupKey key = Hash(bytes);
  Scope scope;
  base::PutLittle(scope.data(), key.high);
  base::PutLittle(scope.data() + 8, key.low);
  return scope;
}

DedupKey DedupHasher::KeyOf(const Scope& scope, std::string_view source, std::string_view id) const {
  const size_t size = scope.size() + sizeof(uint32_t) + source.size() + id.size();
  char usual[kUsualKeyBytes];
  std::string long_key;
  if (size > sizeof usual) long_key.resize(size);
  char* bytes = size > sizeof usual ? long_key.data() : usual;
  char* to = std::copy(scope.begin(), scope.end(), bytes);
  base::PutLittle(to, static_cast<uint32_t>(source.size()));
  to = std::copy(source.begin(), source.end(), to + sizeof(uint32_t));
  std::copy(id.begin(), id.end(), to);
  return Hash({bytes, size});
}

}  // namespace sluice::log
