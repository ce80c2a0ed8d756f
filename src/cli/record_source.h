// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Records out of a file or stdin: the lines of NDJSON as they come, or the elements of one array of a document.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/json_text.h"
#include "io/input_stream.h"
#include "io/termination.h"

namespace sluice::cli {

inline constexpr size_t kDocumentBytesMax = size_t{1} << 30;  // of a document that is read whole
inline constexpr size_t kLineBytesMax = size_t{16} << 20;     // of an NDJSON line; an event may have 1 MiB
inline constexpr size_t kReadBytes = size_t{256} << 10;
inline constexpr int kIdleMs = 200;  // the input is silent so long: send what is there

// Bytes of a file, a pipe or stdin.
class ByteInput {
 public:
  enum class Status : uint8_t { kData, kEnd, kIdle, kSignal };
  // "-": stdin. `termination` may be null, else it must outlive this.
  static Result<ByteInput> Open(const Path& path, io::Termination* termination);
  // Appends what is there to `to`. kIdle: nothing came for kIdleMs. kSignal: Ctrl-C or SIGTERM.
  Result<Status> Read(std::string& to);
  uint64_t bytes_total() const { return stream_->bytes_total(); }  // 0: not known
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  ByteInput(std::unique_ptr<io::InputStream> stream, io::Termination* termination)
      : stream_(std::move(stream)), termination_(termination) {}
  std::unique_ptr<io::InputStream> stream_;
  io::Termination* termination_;
  uint64_t bytes_read_ = 0;
};

// Not thread-safe.
class RecordSource {
 public:
  enum class Status : uint8_t { kRecord, kEnd, kIdle, kSignal };
  // `records`: where the array of one document is; empty: a top-level array when the first character is '[', else NDJSON.
  RecordSource(ByteInput input, std::optional<JsonPointer> records) : input_(std::move(input)), pointer_(std::move(records)) {}

  // The next record, valid until the next call. kInvalid: no array there, damaged, or beyond a bound; says which record.
  Result<Status> Next(std::string_view& record);
  // How much of the input was used, 0 to 1; negative when its size is not known.
  double fraction() const;

 private:
  Result<std::optional<Status>> Start();
  Result<Status> NextRecord(std::string_view& record);
  Result<Status> NextLine(std::string_view& record);
  Result<std::optional<Status>> ReadAll();

  ByteInput input_;
  const std::optional<JsonPointer> pointer_;
  std::string buffer_;
  size_t used_ = 0;      // of buffer_, by lines
  int64_t records_ = 0;  // given so far
  bool started_ = false;
  bool at_end_ = false;
  std::optional<ArrayElements> elements_;
  const char* element_end_ = nullptr;
};

}  // namespace sluice::cli
