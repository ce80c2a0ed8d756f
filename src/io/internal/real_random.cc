// SPDX-License-Identifier: Apache-2.0
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <mutex>

#include "io/internal/real_parts.h"

namespace sluice::io {
namespace {

// The kernel's generator, 2 KiB a call. A number is given out once.
class RealRandom final : public Random {
 public:
  uint64_t Next64() override {
    std::lock_guard lock(mutex_);
    if (next_ == numbers_.size()) Refill();
    return std::exchange(numbers_[next_++], 0);
  }

 private:
  void Refill() {
    auto* to = reinterpret_cast<char*>(numbers_.data());
    for (size_t done = 0; done < sizeof numbers_;) {
      ssize_t n = getrandom(to + done, sizeof numbers_ - done, 0);
      CHECK(n > 0 || errno == EINTR, "the kernel has no random numbers");
      if (n > 0) done += static_cast<size_t>(n);
    }
    next_ = 0;
  }

  std::mutex mutex_;
  std::array<uint64_t, 256> numbers_{};
  size_t next_ = numbers_.size();
};

}  // namespace

std::unique_ptr<Random> MakeRealRandom() { return std::make_unique<RealRandom>(); }

}  // namespace sluice::io
