// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Avro files as others write them: in other codecs, without the checksums that only we write, of any schema.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sim {

enum class ForeignCodec : uint8_t { kNull, kDeflate, kZstandard, kSnappy };

void PutLong(int64_t value, std::string& out);
void PutBytes(std::string_view bytes, std::string& out);

// A file of ours as another engine would have written it.
std::string RecodeAvro(std::string_view file, ForeignCodec codec);
// `objects`: each of them encoded.
std::string AvroFile(std::string_view schema, const std::vector<std::string>& objects);

}  // namespace sluice::sim
