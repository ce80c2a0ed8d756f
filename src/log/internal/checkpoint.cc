// SPDX-License-Identifier: Apache-2.0
#include "log/internal/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace sluice::log {
namespace {

constexpr std::string_view kMagic = "sluice-checkpoint 1 ";
constexpr std::string_view kMagicAnyVersion = "sluice-checkpoint ";
constexpr std::string_view kSuffix = ".checkpoint";
constexpr size_t kGenerations = 2;

std::string HexCrc(std::string_view bytes) {
  char big[4];
  base::PutBig(big, base::Crc32c(bytes));
  return base::ToHex({big, sizeof big});
}

constexpr size_t kDigits = 20;

std::string CheckpointName(uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(kDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

// 0: not the name of a checkpoint.
uint64_t CheckpointNumber(std::string_view name) {
  uint64_t number = 0;
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number);
  return error == std::errc() && end == name.data() + kDigits ? number : 0;
}

Json EncodeRuns(const std::vector<DedupRunRange>& runs) {
  Json out = Json::MakeArray();
  for (const auto& run : runs) {
    Json one;
    one.Set("first", run.first.get());
    one.Set("last", run.last.get());
    one.Set("oldest", run.oldest.us);
    one.Set("newest", run.newest.us);
    out.Append(std::move(one));
  }
  return out;
}

// Oldest first.
Result<std::vector<std::string>> ListCheckpoints(io::FileSystem& files, const LogPaths& paths) {
  std::vector<std::string> found;
  ASSIGN_OR_RETURN(bool there, io::Exists(files, paths.checkpoints));
  if (!there) return found;
  ASSIGN_OR_RETURN(auto names, files.List(paths.checkpoints));
  for (auto& name : names) {
    if (CheckpointNumber(name) != 0) found.push_back(std::move(name));
  }
  return found;
}

uint64_t GetUnsigned(const Json& json, std::string_view name) { return static_cast<uint64_t>(json[name].AsInt()); }

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& c, const JournalId& journal) {
  Json json;
  json.Set("journal_id", JournalIdText(journal));
  json.Set("covered", c.covered.get());
  json.Set("first_segment", c.first_segment.get());
  json.Set("append_time", c.append_time.us);
  json.Set("dedup_covered", c.dedup_covered.get());
  json.Set("dedup_runs", EncodeRuns(c.dedup_runs));
  json.Set("topics", c.topics);
  std::string body = json.Dump() + "\n";
  return std::string(kMagic) + HexCrc(body) + " " + std::to_string(body.size()) + "\n" + body;
}

Result<Checkpoint> DecodeCheckpoint(std::string_view bytes, const JournalId& journal) {
  Error damaged{ErrorCode::kCorruption, "its checksum is wrong", {}};
  if (bytes.starts_with(kMagicAnyVersion) && !bytes.starts_with(kMagic)) {
    return Error{ErrorCode::kInvalid, "it has another format version", "use the version of Sluice that wrote it, or a newer one"};
  }
  size_t end = bytes.find('\n');
  if (!bytes.starts_with(kMagic) || end == bytes.npos) return damaged;
  std::string_view body = bytes.substr(end + 1);
  if (bytes.substr(0, end) != std::string(kMagic) + HexCrc(body) + " " + std::to_string(body.size())) return damaged;
  ASSIGN_OR_RETURN(Json json, Json::Parse(body));
  if (json["journal_id"].AsString() != JournalIdText(journal)) return Error{ErrorCode::kCorruption, "it belongs to another journal", {}};
  Checkpoint c;
  c.covered = CommitSequence(GetUnsigned(json, "covered"));
  c.first_segment = SegmentNumber(GetUnsigned(json, "first_segment"));
  c.append_time = Timestamp{json["append_time"].AsInt()};
  c.dedup_covered = CommitSequence(GetUnsigned(json, "dedup_covered"));
  for (const auto& run : json["dedup_runs"].AsArray()) {
    c.dedup_runs.push_back({CommitSequence(GetUnsigned(run, "first")), CommitSequence(GetUnsigned(run, "last")),
                            Timestamp{run["oldest"].AsInt()}, Timestamp{run["newest"].AsInt()}});
  }
  c.topics = json["topics"];
  return c;
}

Result<void> WriteCheckpoint(io::FileSystem& files, const LogPaths& paths, const std::string& bytes) {
  RETURN_IF_ERROR(files.CreateDirectories(paths.checkpoints));
  ASSIGN_OR_RETURN(auto names, ListCheckpoints(files, paths));
  names.push_back(CheckpointName(names.empty() ? 1 : CheckpointNumber(names.back()) + 1));
  RETURN_IF_ERROR(io::WriteFileAtomically(files, base::JoinPath(paths.checkpoints, names.back()), bytes));
  for (size_t i = 0; i + kGenerations < names.size(); i++) RETURN_IF_ERROR(files.Remove(base::JoinPath(paths.checkpoints, names[i])));
  return {};
}

Result<std::optional<LoadedCheckpoint>> LoadCheckpoint(io::FileSystem& files, const LogPaths& paths, const JournalId& journal) {
  ASSIGN_OR_RETURN(auto names, ListCheckpoints(files, paths));
  std::optional<LoadedCheckpoint> loaded;
  std::string damage;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    Path path = base::JoinPath(paths.checkpoints, *name);
    ASSIGN_OR_RETURN(std::string bytes, io::ReadFile(files, path));
    auto checkpoint = DecodeCheckpoint(bytes, journal);
    if (!checkpoint.ok() && checkpoint.error().code == ErrorCode::kInvalid) return checkpoint.error().While("reading '" + path + "'");
    if (!checkpoint.ok()) {
      if (!loaded && damage.empty()) damage = "'" + path + "': " + checkpoint.error().message;
      continue;
    }
    if (loaded) {
      loaded->previous_covered = checkpoint->covered;
      break;
    }
    loaded = LoadedCheckpoint{std::move(*checkpoint), damage.empty(), CommitSequence(), damage};
  }
  if (!loaded && !damage.empty()) {
    return Error{ErrorCode::kCorruption, "no checkpoint of the log is whole: " + damage, "restore the directory '" + paths.checkpoints + "' from a backup"};
  }
  return loaded;
}

}  // namespace sluice::log
