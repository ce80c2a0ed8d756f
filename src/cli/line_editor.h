// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// Lines from a person at a terminal, with editing and history, over libedit.

#include <memory>
#include <string>

#include "base/result.h"
#include "io/file_system.h"
#include "io/termination.h"

namespace sluice::cli {

inline constexpr int kHistoryEntriesMax = 1'000;

// Not thread-safe; one a process, as there is one terminal.
class LineEditor {
 public:
  enum class Status : uint8_t {
    kLine,
    kEnd,          // Ctrl-D
    kInterrupted,  // Ctrl-C: what was typed is thrown away
    kTerminated,   // SIGTERM, or the terminal is gone
  };
  // `history_file` is read now and written by AddHistory; empty: history lives as long as this. `termination` must outlive it.
  static Result<std::unique_ptr<LineEditor>> Make(io::Termination& termination, Path history_file);
  virtual ~LineEditor() = default;
  // Without the newline.
  virtual Status Read(const std::string& prompt, std::string& line) = 0;
  // Remembers a statement, of one or more lines.
  virtual void AddHistory(const std::string& entry) = 0;
};

// $XDG_STATE_HOME/sluice/sql_history, else ~/.local/state/sluice/sql_history; its directory is made. Empty: there is no home.
Path HistoryFile(io::FileSystem& files);

}  // namespace sluice::cli
