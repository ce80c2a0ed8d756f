// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_shell.h"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

TEST(DescribeStatement, TellsWhatTheTableSaysOfItsColumns) {
  auto table = Json::Parse(
      R"({"columns":[{"id":1,"name":"it's","required":true},{"id":2,"name":"time","required":true},{"id":3,"name":"data","required":false}],)"
      R"("partition_spec":[{"source-id":2,"transform":"hour"},{"source-id":2,"transform":"bucket[4]"}]})");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(DescribeStatement("bronze.events", *table),
            "SELECT column_name AS \"column\", column_type AS type, CASE WHEN column_name IN ('it''s', 'time') THEN 'no' ELSE 'yes' END AS "
            "nullable, "
            "CASE column_name WHEN 'time' THEN 'hour, bucket[4]' ELSE '' END AS partition FROM (\nDESCRIBE bronze.events\n)");
}

TEST(DescribeStatement, WorksForWhatIsNoTable) {
  EXPECT_EQ(DescribeStatement("bronze.events__files", Json()),
            "SELECT column_name AS \"column\", column_type AS type, lower(\"null\") AS nullable FROM (\nDESCRIBE bronze.events__files\n)");
}

}  // namespace
}  // namespace sluice::cli
