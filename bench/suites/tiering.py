# SPDX-License-Identifier: Apache-2.0
"""B4: from the log to the Iceberg table, and a start that has to catch up."""
import time

import measure
from figures import check, mebibytes, thousands
from picture import Bar
from report import Table
from server import Sampler
from sluice import HOT_ONLY, TIERING, Sluice


def ingested_and_drained(server, seconds):
    """Figures of a load while rows move to their table, and how long the rest took after it."""
    figures = measure.load(server, 200, seconds)
    began = time.monotonic()
    server.flush("events")
    return figures, time.monotonic() - began


def tiering(options):
    """Ingest while tables grow, then what is left is moved, then a restart that must catch up."""
    bars = []

    def row(name, rate, *more):
        table.row(name, thousands(rate), *more)
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "ours"))

    table = Table("B4. Tiering. Where nothing else is said, rows of as long a load before are in the table. Rows are sorted by partition, "
                  "written as ZSTD Parquet and committed to the Iceberg table with the progress; catch-up is a start with all rows still in the log. "
                  "Parquet probe: DuckDB's COPY of as many rows to one ZSTD file.",
                  ["what", "events/s", "beside it", "private memory", "hot chunks"])
    with Sluice(config=TIERING) as server:
        first, _ = ingested_and_drained(server, options.seconds * 4)
        both, drained = ingested_and_drained(server, options.seconds * 4)
        rows, acknowledged = server.sql("SELECT count(*) FROM bronze.events__lake")[0][0], first["events_answered"] + both["events_answered"]
        check(rows == acknowledged, f"{acknowledged} were acknowledged, the lake holds {rows}")
    row("ingest with tiering beside it", both["events_per_second"], f"{drained:.1f} s until all was in the table",
        mebibytes(both["memory"]["private"]), mebibytes(both["memory"]["shared"]))
    row("ingest and tiering, until the last row is in the table", both["events_answered"] / (options.seconds * 4 + 1 + drained))
    row(f"ingest with tiering, first {options.seconds * 4:g} seconds of a new directory", first["events_per_second"],
        "journal segments are zeroed, memory for hot rows is new")
    with Sluice(config=HOT_ONLY) as server:
        hot = measure.load(server, 200, options.seconds)
        memory = Sampler(server)
        with memory:
            began = time.monotonic()
            server.flush("events")
            took = time.monotonic() - began
    copy = measure.duckdb_copy(server.folder / "data", hot["events_answered"])
    row("tiering alone, from hot chunks", hot["events_answered"] / took, f"{hot['events_answered'] / took / copy:.2f} of DuckDB's COPY",
        mebibytes(memory.largest["private"]), mebibytes(memory.largest["shared"]))
    with Sluice(config=HOT_ONLY) as server:
        hot = measure.load(server, 200, options.seconds)
    began = time.monotonic()
    with Sluice(config=HOT_ONLY, keep=True) as server:
        opened = time.monotonic() - began
        rows = server.sql("SELECT count(*) FROM bronze.events")[0][0]
        loaded = time.monotonic() - began
        check(rows == hot["events_answered"], f"{hot['events_answered']} were acknowledged, {rows} are there after the start")
        memory = Sampler(server)
        with memory:
            server.flush("events")
            took = time.monotonic() - began
    row("start with all rows in the log, until it takes events", hot["events_answered"] / opened,
        f"{opened:.1f} s, {hot['events_answered'] * hot['event_bytes'] / opened / 1e9:.2f} GB/s of events")
    row("the same, until it answers over all of them", hot["events_answered"] / loaded, f"{loaded:.1f} s")
    row("start and tier all of them (catch-up)", hot["events_answered"] / took, f"{took:.1f} s", mebibytes(memory.largest["private"]),
        mebibytes(memory.largest["shared"]))
    table.picture("Events a second to the Iceberg table", bars)
    return table
