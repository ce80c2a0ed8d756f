// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/check_report.h"
#include "iceberg/catalog.h"
#include "io/env.h"

namespace sluice::cli {

// For each table of the catalog: metadata, manifest lists and manifests of all snapshots can be read, each live data file is there
// with the size that its manifest says, and the newest snapshot has as many rows as it claims. Reads no data file.
void CheckTables(io::Env env, iceberg::Catalog& catalog, CheckReport& report);

}  // namespace sluice::cli
