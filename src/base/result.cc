// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

namespace sluice {

std::string_view ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return "invalid";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kExists: return "exists";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kUnavailable: return "unavailable";
    case ErrorCode::kExhausted: return "exhausted";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kCorruption: return "corruption";
    case ErrorCode::kCommitUnknown: return "commit_unknown";
    case ErrorCode::kCancelled: return "cancelled";
  }
  base::CheckFailed(__FILE__, __LINE__, "code", "an error code without a name");
}

std::string Error::ToString() const { return hint.empty() ? message : message + " (" + hint + ")"; }

}  // namespace sluice
