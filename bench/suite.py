# SPDX-License-Identifier: Apache-2.0
"""The benchmarks. Each returns a report.Table; what an acknowledgement means stands in its sentence."""
import statistics
import time

import measure
from processes import Nginx, Redis, Sluice
from report import Table, mebibytes, milliseconds, span, thousands

GIB = 2**30
# Rows stay hot while ingest alone is measured, and the journal has room for them.
HOT_ONLY = (f"hot:\n  bytes_max: {12 * GIB}\ntier:\n  interval_ms: 600000\n  rows_max: 1000000000\n  bytes_max: {100 * GIB}\n"
            f"journal:\n  bytes_max: {6 * GIB}\n")
TIERING = f"hot:\n  bytes_max: {4 * GIB}\njournal:\n  bytes_max: {2 * GIB}\n"
WARM_EVENTS = 12_000_000  # more than the journal holds: from then on its segments are used again


def median(figures, *path):
    def value(figure):
        for word in path:
            figure = figure[word]
        return figure
    return statistics.median(value(f) for f in figures)


def on(server, action):
    """A fresh server for one action."""
    with server as running:
        return action(running)


def interleaved(rounds, a, b):
    """A B B A, so many times. Returns the figures of both, pairs beside each other."""
    first, second = [], []
    for _ in range(rounds):
        first.append(a())
        second.append(b())
        second.append(b())
        first.append(a())
    return first, second


def rows_of(table, figures, name):
    table.row(name, thousands(median(figures, "events_per_second")), milliseconds(median(figures, "latency_us", "p50")),
              milliseconds(median(figures, "latency_us", "p99")), f'{median(figures, "server_cpu_seconds_per_million"):.2f}',
              mebibytes(median(figures, "memory", "private")), mebibytes(median(figures, "memory", "shared")))


def flush_all(server):
    for table in server.request("GET", "/v1/tables")["tables"]:
        server.flush(table["name"].split(".")[1])


def warm(server, **load):
    """A server that has run for a while: its journal is full, of rows that are in their tables. Returns the figures of its first seconds."""
    first, sent = None, 0
    while sent < WARM_EVENTS:
        figures = measure.load(server, 200, 5, **load)
        first = first or figures
        sent += figures["events_answered"]
        flush_all(server)
    return first


def ingest(options, batch, sentence, **load):
    """Between two measurements rows move to their tables; nothing moves meanwhile."""
    def measured(server):
        figures = measure.load(server, batch, options.seconds, **load)
        flush_all(server)
        return figures

    table = Table(sentence, ["server", "events/s", "p50", "p99", "CPU-s per 1 M events", "private memory", "hot chunks"])
    with Sluice(config=HOT_ONLY) as server:
        first = warm(server, **load) if batch == 200 else measured(server)
        sluice, nginx = interleaved(options.rounds, lambda: measured(server),
                                    lambda: on(Nginx(), lambda s: measure.load(s, batch, options.seconds, **load)))
    rows_of(table, sluice, "Sluice")
    rows_of(table, nginx, "nginx, discards")
    if batch == 200:
        rows_of(table, [first], "Sluice, first five seconds of a new directory (segments are zeroed as it goes)")
    ratios = [a["events_per_second"] / b["events_per_second"] for a, b in zip(sluice, nginx)]
    table.row("Sluice / nginx", span(ratios), "", "", "", "", "")
    return table, sluice


def ingest_batches(options):
    table, sluice = ingest(options, 200, "HTTP ingest, 200 events a request (JSON array), 64 connections, client on the same cores, all events to one topic. "
                           "Sluice answers after the synchronous journal write, with validation and deduplication; nginx throws the body away.")
    disk = measure.disk(1 << 20)
    journal = median(sluice, "events_per_second") * median(sluice, "bytes_written_per_event")
    table.row("Sluice's disk writes / disk probe (1 MiB, O_DIRECT, O_DSYNC)", f"{journal / disk['bytes_per_second']:.2f}", "", "", "", "", "")
    return table


def ingest_five_topics(options):
    return ingest(options, 200, "The same with five topics: each request becomes up to thirty frames.", spread="five")[0]


def ingest_single(options):
    table, _ = ingest(options, 1, "HTTP ingest, one event a request, 64 connections, client on the same cores; durable as above. "
                      "Redis: XADD of a value of the same size, appendfsync always, no pipelining.")
    redis = [on(Redis(), lambda s: measure.redis_stream(s, options.seconds)) for _ in range(options.rounds)]
    table.row("Redis stream, synced", thousands(median(redis, "events_per_second")), milliseconds(median(redis, "latency_us", "p50")),
              milliseconds(median(redis, "latency_us", "p99")), "", "", "")
    return table


def latency(options):
    table = Table("Open loop: single events at a fixed rate, latency counted from the moment each was due.",
                  ["server", "events/s", "p50", "p99", "CPU-s per 1 M events", "private memory", "hot chunks"])
    for rate in (10_000, 30_000):
        def measured(server, rate=rate):
            return measure.load(server, 1, options.seconds, rate=rate)
        with Sluice(config=HOT_ONLY) as server:
            measured(server)  # its journal's first pages
            sluice, nginx = interleaved(options.rounds, lambda: measured(server), lambda: on(Nginx(), measured))
        rows_of(table, sluice, f"Sluice at {thousands(rate)}/s")
        rows_of(table, nginx, f"nginx, discards, at {thousands(rate)}/s")
    disk = measure.disk(4096)
    table.row("disk probe, 4 KiB", "", f"{disk['p50_us'] / 1000:.2f} ms", f"{disk['p99_us'] / 1000:.2f} ms", "", "", "")
    return table


def tiering(options):
    """Ingest while tables grow, then what is left is moved, then a restart that must catch up."""
    table = Table("Tiering. Rows are sorted by partition, written as ZSTD Parquet and committed to the Iceberg table with the progress; "
                  "catch-up is a start with all rows still in the log. Parquet probe: DuckDB's COPY of as many rows to one ZSTD file.",
                  ["what", "events/s", "beside it", "private memory", "hot chunks"])
    with Sluice(config=TIERING) as server:
        both = measure.load(server, 200, options.seconds * 4)
        drained = time.monotonic()
        server.flush("events")
        drained = time.monotonic() - drained
        rows = server.sql("SELECT count(*) FROM bronze.events__lake")[0][0]
        check(rows == both["events_answered"], f"{both['events_answered']} were acknowledged, the lake holds {rows}")
    table.row("ingest with tiering beside it", thousands(both["events_per_second"]), f"{drained:.1f} s until all was in the table",
              mebibytes(both["memory"]["private"]), mebibytes(both["memory"]["shared"]))
    table.row("ingest and tiering, until the last row is in the table", thousands(both["events_answered"] / (options.seconds * 4 + 1 + drained)), "", "", "")
    with Sluice(config=HOT_ONLY) as server:
        hot = measure.load(server, 200, options.seconds)
        memory = measure.Sampler(server)
        with memory:
            began = time.monotonic()
            server.flush("events")
            took = time.monotonic() - began
    copy = measure.duckdb_copy(server.folder / "data", hot["events_answered"])
    table.row("tiering alone, from hot chunks", thousands(hot["events_answered"] / took), f"{hot['events_answered'] / took / copy:.2f} of DuckDB's COPY",
              mebibytes(memory.largest["private"]), mebibytes(memory.largest["shared"]))
    with Sluice(config=HOT_ONLY) as server:
        hot = measure.load(server, 200, options.seconds)
    began = time.monotonic()
    with Sluice(config=HOT_ONLY, keep=True) as server:
        opened = time.monotonic() - began
        rows = server.sql("SELECT count(*) FROM bronze.events")[0][0]
        loaded = time.monotonic() - began
        check(rows == hot["events_answered"], f"{hot['events_answered']} were acknowledged, {rows} are there after the start")
        memory = measure.Sampler(server)
        with memory:
            server.flush("events")
            took = time.monotonic() - began
    table.row("start with all rows in the log, until it takes events", thousands(hot["events_answered"] / opened), f"{opened:.1f} s", "", "")
    table.row("the same, until it answers over all of them", thousands(hot["events_answered"] / loaded), f"{loaded:.1f} s", "", "")
    table.row("start and tier all of them (catch-up)", thousands(hot["events_answered"] / took), f"{took:.1f} s", mebibytes(memory.largest["private"]),
              mebibytes(memory.largest["shared"]))
    return table


def freshness(options):
    table = Table("Freshness: from the acknowledgement of an event until a new SQL statement has returned it, under load, with tiering running.",
                  ["load", "p50", "p99", "most", "statements", "of them late"])
    for rate in (10_000, 100_000):
        with Sluice(config=TIERING) as server:
            figures = measure.freshness(server, rate, options.seconds * 2)
        table.row(f"{thousands(rate)} events/s", milliseconds(figures["p50"]), milliseconds(figures["p99"]), milliseconds(figures["max"]), figures["probes"],
                  figures["not_at_once"])
    return table


def check(good, sentence):
    if not good:
        raise SystemExit(f"a wrong result is no figure: {sentence}")


BENCHMARKS = {"ingest": ingest_batches, "topics": ingest_five_topics, "single": ingest_single, "latency": latency, "tiering": tiering, "freshness": freshness}
