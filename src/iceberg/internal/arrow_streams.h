// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// io:: objects as Arrow streams, so that the Parquet library has no effects of its own. An io error is kept as it was, because
// Arrow's Status has no room for it.

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "iceberg/data_file_seal.h"
#include "io/object_store.h"

namespace sluice::iceberg::internal {

// Bytes gathered before they go to the object; page headers are far smaller than a write should be.
inline constexpr size_t kStreamBufferBytes = 256 * 1024;

// Not thread-safe. Nothing becomes visible before Finish. What is written is sealed, if it is asked for: then the last thing written has to
// be a Parquet footer, which the library writes at once, and its end.
class ObjectOutputStream : public ::arrow::io::OutputStream {
 public:
  ObjectOutputStream(std::unique_ptr<io::ObjectWriter> object, bool seals) : object_(std::move(object)), seals_(seals) {}

  ::arrow::Status Write(const void* data, int64_t bytes) override;
  using ::arrow::io::OutputStream::Write;
  ::arrow::Result<int64_t> Tell() const override { return position_; }
  ::arrow::Status Close() override { return ::arrow::Status::OK(); }  // Finish is the end
  bool closed() const override { return object_ == nullptr; }

  // From now on the last write is kept back: it may be the footer.
  void BeginFooter() { in_footer_ = true; }
  // Appends what is buffered and makes the object visible. Errors of the object writer pass through. kInvalid: there is no footer.
  // REQUIRES: BeginFooter was called.
  Result<void> Finish();
  // Drops the object; later writes fail without an effect.
  void Abandon() { object_.reset(); }
  // The first error of the object writer.
  const std::optional<Error>& error() const { return error_; }
  int64_t position() const { return position_; }
  // Without its length and magic. REQUIRES: Finish was successful.
  int64_t footer_bytes() const { return footer_bytes_; }

 private:
  Result<void> Append(std::string_view bytes);
  Result<void> Gather(std::string_view bytes);

  std::unique_ptr<io::ObjectWriter> object_;
  bool seals_, in_footer_ = false;
  SealBuilder seal_;
  std::string buffer_, footer_;
  int64_t footer_bytes_ = 0;
  int64_t position_ = 0;
  std::optional<Error> error_;
};

// Thread-safe for ReadAt, as the reader behind it. `object` must outlive it.
class ObjectInputFile : public ::arrow::io::RandomAccessFile {
 public:
  explicit ObjectInputFile(io::ObjectReader& object) : object_(object) {}

  ::arrow::Result<int64_t> GetSize() override { return static_cast<int64_t>(object_.size()); }
  ::arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;
  using ::arrow::io::RandomAccessFile::ReadAt;
  ::arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  ::arrow::Result<std::shared_ptr<::arrow::Buffer>> Read(int64_t bytes) override;
  ::arrow::Status Seek(int64_t position) override;
  ::arrow::Result<int64_t> Tell() const override { return position_; }
  ::arrow::Status Close() override { closed_ = true; return ::arrow::Status::OK(); }
  bool closed() const override { return closed_; }

  const std::optional<Error>& error() const { return error_; }

 private:
  io::ObjectReader& object_;
  int64_t position_ = 0;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace sluice::iceberg::internal
