// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// CHECK: a programmer's error ends the process, in release builds too. Input from users, disks and networks never reaches one.

namespace sluice::base {

// Prints `file:line: check failed: condition: why` on stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* why);

}  // namespace sluice::base

#define CHECK(condition, why) \
  (static_cast<bool>(condition) ? static_cast<void>(0) : ::sluice::base::CheckFailed(__FILE__, __LINE__, #condition, why))
