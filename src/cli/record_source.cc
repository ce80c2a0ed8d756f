// SPDX-License-Identifier: Apache-2.0
#include "cli/record_source.h"

#include <poll.h>

namespace sluice::cli {

Result<ByteInput> ByteInput::Open(const Path& path, io::Termination* termination) {
  ASSIGN_OR_RETURN(auto stream, io::InputStream::Open(path));
  return ByteInput(std::move(stream), termination);
}

Result<ByteInput::Status> ByteInput::Read(std::string& to) {
  pollfd ready[2] = {{termination_ != nullptr ? termination_->descriptor() : -1, POLLIN, 0}, {stream_->descriptor(), POLLIN, 0}};
  const int polled = poll(ready, 2, kIdleMs);
  if (polled > 0 && ready[0].revents != 0 && termination_->Take() != 0) return Status::kSignal;
  if (polled <= 0 || ready[1].revents == 0) return Status::kIdle;
  const size_t before = to.size();
  to.resize(before + kReadBytes);
  auto got = stream_->Read({to.data() + before, kReadBytes});
  to.resize(before + (got.ok() ? *got : 0));
  if (!got.ok()) return got.error().code == ErrorCode::kUnavailable ? Result<Status>(Status::kIdle) : got.error();
  bytes_read_ += *got;
  return *got > 0 ? Status::kData : Status::kEnd;
}

double RecordSource::fraction() const {
  if (input_.bytes_total() == 0) return -1;
  const size_t ahead =
      elements_ && element_end_ != nullptr ? static_cast<size_t>(buffer_.data() + buffer_.size() - element_end_) : buffer_.size() - used_;
  return static_cast<double>(input_.bytes_read() - ahead) / static_cast<double>(input_.bytes_total());
}

Result<std::optional<RecordSource::Status>> RecordSource::ReadAll() {
  while (!at_end_) {
    ASSIGN_OR_RETURN(const auto status, input_.Read(buffer_));
    if (status == ByteInput::Status::kSignal) return std::optional(Status::kSignal);
    at_end_ = status == ByteInput::Status::kEnd;
    if (buffer_.size() > kDocumentBytesMax)
      return Error{ErrorCode::kInvalid, "the document is larger than " + std::to_string(kDocumentBytesMax >> 30) + " GiB",
                   "write its records as NDJSON: those are not read whole"};
  }
  return std::optional<Status>();
}

// Finds out what the input is. A status: it could not go on yet.
Result<std::optional<RecordSource::Status>> RecordSource::Start() {
  constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
  while (!at_end_ && TrimJsonSpace(buffer_).size() < kUtf8Mark.size() + 1) {
    ASSIGN_OR_RETURN(const auto status, input_.Read(buffer_));
    if (status == ByteInput::Status::kSignal) return std::optional(Status::kSignal);
    if (status == ByteInput::Status::kIdle) return std::optional(Status::kIdle);
    at_end_ = status == ByteInput::Status::kEnd;
  }
  if (buffer_.starts_with(kUtf8Mark)) used_ = kUtf8Mark.size();
  if (pointer_ || TrimJsonSpace(std::string_view(buffer_).substr(used_)).starts_with('[')) {
    ASSIGN_OR_RETURN(auto status, ReadAll());
    if (status) return std::optional(*status);
    std::optional<std::string_view> array = std::string_view(buffer_).substr(used_);
    if (pointer_) array = pointer_->FindText(*array);
    if (pointer_ && (!array || !array->starts_with('['))) {
      if (auto document = Json::Parse(std::string_view(buffer_).substr(used_)); !document.ok())
        return document.error().While("looking for \"" + pointer_->text() + "\"");
      return Error{ErrorCode::kInvalid, "there is no array at \"" + pointer_->text() + "\"",
                   "--records names the array inside of the document, as in /features"};
    }
    ASSIGN_OR_RETURN(elements_, ArrayElements::Open(*array));
  }
  started_ = true;
  return std::optional<Status>();
}

Result<RecordSource::Status> RecordSource::NextLine(std::string_view& record) {
  for (size_t searched = used_;;) {
    const auto newline = buffer_.find('\n', searched);
    if (newline != std::string::npos || (at_end_ && used_ < buffer_.size())) {
      const size_t end = newline == std::string::npos ? buffer_.size() : newline;
      record = TrimJsonSpace(std::string_view(buffer_).substr(used_, end - used_));
      used_ = searched = std::min(end + 1, buffer_.size());
      if (record.empty()) continue;
      return Status::kRecord;
    }
    if (at_end_) return Status::kEnd;
    buffer_.erase(0, used_);
    used_ = 0;
    searched = buffer_.size();
    if (searched > kLineBytesMax)
      return Error{ErrorCode::kInvalid, "a line is longer than " + std::to_string(kLineBytesMax >> 20) + " MiB",
                   "for one document over few lines name its array with --records /pointer"};
    ASSIGN_OR_RETURN(const auto status, input_.Read(buffer_));
    if (status == ByteInput::Status::kSignal) return Status::kSignal;
    if (status == ByteInput::Status::kIdle) return Status::kIdle;
    at_end_ = status == ByteInput::Status::kEnd;
  }
}

Result<RecordSource::Status> RecordSource::Next(std::string_view& record) {
  if (!started_) {
    ASSIGN_OR_RETURN(auto status, Start());
    if (status) return *status;
  }
  auto status = NextRecord(record);
  if (!status.ok())
    return Error{status.error().code, "record " + std::to_string(records_ + 1) + ": " + status.error().message, status.error().hint};
  if (*status == Status::kRecord) records_++;
  return status;
}

Result<RecordSource::Status> RecordSource::NextRecord(std::string_view& record) {
  if (!elements_) return NextLine(record);
  ASSIGN_OR_RETURN(auto element, elements_->Next());
  if (!element) return Status::kEnd;
  record = *element;
  element_end_ = record.data() + record.size();
  return Status::kRecord;
}

}  // namespace sluice::cli
