# SPDX-License-Identifier: Apache-2.0
"""B5: from the acknowledgement of an event to the first answer that has it."""
import measure
from figures import milliseconds, thousands
from picture import Bar
from report import Table
from sluice import TIERING, Sluice


def freshness(options):
    table = Table("B5. Freshness: from the acknowledgement of an event until a new SQL statement has returned it, under load, with tiering running.",
                  ["load", "p50", "p99", "most", "statements", "of them late"])
    bars = []
    for rate in (10_000, 100_000):
        with Sluice(config=TIERING) as server:
            figures = measure.freshness(server, rate, options.seconds * 2)
        table.row(f"{thousands(rate)} events/s", milliseconds(figures["p50"]), milliseconds(figures["p99"]), milliseconds(figures["max"]), figures["probes"],
                  figures["not_at_once"])
        bars.append(Bar(f"Sluice at {thousands(rate)}/s", figures["p99"], milliseconds(figures["p99"]), "ours"))
    table.picture("p99 from acknowledged to answered by SQL", bars)
    return table
