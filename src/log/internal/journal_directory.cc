// SPDX-License-Identifier: Apache-2.0
#include "log/internal/journal_directory.h"

#include "base/bytes.h"
#include "base/json.h"

namespace sluice::log {
namespace {

constexpr std::string_view kSparePrefix = "spare-";
constexpr uint64_t kIdentityBytesMax = 4096;

uint32_t IdentityCrc(std::string_view id_text, std::string_view secret_text) {
  return base::Crc32c(secret_text, base::Crc32c(id_text));
}

Error DamagedIdentity(const LogPaths& paths, std::string_view why) {
  return Error{ErrorCode::kCorruption, "journal identity file '" + paths.identity() + "' is damaged: " + std::string(why),
               "restore this file from a backup; without it the journal cannot be told from a foreign one"};
}

}  // namespace

LogPaths::LogPaths(const Path& root_directory)
    : root(root_directory),
      journal(base::JoinPath(root, "journal")),
      quarantine(base::JoinPath(root, "quarantine")),
      topics(base::JoinPath(root, "topics")),
      dedup(base::JoinPath(root, "dedup")),
      checkpoints(base::JoinPath(root, "checkpoints")) {}

Path LogPaths::spare(SegmentNumber number) const {
  return base::JoinPath(journal, std::string(kSparePrefix) + SegmentFileName(number));
}

JournalIdentity MakeIdentity(io::Random& random) {
  JournalIdentity identity;
  for (size_t i = 0; i < identity.id.size(); i += 8) base::PutLittle(identity.id.data() + i, random.Next64());
  for (size_t i = 0; i < JournalIdentity::kSecretSize; i += 8) base::AppendLittle(identity.dedup_secret, random.Next64());
  return identity;
}

Result<JournalIdentity> ReadIdentity(io::FileSystem& files, const LogPaths& paths) {
  ASSIGN_OR_RETURN(std::string text, io::ReadFile(files, paths.identity(), kIdentityBytesMax));
  auto json = Json::Parse(text);
  if (!json.ok()) return DamagedIdentity(paths, json.error().message);
  int64_t version = (*json)["format_version"].AsInt();
  if (version > kJournalFormatVersion) {
    return Error{ErrorCode::kInvalid, "the journal in '" + paths.journal + "' has format version " + std::to_string(version) +
                 ", this program knows " + std::to_string(kJournalFormatVersion), "use the version of Sluice that wrote it, or a newer one"};
  }
  const std::string& id_text = (*json)["journal_id"].AsString();
  const std::string& secret_text = (*json)["dedup_secret"].AsString();
  auto id = ParseJournalId(id_text);
  JournalIdentity identity;
  bool good = id && base::FromHex(secret_text, identity.dedup_secret) && identity.dedup_secret.size() == JournalIdentity::kSecretSize;
  if (!good || (*json)["crc32c"].AsInt(-1) != IdentityCrc(id_text, secret_text)) return DamagedIdentity(paths, "checksum or fields are wrong");
  identity.id = *id;
  return identity;
}

Result<void> WriteIdentity(io::FileSystem& files, const LogPaths& paths, const JournalIdentity& identity) {
  std::string id_text = JournalIdText(identity.id), secret_text = base::ToHex(identity.dedup_secret);
  Json json;
  json.Set("format_version", kJournalFormatVersion);
  json.Set("journal_id", id_text);
  json.Set("dedup_secret", secret_text);
  json.Set("crc32c", static_cast<int64_t>(IdentityCrc(id_text, secret_text)));
  return io::WriteFileAtomically(files, paths.identity(), json.Dump(2) + "\n");
}

Result<std::vector<SegmentNumber>> ListSegments(io::FileSystem& files, const LogPaths& paths) {
  ASSIGN_OR_RETURN(auto names, files.List(paths.journal));
  std::vector<SegmentNumber> numbers;
  for (const auto& name : names) {  // sorted, and the digits have a fixed width
    auto number = ParseSegmentFileName(name);
    if (!number) continue;
    if (!numbers.empty() && *number != numbers.back() + 1) {
      return Error{ErrorCode::kCorruption, "journal segment '" + paths.segment(numbers.back() + 1) + "' is missing",
                   "put the file back; its events are in no other place"};
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<Path>> ListSpares(io::FileSystem& files, const LogPaths& paths) {
  ASSIGN_OR_RETURN(auto names, files.List(paths.journal));
  std::vector<Path> spares;
  for (const auto& name : names) {
    if (name.starts_with(kSparePrefix)) spares.push_back(base::JoinPath(paths.journal, name));
  }
  return spares;
}

}  // namespace sluice::log
