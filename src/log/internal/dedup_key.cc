// SPDX-License-Identifier: Apache-2.0
#include "log/internal/dedup_key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/bytes.h"

namespace sluice::log {
namespace {

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

DedupHasher::Scope DedupHasher::ScopeOf(std::string_view tenant, std::string_view topic) {
  buffer_.clear();
  AppendCounted(buffer_, tenant);
  AppendCounted(buffer_, topic);
  DedupKey key = Hash(buffer_);
  Scope scope;
  base::PutLittle(scope.data(), key.high);
  base::PutLittle(scope.data() + 8, key.low);
  return scope;
}

DedupKey DedupHasher::KeyOf(const Scope& scope, std::string_view source, std::string_view id) {
  buffer_.assign(scope.data(), scope.size());
  AppendCounted(buffer_, source);
  buffer_.append(id);
  return Hash(buffer_);
}

}  // namespace sluice::log
