// SPDX-License-Identifier: Apache-2.0
#include "io/input_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/internal/system_error.h"

namespace sluice::io {

Result<std::unique_ptr<InputStream>> InputStream::Open(const Path& path) {
  if (path == "-") return std::unique_ptr<InputStream>(new InputStream("stdin", STDIN_FILENO, 0));
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor < 0) return SystemError("open", path, errno);
  struct stat status {};
  fstat(descriptor, &status);
  auto out = std::unique_ptr<InputStream>(new InputStream(path, descriptor, S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0));
  if (S_ISDIR(status.st_mode)) return SystemError("open", path, EISDIR);
  return out;
}

InputStream::~InputStream() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

Result<size_t> InputStream::Read(std::span<char> to) {
  for (;;) {
    const ssize_t got = read(descriptor_, to.data(), to.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EAGAIN) return Error{ErrorCode::kUnavailable, "nothing to read yet", {}};
    if (errno != EINTR) return SystemError("read", path_, errno);
  }
}

}  // namespace sluice::io
