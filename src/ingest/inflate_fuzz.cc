// SPDX-License-Identifier: Apache-2.0
//
// Bodies that say they are gzip or zstd: never more than the bound comes out, zlib itself says the same, and what is packed comes back.

#include <zlib.h>
#include <zstd.h>

#include <optional>

#include "base/check.h"
#include "base/fuzz_target.h"
#include "ingest/gzip.h"
#include "ingest/inflate.h"

namespace sluice::ingest {
namespace {

constexpr size_t kBound = 64 << 10;

std::string Zstd(std::string_view bytes, bool checksum = false) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
  size_t size = ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size());
  ZSTD_freeCCtx(context);
  CHECK(ZSTD_isError(size) == 0, "zstd packs everything");
  out.resize(size);
  return out;
}

// Members one after the other, as RFC 1952 says. Nothing: damaged, or more than the bound.
std::optional<std::string> PlainGunzip(std::string_view body) {
  std::string out(kBound + 1, '\0');
  size_t size = 0;
  do {
    z_stream stream{};
    CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, "zlib has memory");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + size);
    stream.avail_out = static_cast<uInt>(out.size() - size);
    int state = inflate(&stream, Z_FINISH);
    size = out.size() - stream.avail_out;
    body.remove_prefix(body.size() - stream.avail_in);
    inflateEnd(&stream);
    if (state != Z_STREAM_END || size > kBound) return {};
  } while (!body.empty());
  out.resize(size);
  return out;
}

void Run(std::string_view input) {
  base::FormedInput formed(input, 4);
  auto encoding = formed.form % 2 == 0 ? ContentEncoding::kGzip : ContentEncoding::kZstd;
  Inflater inflater(kBound);
  if (formed.form >= 2) {
    std::string packed = encoding == ContentEncoding::kGzip ? Gzip(formed.text) : Zstd(formed.text);
    auto bytes = inflater.Inflate(encoding, packed);
    CHECK(formed.text.size() > kBound || (bytes.ok() && *bytes == formed.text), "what was packed comes back");
    return;
  }
  auto bytes = inflater.Inflate(encoding, formed.text);
  if (bytes.ok()) {
    CHECK(bytes->size() <= kBound, "the bound holds");
    for (size_t i = 0; i < Inflater::kPadding; i++) CHECK(bytes->data()[bytes->size() + i] == '\0', "the padding is there");
  }
  if (encoding != ContentEncoding::kGzip) return;
  auto plain = PlainGunzip(formed.text);
  CHECK(plain.has_value() == bytes.ok() && (!plain || *plain == *bytes), "zlib says the same");
}

std::vector<std::string> Seeds() {
  std::string text = "{\"specversion\":\"1.0\",\"id\":\"a\"} {\"specversion\":\"1.0\",\"id\":\"b\"}", zeros(kBound, '\0');
  return {"0" + Gzip(text), "1" + Zstd(text), "1" + Zstd(text, true), "2" + text, "3" + text, "0" + Gzip(text) + Gzip("x"), "1" + Zstd(text) + Zstd("x"), "0" + Gzip(zeros),
          "0" + Gzip(zeros + "x"), "1" + Zstd(zeros), "1" + Zstd(zeros + "x"), "0" + Gzip(""), "1" + Zstd("")};
}

const base::FuzzRegistration kRegistration({"inflate", Run, Seeds});

}  // namespace
}  // namespace sluice::ingest
