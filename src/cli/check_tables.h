// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check_report.h"
#include "iceberg/catalog.h"
#include "io/env.h"
#include "log/check.h"

namespace sluice::cli {

// For each table of the catalog: metadata, manifest lists and manifests of all snapshots can be read; each live data file is there
// with the size that its manifest says, every page of it is whole and it has the rows that its manifest says; and the newest
// snapshot has as many rows as it claims.
void CheckTables(io::Env env, iceberg::Catalog& catalog, CheckReport& report);

// Files of the tables that nobody refers to: a note for each table, with all names or the first few.
void CheckOrphans(io::Env env, iceberg::Catalog& catalog, bool all_names, CheckReport& report);

// The log is the one that fed the tables, and reaches as far as they do. Nothing is compared when `log` has findings of its own.
void CheckTablesAgainstLog(iceberg::Catalog& catalog, const log::LogCheck& log, CheckReport& report);

}  // namespace sluice::cli
