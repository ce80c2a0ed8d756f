// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// What an operator asks a running server: topic, table, status.

#include <string>

#include "base/json.h"
#include "cli/command.h"
#include "cli/console.h"

namespace sluice::cli {

// The flags that all of them have, and the way to print an answer.
class InfoAction : public Action {
 protected:
  void DefineCommon(CLI::App& app);
  // Asks, and prints: as JSON with -o json, else what Print makes of it.
  int Ask(const std::string& path, bool post, std::string (InfoAction::*print)(const Json& answer) const);

  std::string PrintTopics(const Json& answer) const;
  std::string PrintTopic(const Json& answer) const;
  std::string PrintTables(const Json& answer) const;
  std::string PrintTable(const Json& answer) const;
  std::string PrintSnapshots(const Json& answer) const;
  std::string PrintStatus(const Json& answer) const;

  std::string url_, format_ = "table", name_;
  Console out_{stdout};
};

// sluice topic list | describe NAME
class TopicAction final : public InfoAction {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  CLI::App* app_ = nullptr;
};

// sluice table list | describe | snapshots | files | flush | resume NAME
class TableAction final : public InfoAction {
 public:
  void Define(CLI::App& app) override;
  int Run() override;

 private:
  int ListFiles(const std::string& path);
  CLI::App* app_ = nullptr;
  int64_t timeout_ms_ = 60'000;
  std::string from_;
};

// sluice status
class StatusAction final : public InfoAction {
 public:
  void Define(CLI::App& app) override { DefineCommon(app); }
  int Run() override { return Ask("/v1/status", false, &StatusAction::PrintStatus); }
};

}  // namespace sluice::cli
