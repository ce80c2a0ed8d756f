# SPDX-License-Identifier: Apache-2.0
"""B6: bytes of a request become columns."""
import time

import measure
from figures import check, gigabytes, plain, span, thousands
from machine import PROGRAMS
from picture import Bar
from report import Table
from rounds import Contestant, compare

WAYS = {"sluice": "Sluice's decoder", "simdjson": "simdjson's loop, every value read", "simdjson-skips-data": "simdjson's loop, `data` skipped unread"}
_COLUMNS = {"specversion": "VARCHAR", "id": "VARCHAR", "source": "VARCHAR", "type": "VARCHAR", "time": "TIMESTAMPTZ", "subject": "VARCHAR",
            "datacontenttype": "VARCHAR", "data": "JSON"}


def duckdb_read(events):
    """read_json of the same file into memory, on one core."""
    import duckdb
    connection = duckdb.connect(config={"threads": 1})
    began = time.process_time()
    connection.execute("CREATE TABLE events AS SELECT * FROM read_json(?, format = 'newline_delimited', columns = ?)", [str(events), _COLUMNS])
    took = time.process_time() - began
    count, size = connection.execute("SELECT count(*), sum(length(data)) FROM events").fetchone()
    check(size > 0, "DuckDB read no data")
    return {"events_per_second": count / took, "bytes_per_second": events.stat().st_size / took, "ns_per_event": took * 1e9 / count}


def arrow_read(events):
    """pyarrow.json: `data` becomes columns, its text is lost."""
    from pyarrow import json as arrow_json
    began = time.process_time()
    table = arrow_json.read_json(events, read_options=arrow_json.ReadOptions(use_threads=False, block_size=16 << 20))
    took = time.process_time() - began
    return {"events_per_second": table.num_rows / took, "bytes_per_second": events.stat().st_size / took, "ns_per_event": took * 1e9 / table.num_rows}


def parse(options):
    table = Table("B6. JSON arrays of 200 events become columns: attributes, the time as a number, `data` as checked text; one core, CPU time. Sluice's decoder "
                  "against the loop of simdjson's documentation that fills the same columns. DuckDB and pyarrow read the same events from a file.",
                  ["by", "events/s", "bytes/s", "ns an event", "Sluice against it"])
    events = measure.events_file()
    read = {}

    def kernel(way):
        figures = measure.run_json(PROGRAMS / "sluice_parse", "--with", way, "--events", events, "--seconds", options.seconds / 2)
        read[way] = {k: v for k, v in figures.items() if k.endswith("_read")}
        return figures
    contestants = [Contestant(name, lambda way=way: kernel(way), is_peer=False) for way, name in WAYS.items()]
    contestants += [Contestant("DuckDB read_json", lambda: duckdb_read(events)), Contestant("pyarrow.json", lambda: arrow_read(events))]
    result = compare(options, contestants, ["json"])
    check(len(set(map(str, read.values()))) == 1, f"not the same was read: {read}")
    ours = WAYS["sluice"]
    bars = []
    for contestant in contestants:
        name = contestant.name
        if name in result.not_run:
            table.row(name, "not run: " + result.not_run[name])
        else:
            table.row(name, thousands(result.median(name, "events_per_second")), gigabytes(result.median(name, "bytes_per_second")),
                      plain(result.median(name, "ns_per_event"), "{:.0f}"), "" if name == ours else span(result.ratios(ours, name, "events_per_second")))
        rate = result.median(name, "events_per_second")
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "ours" if name == ours else "peer"))
    table.note("simdjson's loop that skips `data` takes broken JSON there, which Sluice refuses. " + result.circumstances())
    table.picture("Events parsed a second, one core", bars)
    return table
