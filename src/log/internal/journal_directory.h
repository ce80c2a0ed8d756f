// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Names of files and directories of a log, and the identity file that makes a directory one journal.
//
//   <root>/journal/identity.json                   journal id, dedup secret, their checksum
//   <root>/journal/<20 digits>.segment             the journal, numbered without gaps
//   <root>/journal/spare-<20 digits>               emptied segments, to be used again
//   <root>/journal/preparing                       a segment that has no number yet; meaningless after a crash
//   <root>/quarantine/...                          torn tails, never read again by us
//   <root>/topics/<topic>/<partition>/...log       frames that outlive their segment
//   <root>/dedup/<from>-<to>.run                   sealed dedup runs
//   <root>/checkpoints/<20 digits>.checkpoint      topics, offsets, state

#include <string>
#include <vector>

#include "base/path.h"
#include "base/result.h"
#include "io/file_system.h"
#include "io/random.h"
#include "log/internal/journal_format.h"

namespace sluice::log {

struct LogPaths {
  explicit LogPaths(const Path& root_directory);
  Path root, journal, quarantine, topics, dedup, checkpoints;
  Path identity() const { return base::JoinPath(journal, "identity.json"); }
  Path segment(SegmentNumber number) const { return base::JoinPath(journal, SegmentFileName(number)); }
  Path spare(SegmentNumber number) const;
  Path preparing() const { return base::JoinPath(journal, "preparing"); }
};

struct JournalIdentity {
  static constexpr size_t kSecretSize = 32;
  JournalId id{};
  std::string dedup_secret;  // kSecretSize bytes; the key of the dedup hash
};

// A new id and secret.
JournalIdentity MakeIdentity(io::Random& random);
// kNotFound: there is none. kCorruption: it is damaged. kInvalid: a newer format.
Result<JournalIdentity> ReadIdentity(io::FileSystem& files, const LogPaths& paths);
// The last step of making a journal: a directory with segments and no identity was never used.
Result<void> WriteIdentity(io::FileSystem& files, const LogPaths& paths, const JournalIdentity& identity);

// Numbers of the segments, ascending; kCorruption when one between the first and the last is missing.
Result<std::vector<SegmentNumber>> ListSegments(io::FileSystem& files, const LogPaths& paths);
// Paths of spare segments, some maybe of another size: made under other options.
Result<std::vector<Path>> ListSpares(io::FileSystem& files, const LogPaths& paths);

}  // namespace sluice::log
