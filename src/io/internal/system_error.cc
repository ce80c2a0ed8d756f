// SPDX-License-Identifier: Apache-2.0
#include "io/internal/system_error.h"

#include <cctype>
#include <cerrno>
#include <cstring>

namespace sluice::io {
namespace {

std::string_view Hint(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return "free some space or give the directory a larger disk";
    case EMFILE:
    case ENFILE: return "raise the limit of open files (ulimit -n)";
    case EROFS: return "the file system is read-only: choose another directory or mount it writable";
    case EACCES:
    case EPERM: return "check the owner and the permissions";
    default: return "";
  }
}

}  // namespace

ErrorCode SystemErrorCode(int error_number) {
  switch (error_number) {
    case ENOENT: return ErrorCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY: return ErrorCode::kExists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG: return ErrorCode::kExhausted;
    case ENOTDIR:
    case EISDIR:
    case EROFS:
    case ENAMETOOLONG:
    case EINVAL:
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV: return ErrorCode::kInvalid;
    case EAGAIN:
    case EBUSY: return ErrorCode::kUnavailable;
    default: return ErrorCode::kIo;
  }
}

std::string SystemErrorText(int error_number) {
  const char* text = strerrordesc_np(error_number);
  if (text == nullptr) return "error " + std::to_string(error_number);
  std::string out = text;
  // "Input/output error" -> "input/output error"
  out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

Error SystemError(std::string_view call, std::string_view subject, int error_number) {
  std::string message(call);
  if (!subject.empty()) message.append(" \"").append(subject).append("\"");
  message.append(": ").append(SystemErrorText(error_number));
  return Error{SystemErrorCode(error_number), std::move(message), std::string(Hint(error_number))};
}

}  // namespace sluice::io
