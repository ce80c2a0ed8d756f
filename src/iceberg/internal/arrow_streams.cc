// SPDX-License-Identifier: Apache-2.0
#include "iceberg/internal/arrow_streams.h"

#include <arrow/buffer.h>
#include <arrow/status.h>

#include <algorithm>

namespace sluice::iceberg::internal {

namespace {

constexpr size_t kTailBytes = 8;

}  // namespace

Result<void> ObjectOutputStream::Append(std::string_view bytes) {
  auto appended = object_->Append(bytes);
  if (!appended.ok()) error_ = appended.error();
  return appended;
}

::arrow::Status ObjectOutputStream::Write(const void* data, int64_t bytes) {
  if (object_ == nullptr || error_.has_value()) return ::arrow::Status::IOError("the object was given up");
  std::string_view view(static_cast<const char*>(data), static_cast<size_t>(bytes));
  position_ += bytes;
  tail_.append(view.substr(view.size() - std::min(view.size(), kTailBytes)));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
  if (buffer_.size() + view.size() > kStreamBufferBytes && !buffer_.empty()) {
    if (auto r = Append(buffer_); !r.ok()) return ::arrow::Status::IOError(r.error().message);
    buffer_.clear();
  }
  if (view.size() < kStreamBufferBytes) {
    buffer_ += view;
    return ::arrow::Status::OK();
  }
  if (auto r = Append(view); !r.ok()) return ::arrow::Status::IOError(r.error().message);
  return ::arrow::Status::OK();
}

Result<void> ObjectOutputStream::Finish() {
  CHECK(object_ != nullptr, "the object was given up");
  if (error_.has_value()) return *error_;
  if (!buffer_.empty()) RETURN_IF_ERROR(Append(buffer_));
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
