// SPDX-License-Identifier: Apache-2.0
#include "io/termination.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace sluice::io {

Result<std::unique_ptr<Termination>> Termination::Make() {
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGTERM);
  sigaddset(&both, SIGINT);
  if (pthread_sigmask(SIG_BLOCK, &both, nullptr) != 0) return Error{ErrorCode::kIo, "signals cannot be blocked", {}};
  const int descriptor = signalfd(-1, &both, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) return Error{ErrorCode::kIo, std::string("signalfd: ") + std::strerror(errno), {}};
  return std::unique_ptr<Termination>(new Termination(descriptor));
}

Termination::~Termination() { close(descriptor_); }

int Termination::Take() {
  signalfd_siginfo info{};
  return read(descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace sluice::io
