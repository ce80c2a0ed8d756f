// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/arrow_streams.h"

#include <arrow/buffer.h>
#include <arrow/status.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"

namespace sluice::iceberg::internal {

namespace {

constexpr size_t kLengthBytes = 4, kEndBytes = 8;  // of the footer: its length and the magic

bool IsFooter(std::string_view bytes) {
  return bytes.size() > kEndBytes && bytes.ends_with("PAR1") &&
         base::GetLittle<uint32_t>(bytes.data() + bytes.size() - kEndBytes) == bytes.size() - kEndBytes;
}

}  // namespace

Result<void> ObjectOutputStream::Append(std::string_view bytes) {
  auto appended = object_->Append(bytes);
  if (!appended.ok()) error_ = appended.error();
  return appended;
}

::arrow::Status ObjectOutputStream::Write(const void* data, int64_t bytes) {
  if (object_ == nullptr || error_.has_value()) return ::arrow::Status::IOError("the object was given up");
  const std::string_view view(static_cast<const char*>(data), static_cast<size_t>(bytes));
  position_ += bytes;
  Result<void> gathered;
  if (!in_footer_) {
    gathered = Gather(view);
  } else {  // length and magic come apart from it
    if (view.size() > kLengthBytes && !footer_.empty()) gathered = Gather(std::exchange(footer_, {}));
    footer_ += view;
  }
  if (!gathered.ok()) return ::arrow::Status::IOError(gathered.error().message);
  return ::arrow::Status::OK();
}

Result<void> ObjectOutputStream::Gather(std::string_view bytes) {
  if (seals_) seal_.Add(bytes);
  if (buffer_.size() + bytes.size() > kStreamBufferBytes && !buffer_.empty()) {
    RETURN_IF_ERROR(Append(buffer_));
    buffer_.clear();
  }
  if (bytes.size() >= kStreamBufferBytes) return Append(bytes);
  buffer_ += bytes;
  return {};
}

Result<void> ObjectOutputStream::Finish() {
  CHECK(object_ != nullptr && in_footer_, "the object was given up, or has not come to its end");
  if (error_.has_value()) return *error_;
  if (!IsFooter(footer_)) return Error{ErrorCode::kInvalid, "the Parquet library wrote no footer at once", {}};
  if (seals_) {
    const std::string seal = seal_.Finish(footer_);
    position_ += static_cast<int64_t>(seal.size());
    buffer_ += seal;
  }
  buffer_ += footer_;
  footer_bytes_ = static_cast<int64_t>(footer_.size() - kEndBytes);
  RETURN_IF_ERROR(Append(buffer_));
  buffer_.clear();
  return object_->Finish();
}

::arrow::Result<int64_t> ObjectInputFile::ReadAt(int64_t position, int64_t bytes, void* out) {
  int64_t done = 0;
  while (done < bytes) {
    auto read = object_.Read(static_cast<uint64_t>(position + done), {static_cast<char*>(out) + done, static_cast<size_t>(bytes - done)});
    if (!read.ok()) {
      error_ = read.error();
      return ::arrow::Status::IOError(read.error().message);
    }
    if (*read == 0) break;
    done += static_cast<int64_t>(*read);
  }
  return done;
}

::arrow::Result<std::shared_ptr<::arrow::Buffer>> ObjectInputFile::ReadAt(int64_t position, int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ::arrow::AllocateResizableBuffer(bytes));
  ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position, bytes, buffer->mutable_data()));
  if (read < bytes) ARROW_RETURN_NOT_OK(buffer->Resize(read));
  return std::shared_ptr<::arrow::Buffer>(std::move(buffer));
}

::arrow::Result<int64_t> ObjectInputFile::Read(int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(int64_t read, ReadAt(position_, bytes, out));
  position_ += read;
  return read;
}

::arrow::Result<std::shared_ptr<::arrow::Buffer>> ObjectInputFile::Read(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
  position_ += buffer->size();
  return buffer;
}

::arrow::Status ObjectInputFile::Seek(int64_t position) {
  position_ = position;
  return ::arrow::Status::OK();
}

}  // namespace sluice::iceberg::internal
