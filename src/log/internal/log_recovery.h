// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Everything a log knows, read back from its directory: checkpoint, dedup runs and topic files first, then the journal, of which
// each part is replayed into what does not cover it yet.

#include <memory>
#include <optional>

#include "log/internal/checkpoint.h"
#include "log/internal/dedup_index.h"
#include "log/internal/journal_recovery.h"
#include "log/internal/log_view.h"
#include "log/internal/topic_table.h"

namespace sluice::log {

struct RecoveredLog {
  JournalIdentity identity;
  JournalScan scan;  // its torn tail is cut (ReadLog: it is not)
  TopicTable topics;
  std::unique_ptr<DedupIndex> dedup;
  std::unique_ptr<LogView> view;
  Timestamp last_append_time;
  CommitSequence checkpoint_covered, previous_checkpoint_covered;
  std::vector<Path> obsolete;  // files that another one replaces
};

// Makes a new log when there is none. Changes nothing on disk before everything was read and found good. Errors: Log::Open.
Result<RecoveredLog> RecoverLog(io::Env env, const LogPaths& paths, const LogOptions& options);
// The same of a log that is there, and nothing on disk is changed: a torn tail stays, behind what the view shows. kNotFound: no log.
Result<RecoveredLog> ReadLog(io::Env env, const LogPaths& paths, const LogOptions& options);

}  // namespace sluice::log
