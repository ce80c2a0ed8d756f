// SPDX-License-Identifier: Apache-2.0
#include "cli/docs_command.h"

#include <gtest/gtest.h>

#include "front/http/problems.h"
#include "server/config_keys.h"
#include "server/metric_families.h"

namespace sluice::cli {
namespace {

TEST(CliPage, HasEveryCommandThatIsNotHidden) {
  const auto page = CliPage();
  for (auto& command : Commands()) {
    const bool shown = page.find("\n## sluice " + std::string(command.name) + "\n") != std::string::npos;
    EXPECT_EQ(shown, !command.hidden) << command.name;
  }
  for (auto* flag : {"--records", "--map", "--timezone", "--insecure", "describe", "snapshots", "resume"})
    EXPECT_NE(page.find(flag), std::string::npos) << flag;
}

TEST(ConfigPage, HasEveryKeyWithItsVariableAndDefault) {
  const auto page = ConfigPage();
  for (auto& key : server::ConfigKeys())
    EXPECT_NE(page.find("| `" + std::string(key.name) + "` | `" + server::EnvironmentName(key) + "` | "), std::string::npos) << key.name;
}

TEST(ErrorsPage, HasEveryProblem) {
  const auto page = ErrorsPage();
  for (auto& kind : front::http::ProblemKinds())
    EXPECT_NE(page.find("| `" + std::string(kind.slug) + "` | " + std::to_string(kind.status)), std::string::npos) << kind.slug;
}

TEST(MetricsPage, HasEveryFamilyOnce) {
  const auto page = MetricsPage();
  for (auto& family : server::MetricFamilies()) {
    const auto row = "| `" + std::string(family.name) + "` | ";
    ASSERT_NE(page.find(row), std::string::npos) << family.name;
    EXPECT_EQ(page.find(row), page.rfind(row)) << family.name;
  }
}

TEST(RunCommand, ExitCodes) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunCommand({}), kExitOk);
  EXPECT_EQ(RunCommand({"help"}), kExitOk);
  EXPECT_EQ(RunCommand({"send", "--help"}), kExitOk);
  EXPECT_EQ(RunCommand({"snd"}), kExitUsage);
  EXPECT_EQ(RunCommand({"send"}), kExitUsage);
  EXPECT_EQ(RunCommand({"sql", "--nonsense"}), kExitUsage);
  EXPECT_EQ(RunCommand({"topic"}), kExitUsage);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("did you mean `sluice send`?"), std::string::npos);
  EXPECT_NE(testing::internal::GetCapturedStdout().find("sluice serve"), std::string::npos);
}

}  // namespace
}  // namespace sluice::cli
