// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Result<T>: a value or an Error. Exceptions never cross a folder border; what can fail returns a Result.
//
//   Result<Segment> Open(...);
//   ASSIGN_OR_RETURN(auto segment, Open(...));
//   RETURN_IF_ERROR(segment.Sync());

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"

namespace sluice {

// Named by what the caller does about it.
enum class ErrorCode : uint8_t {
  kInvalid,        // the request is wrong: fix it, do not repeat it
  kNotFound,       // the thing does not exist: skip or create it
  kExists,         // it exists already: use or skip it
  kConflict,       // somebody else was first: refresh and retry the commit
  kUnavailable,    // not now: back off and repeat
  kExhausted,      // a bound was reached: shed load
  kIo,             // a device or the network failed: stop what depends on it
  kCorruption,     // bytes are not what was written: stop the partition, touch nothing
  kCommitUnknown,  // it may have happened: read again before any retry
  kCancelled,      // somebody asked to stop
};
constexpr int kErrorCodeCount = 10;

// "invalid", "not_found", ...: stable, for logs and documents.
std::string_view ErrorCodeName(ErrorCode code);

// `message`: what went wrong, lower case, no period, names in quotes. `hint`: what to do next, may be empty.
struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;
  std::string hint = {};

  // "message (hint)"
  std::string ToString() const;
  // The same error, told from one level further out: "while opening the journal: <message>".
  Error While(std::string_view doing) const { return Error{code, "while " + std::string(doing) + ": " + message, hint}; }
};

template <class T = void>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose, as in `return value;`
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  template <class U>
    requires(!std::is_same_v<std::remove_cvref_t<U>, Result> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> && std::is_constructible_v<T, U>)
  Result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & { CheckOk(); return *std::get_if<0>(&state_); }
  const T& value() const& { CheckOk(); return *std::get_if<0>(&state_); }
  T&& value() && { CheckOk(); return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok()
  const Error& error() const& { CheckError(); return *std::get_if<1>(&state_); }
  Error&& error() && { CheckError(); return std::move(*std::get_if<1>(&state_)); }

 private:
  void CheckOk() const { if (!ok()) [[unlikely]] base::CheckFailed(__FILE__, __LINE__, "result.ok()", std::get_if<1>(&state_)->message.c_str()); }
  void CheckError() const { CHECK(!ok(), "error() of a result that holds a value"); }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  // REQUIRES: ok()
  void value() const { if (failed_) base::CheckFailed(__FILE__, __LINE__, "result.ok()", error_.message.c_str()); }
  // REQUIRES: !ok()
  const Error& error() const& { CHECK(failed_, "error() of a result that succeeded"); return error_; }
  Error&& error() && { CHECK(failed_, "error() of a result that succeeded"); return std::move(error_); }

 private:
  bool failed_ = false;
  Error error_{ErrorCode::kInvalid, {}, {}};
};

}  // namespace sluice

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                                          \
  do {                                                                       \
    if (auto sluice_result = (expression); !sluice_result.ok())              \
      return std::move(sluice_result).error();                               \
  } while (false)

#define ASSIGN_OR_RETURN(target, expression) ASSIGN_OR_RETURN_INNER(SLUICE_CONCAT(sluice_result_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_INNER(result, target, expression) \
  auto result = (expression);                              \
  if (!result.ok()) return std::move(result).error();      \
  target = std::move(result).value()
