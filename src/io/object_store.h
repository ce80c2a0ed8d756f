// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Immutable objects under full URIs ("file:///data/warehouse/bronze/events/data/x.parquet"). An object appears whole, under
// a name that was never used before, or not at all.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace sluice::io {

// Writes one object front to back. Not thread-safe. Destroyed without Finish: nothing remains of it.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Result<void> Append(std::string_view bytes) = 0;
  // Makes the object durable and visible. kCommitUnknown: it may exist. kUnavailable: somebody removed what was written, see
  // RemoveUnfinishedObjects.
  virtual Result<void> Finish() = 0;
  virtual uint64_t position() const = 0;  // bytes appended so far
};

// Reads ranges. Thread-safe.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual Result<size_t> Read(uint64_t at, std::span<char> to) = 0;  // fewer only at the end
  virtual uint64_t size() const = 0;
  // A read-only descriptor of the local file behind it, owned by this; -1 when there is none.
  virtual int descriptor() const = 0;
};

struct ObjectInfo {
  std::string uri;
  uint64_t size = 0;
  int64_t modified_us = 0;
};

// Thread-safe; every call is a scheduling point. Errors: kNotFound, kExists (the name was used), kExhausted (no space),
// kUnavailable (back off), kInvalid (a URI of another store), kIo.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual Result<std::unique_ptr<ObjectWriter>> Create(const std::string& uri) = 0;
  virtual Result<std::unique_ptr<ObjectReader>> Open(const std::string& uri) = 0;
  // Success when there is none.
  virtual Result<void> Remove(const std::string& uri) = 0;
  // All objects whose URI starts with `prefix` (which ends with '/'), in any order.
  virtual Result<void> List(const std::string& prefix, const std::function<void(const ObjectInfo&)>& visit) = 0;
};

// Objects as files: "file:///p" is the path "/p" of `files`, which must outlive it. Synced, with directories, before Finish returns.
// Until then the bytes stand in the same directory under a name that List does not show.
std::unique_ptr<ObjectStore> MakeFileObjectStore(FileSystem& files);
// Removes what writers that were killed left below `directory`; how many there were. REQUIRES: nobody of this process writes there now; of
// another one, whoever is at work on an object gets kUnavailable from Finish, and writes it again.
Result<size_t> RemoveUnfinishedObjects(FileSystem& files, const Path& directory);

Result<std::string> ReadObject(ObjectStore& objects, const std::string& uri, uint64_t bytes_max = uint64_t{1} << 30);
Result<void> WriteObject(ObjectStore& objects, const std::string& uri, std::string_view bytes);

// "/a/b" <-> "file:///a/b" (also accepts "file:/a/b", which Spark writes, and "file://localhost/a/b"). Nothing is percent-encoded, as
// in Iceberg's own file locations. Other schemes, relative paths: kInvalid.
std::string PathToUri(const Path& absolute_path);
Result<Path> UriToPath(const std::string& uri);

}  // namespace sluice::io
