// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Bytes that come in order and may be waited for: stdin, a file, a pipe, a FIFO. For commands; the engine reads files.

#include <memory>
#include <span>

#include "base/result.h"
#include "io/file_system.h"

namespace sluice::io {

// Not thread-safe.
class InputStream {
 public:
  // "-": stdin, which stays open. A FIFO is opened without waiting for its writer. kNotFound, kInvalid: a directory, or not allowed.
  static Result<std::unique_ptr<InputStream>> Open(const Path& path);
  ~InputStream();
  InputStream(const InputStream&) = delete;

  // Readable (poll) when Read does not block.
  int descriptor() const { return descriptor_; }
  // Of a file; 0 of everything else.
  uint64_t bytes_total() const { return bytes_total_; }
  // Up to `to.size()` bytes; 0 at the end. kUnavailable: nothing is there yet.
  Result<size_t> Read(std::span<char> to);

 private:
  InputStream(Path path, int descriptor, uint64_t bytes_total) : path_(std::move(path)), descriptor_(descriptor), bytes_total_(bytes_total) {}
  const Path path_;
  const int descriptor_;
  const uint64_t bytes_total_;
};

}  // namespace sluice::io
