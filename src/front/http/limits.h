// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The bounds of the HTTP front. Those that an operator may change stand in HttpOptions (http_options.h) with these as defaults.

#include <cstddef>
#include <cstdint>

namespace sluice::front::http {

constexpr size_t kHeadBytesMax = 16 << 10;    // request line, headers and the empty line; more: 431
constexpr size_t kHeadersMax = 100;           // more: 431
constexpr size_t kTargetBytesMax = 8 << 10;   // more: 414
constexpr size_t kLeadingEmptyLinesMax = 2;   // before a request line; some clients send one after a body
constexpr size_t kInputBytes = 8 << 10;       // what a connection holds to read into; grows when a head needs it
constexpr size_t kReadBytesMin = 4 << 10;     // room behind a head, for chunks and for what a client sends ahead
constexpr size_t kChunkLineBytesMax = 1 << 10;    // size and extensions of one chunk
constexpr size_t kChunkExtraBytesMax = 16 << 10;  // extensions and trailers of one body
constexpr uint64_t kBodyBytesMax = 5 << 20;   // as sent; more: 413
constexpr size_t kBodyPadding = 64;           // readable zero bytes behind a body, for parsers that read in steps
constexpr size_t kStreamBytesMax = 256 << 10;     // of a streamed answer waiting for the client: then the writer is told to wait
constexpr size_t kStreamBytesResume = 64 << 10;   // and to go on
constexpr size_t kIdleBytesMax = 32 << 10;    // of each buffer that an idle connection keeps
constexpr size_t kWriteProgressBytes = 64 << 10;  // a client that takes less within the write deadline is cut
constexpr size_t kLingerBytesMax = 8 << 20;   // thrown away behind a final answer, so that the client gets to read it
constexpr int kRequestsPerTurn = 16;          // of one connection, before others have their turn

}  // namespace sluice::front::http
