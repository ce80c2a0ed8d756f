# SPDX-License-Identifier: Apache-2.0
"""B4 beside others: events that are in a log become rows of an Iceberg table."""
import sys
import time

import duckdb
import measure
import sluice_lake
from figures import check, mebibytes, plain, span, thousands
from machine import PROGRAMS
from peers import install, spark
from peers.kafka import Kafka
from picture import Bar
from report import Table
from rounds import Contestant, compare
from server import Sampler
from sluice import HOT_ONLY, Sluice

EVENTS = 1_000_000
OURS = "Sluice, from its log"
MEANS = {
    OURS: "log to table, committed with the progress: exactly once; duplicates were removed when they came",
    "Spark, from Kafka": "log to table, exactly once by checkpoints; duplicates removed by a RocksDB state",
    "PyIceberg append": "file to table, one commit of everything at once; no log, no progress, no deduplication",
    "DuckDB COPY": "file to Parquet files; no table, no commit",
}


def result_of(rows, ids, seconds, **more):
    check(rows == ids == EVENTS, f"{EVENTS} events were sent, the table has {rows} rows with {ids} ids")
    return {"events_per_second": rows / seconds, **more}


def sluice_flush():
    """Rows that are in the log, and hot, go to the table."""
    with Sluice(config=HOT_ONLY) as server:
        measure.run_json(PROGRAMS / "sluice_load", "--port", server.port, "--batch", 200, "--rate", 250_000, "--seconds", EVENTS / 250_000, "--warmup", 0,
                         "--requests", EVENTS // 200)
        sent = server.sql("SELECT count(*) FROM bronze.events")[0][0]
        with Sampler(server) as memory:
            began = time.monotonic()
            server.flush("events")
            seconds = time.monotonic() - began
    files = sluice_lake.data_files(server.folder / "data")
    rows, ids = sluice_lake.open_files(files).execute("SELECT count(*), count(DISTINCT id) FROM events").fetchone()
    check(rows == ids == sent, f"{sent} events were acknowledged, the table has {rows} rows with {ids} ids")
    size = sum(f.stat().st_size for f in server.folder.glob("data/warehouse/**/*.parquet"))
    return {"events_per_second": rows / seconds, "memory": {"peak": memory.largest["private"]}, "bytes_per_row": size / rows}


def spark_stream():
    with Kafka(synced=False) as kafka:
        kafka.create_topic("events", partitions=4)
        kafka.send_file("events", measure.events_file(EVENTS))
        return result_of(**spark.stream(kafka, "events", measure.fresh_folder("spark")))


def pyiceberg_append():
    folder = measure.fresh_folder("pyiceberg")
    return result_of(**measure.run_json(sys.executable, install.HERE / "pyiceberg_append.py", measure.events_file(EVENTS), folder))


def duckdb_copy():
    folder = measure.fresh_folder("duckdb")
    connection = duckdb.connect(config={"threads": 2})
    began = time.monotonic()
    connection.execute(f"COPY (SELECT *, date_trunc('hour', time) AS time_hour FROM read_json('{measure.events_file(EVENTS)}', format = 'newline_delimited', columns = "
                       "{specversion: 'VARCHAR', id: 'VARCHAR', source: 'VARCHAR', type: 'VARCHAR', time: 'TIMESTAMPTZ', subject: 'VARCHAR', datacontenttype: 'VARCHAR', "
                       f"data: 'JSON'}})) TO '{folder}/copy' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (type, time_hour))")
    seconds = time.monotonic() - began
    rows, ids = connection.execute(f"SELECT count(*), count(DISTINCT id) FROM read_parquet('{folder}/copy/**/*.parquet')").fetchone()
    return result_of(rows, ids, seconds, bytes_per_row=sum(f.stat().st_size for f in folder.rglob("*.parquet")) / rows)


def streams(options):
    table = Table(f"B4. {thousands(EVENTS)} events of 564 bytes become rows, partitioned by type and hour, zstd 1, on both cores. Kafka holds them before Spark's clock "
                  "starts, Sluice's log and memory before its own. Rows and ids are counted afterwards.",
                  ["by", "what is done", "events/s", "bytes a row", "peak memory", "Sluice against it"])
    ways = {OURS: sluice_flush, "Spark, from Kafka": spark_stream, "PyIceberg append": pyiceberg_append, "DuckDB COPY": duckdb_copy}
    result = compare(options, [Contestant(name, way, is_peer=name != OURS) for name, way in ways.items()], ["zstd"])
    bars = []
    for name, words in MEANS.items():
        rate = result.median(name, "events_per_second")
        if rate is None:
            table.row(name, words, "not run: " + result.not_run[name])
        else:
            table.row(name, words, thousands(rate), plain(result.median(name, "bytes_per_row"), "{:.1f}"), mebibytes(result.median(name, "memory", "peak")),
                      "" if name == OURS else span(result.ratios(OURS, name, "events_per_second"), "{:.1f}"))
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "ours" if name == OURS else "peer"))
    table.note("Sluice keeps 25 columns, the others 8: `data` as text in each. Spark's memory is its Java process without Kafka's. " + result.circumstances())
    table.picture("Events a second into a table", bars)
    return table
