// SPDX-License-Identifier: Apache-2.0
#pragma once
//
// The invariants of one view: what it shows against what the model knows. Pure: rows in, a sentence out.

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "log/types.h"
#include "sim/ledger.h"
#include "sim/table_rows.h"

namespace sluice::sim {

// One table as one view showed it.
struct ShownTable {
  std::string topic;
  TableRows rows;
  std::map<int32_t, int64_t> lake_ends;  // what the table's progress says, by log partition
  std::map<int32_t, int64_t> ends;       // what the view says of itself
};

struct ViewRules {
  // As the ledger was when the view began:
  size_t acknowledged = 0;  // so many of Ledger::acknowledged() must be there
  std::map<std::string, std::map<int32_t, int64_t>> seen_ends;
  std::set<std::string> left_out;  // topics whose tables the view does not show: nothing is known of them
  // As in LogOptions:
  int64_t watermark_delay_us = 0;
  int64_t time_ahead_us_max = 0;
};

// A finding as a sentence, or nothing. Notes the rows in the ledger.
//
//   1  every acknowledged event is there once, at its place; every other one once at most; nothing else is there
//   2  the rows of a log partition are its offsets 0, 1, 2, ... : hot rows begin where the lake's end, and progress says where
//   3  a row is what was sent, in every column, and is in later views what it was in earlier ones
//   4  what any view has shown is there, after any crash: it was durable
//   5  the new events of one request are there together or not at all, in all tables
//   6  the events of one sender stand in their order in each log partition
//   7  an event is late exactly when it came behind its partition's watermark
std::string CheckView(const std::vector<ShownTable>& tables, const ViewRules& rules, Ledger& ledger);

}  // namespace sluice::sim
