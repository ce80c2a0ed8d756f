# SPDX-License-Identifier: Apache-2.0
"""B7: rows become a Parquet file."""
import resource
import time

import measure
from figures import check, plain, span, thousands
from machine import PROGRAMS
from picture import Bar
from report import Table
from rounds import Contestant, compare
from sluice import HOT_ONLY, Sluice

EVENTS = 1_000_000
OURS = "Sluice, as the tier writes (zstd 1, Bloom filter on id)"


def rows_file():
    """Rows of the event table as Sluice stored them, in the order of the log, in one file."""
    import duckdb
    folder = measure.fresh_folder("parquet")
    with Sluice(config=HOT_ONLY) as server:
        measure.run_json(PROGRAMS / "sluice_load", "--port", server.port, "--batch", 200, "--rate", 200_000, "--seconds", EVENTS / 200_000, "--warmup", 0,
                         "--requests", 5000)
        server.flush("events")
    files = [str(f) for f in server.folder.glob("data/warehouse/bronze/events/data/**/*.parquet")]
    connection = duckdb.connect()
    connection.execute(f"COPY (SELECT * FROM read_parquet(?, hive_partitioning = false) ORDER BY log_partition, log_offset) TO '{folder / 'rows.parquet'}' "
                       "(FORMAT parquet, ROW_GROUP_SIZE 2000000)", [files])
    return folder / "rows.parquet"


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def repeated(write, rows, file, seconds):
    """`write` again and again; rows a second of CPU time, and the size of the file."""
    begin, cpu, times = time.monotonic(), cpu_seconds(), 0
    while time.monotonic() - begin < seconds:
        write()
        times += 1
    return {"rows_per_second": times * rows / (time.monotonic() - begin), "rows_per_cpu_second": times * rows / (cpu_seconds() - cpu),
            "bytes_per_row": file.stat().st_size / rows}


class DuckDb:
    """The rows in a table in memory; COPY on one core. It writes the table's columns as they come and no page index."""

    def __init__(self, rows):
        import duckdb
        self.connection, self.file = duckdb.connect(config={"threads": 1}), rows.with_name("duckdb.parquet")
        self.connection.execute(f"CREATE TABLE rows AS SELECT * FROM read_parquet('{rows}')")
        self.count = self.connection.execute("SELECT count(*) FROM rows").fetchone()[0]

    def write(self, seconds, level, version="V1"):
        return repeated(lambda: self.connection.execute(f"COPY rows TO '{self.file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level}, "
                                                        f"PARQUET_VERSION {version})"), self.count, self.file, seconds)


class Arrow:
    """pyarrow's writer with its defaults, on one core."""

    def __init__(self, rows):
        import pyarrow
        import pyarrow.parquet
        pyarrow.set_cpu_count(1)
        self.parquet, self.table, self.file = pyarrow.parquet, pyarrow.parquet.read_table(rows, use_threads=False), rows.with_name("arrow.parquet")

    def write(self, seconds, compression):
        return repeated(lambda: self.parquet.write_table(self.table, self.file, compression=compression, compression_level=1 if compression == "zstd" else None,
                                                         row_group_size=122_880), self.table.num_rows, self.file, seconds)


def parquet(options):
    rows = rows_file()
    duckdb, arrow = DuckDb(rows), Arrow(rows)
    check(duckdb.count == arrow.table.num_rows, "the files hold different rows")
    seconds = options.seconds
    contestants = [
        Contestant(OURS, lambda: measure.run_json(PROGRAMS / "sluice_parquet", "--rows", rows, "--to", rows.with_name("ours"), "--seconds", seconds), is_peer=False),
        Contestant("DuckDB COPY, zstd 1", lambda: duckdb.write(seconds, 1)),
        Contestant("DuckDB COPY, zstd 3 (its default)", lambda: duckdb.write(seconds, 3)),
        Contestant("DuckDB COPY, zstd 1, encodings V2", lambda: duckdb.write(seconds, 1, "V2")),
        Contestant("pyarrow, zstd 1", lambda: arrow.write(seconds, "zstd")),
        Contestant("pyarrow, snappy", lambda: arrow.write(seconds, "snappy")),
    ]
    result = compare(options, contestants, ["zstd"])
    table = Table(f"B7. {thousands(duckdb.count)} rows of the event table (25 columns), in memory at the start, become one Parquet file on the page cache; row groups of "
                  "122,880; one core, CPU time.", ["by", "rows/s", "bytes a row", "Sluice against it: rows/s", "Sluice against it: bytes"])
    bars = []
    for contestant in contestants:
        name = contestant.name
        rate = result.median(name, "rows_per_cpu_second")
        if rate is None:
            table.row(name, "not run: " + result.not_run[name])
        else:
            table.row(name, thousands(rate), plain(result.median(name, "bytes_per_row"), "{:.1f}"),
                      span(result.ratios(OURS, name, "rows_per_cpu_second")) if contestant.is_peer else "",
                      plain(result.median(OURS, "bytes_per_row") / result.median(name, "bytes_per_row")) if contestant.is_peer else "")
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "peer" if contestant.is_peer else "ours"))
    table.note(result.circumstances())
    table.picture("Rows written to Parquet a second, one core", bars)
    return table
