// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Env: every effect the engine can have, in one place. There is no other door to the outside: two servers can run in one
// process, and the simulator gives each its own.

#include <memory>

#include "io/catalog_store.h"
#include "io/clock.h"
#include "io/file_system.h"
#include "io/logger.h"
#include "io/metrics.h"
#include "io/object_store.h"
#include "io/process.h"
#include "io/random.h"
#include "io/shared_memory.h"
#include "io/sockets.h"
#include "io/threads.h"

namespace sluice::io {

// References only; whoever makes an Env owns what is behind it and outlives all users. Copy freely.
struct Env {
  FileSystem& files;
  ObjectStore& objects;
  SharedMemory& memory;
  Clock& clock;
  Random& random;
  Threads& threads;
  Logger& log;
  Metrics& metrics;
  Processes& processes;
  Network& network;
};

// The real world. Logs go to stderr from `log_level` on.
class RealWorld {
 public:
  explicit RealWorld(LogLevel log_level = LogLevel::kInfo);
  ~RealWorld();
  Env env();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// The SQL catalog tables in a SQLite file, created if missing. `catalog_name` is the first column of every row: clients must
// use the same name. kInvalid: not a SQLite file, or a table of another shape.
Result<std::unique_ptr<CatalogStore>> OpenSqliteCatalogStore(const Path& path, const std::string& catalog_name);

}  // namespace sluice::io
