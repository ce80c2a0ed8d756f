// SPDX-License-Identifier: Apache-2.0
#include "server/data_directory.h"

#include "base/check.h"
#include "base/json.h"

namespace sluice::server {
namespace {

constexpr uint64_t kIdentityBytesMax = 64 << 10;
constexpr const char* kRestoring = "restoring";

Path IdentityPath(const Path& directory) { return directory + "/directory.json"; }

Result<void> WriteIdentity(io::Env env, const Path& directory, bool restoring = false) {
  ASSIGN_OR_RETURN(auto info, env.files.Stat(directory));
  Json identity;
  identity.Set("format_version", kDirectoryFormatVersion);
  identity.Set("path", directory);
  identity.Set("inode", static_cast<int64_t>(info.inode));
  if (restoring) identity.Set(kRestoring, true);
  return io::WriteFileAtomically(env.files, IdentityPath(directory), identity.Dump(2) + "\n");
}

Result<Json> ReadIdentity(io::Env env, const Path& directory) {
  ASSIGN_OR_RETURN(auto text, io::ReadFile(env.files, IdentityPath(directory), kIdentityBytesMax));
  auto identity = Json::Parse(text);
  if (!identity.ok())
    return Error{ErrorCode::kCorruption, IdentityPath(directory) + " is damaged: " + identity.error().message, "restore it from a backup"};
  return identity;
}

Result<void> CheckIdentity(io::Env env, const Path& directory) {
  ASSIGN_OR_RETURN(auto identity, ReadIdentity(env, directory));
  const int64_t version = identity["format_version"].AsInt();
  if (version > kDirectoryFormatVersion)
    return Error{
        ErrorCode::kInvalid,
        "\"" + directory + "\" has format " + std::to_string(version) + ", this program knows " + std::to_string(kDirectoryFormatVersion),
        "use the newer sluice that wrote it"};
  if (identity[kRestoring].AsBool())
    return Error{ErrorCode::kInvalid, "a restore of \"" + directory + "\" was interrupted",
                 "run `sluice restore --data " + directory + "` again: it goes on"};
  ASSIGN_OR_RETURN(auto info, env.files.Stat(directory));
  const std::string& made_at = identity["path"].AsString();
  if (made_at != directory)
    return Error{ErrorCode::kInvalid, "\"" + directory + "\" was made at \"" + made_at + "\" and its tables hold absolute paths",
                 "move it back to \"" + made_at + "\""};
  if (static_cast<uint64_t>(identity["inode"].AsInt()) != info.inode)
    return Error{ErrorCode::kInvalid, "\"" + directory + "\" is a copy of the directory that was made here",
                 "if the original is gone for good, run `sluice restore --data " + directory + "`"};
  return {};
}

// What a failure of the first steps means to somebody who just typed `sluice serve`.
Error ExplainFor(const Path& path, const Error& error) {
  return {error.code, "the data directory \"" + path + "\" cannot be used: " + error.message,
          error.hint.empty() ? "check that you may write there, or choose another --data" : error.hint};
}

}  // namespace

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(io::Env env, const Path& path) {
  CHECK(!path.empty() && path[0] == '/', "a data directory that is no absolute path");
  if (auto made = env.files.CreateDirectories(path); !made.ok()) return ExplainFor(path, made.error());
  ASSIGN_OR_RETURN(auto lock, Lock(env, path));
  auto known = io::Exists(env.files, IdentityPath(path));
  if (!known.ok()) return ExplainFor(path, known.error());
  if (*known) {
    RETURN_IF_ERROR(CheckIdentity(env, path));
  } else if (auto written = WriteIdentity(env, path); !written.ok()) {
    return ExplainFor(path, written.error());
  }
  auto directory = std::unique_ptr<DataDirectory>(new DataDirectory(path, std::move(lock)));
  for (auto& part : {directory->log(), directory->warehouse(), directory->spill(), directory->hot()})
    if (auto made = env.files.CreateDirectories(part); !made.ok()) return ExplainFor(path, made.error());
  return directory;
}

Error DataDirectory::Explain(const Error& error) const { return error.code == ErrorCode::kExhausted ? ExplainFor(path_, error) : error; }

Result<std::unique_ptr<io::FileLock>> DataDirectory::Lock(io::Env env, const Path& path) {
  auto lock = env.files.Lock(path + "/LOCK");
  if (!lock.ok()) {
    if (lock.error().code != ErrorCode::kConflict) return ExplainFor(path, lock.error());
    return Error{ErrorCode::kConflict, "another process uses \"" + path + "\": " + lock.error().message,
                 "stop it, or choose another --data"};
  }
  return lock;
}

Result<bool> DataDirectory::IsRestoring(io::Env env, const Path& path) {
  ASSIGN_OR_RETURN(auto identity, ReadIdentity(env, path));
  return identity[kRestoring].AsBool();
}

Result<void> DataDirectory::MarkRestoring(io::Env env, const Path& path) { return WriteIdentity(env, path, true); }
Result<void> DataDirectory::Adopt(io::Env env, const Path& path) { return WriteIdentity(env, path); }

}  // namespace sluice::server
