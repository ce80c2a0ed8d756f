# SPDX-License-Identifier: Apache-2.0
"""B1: events over HTTP, acknowledged when durable."""
import measure
from figures import mebibytes, median, milliseconds, plain, span, thousands
from peers.nginx import Nginx
from peers.redis import Redis
from picture import Bar
from report import Table
from rounds import Contestant, compare
from sluice import HOT_ONLY, Sluice

WARM_EVENTS = 12_000_000  # more than the journal holds: from then on its segments are used again
WARM_LOADS_MAX = 20
HEADER = ["server", "what an acknowledgement means", "events/s", "p50", "p99", "CPU-s per 1 M events", "private memory", "hot chunks", "bytes written an event",
          "Sluice against it"]
DURABLE = "in the journal, written synchronously; validated, duplicates removed"


def flush_all(server):
    for table in server.request("GET", "/v1/tables")["tables"]:
        server.flush(table["name"].split(".")[1])


def warm(server, seconds, **load):
    """A server that has run for a while: its journal is full, of rows that are in their tables, and so much memory was used for hot rows
    that a load of `seconds` finds all it needs: no load brings more than the one before. Returns the figures of its first seconds."""
    first, sent, previous = None, 0, 0
    for _ in range(WARM_LOADS_MAX):
        figures = measure.load(server, 200, seconds if first else 5, **load)
        flush_all(server)
        first = first or figures
        sent += figures["events_answered"]
        if sent >= WARM_EVENTS and figures["events_answered"] < 1.05 * previous:
            return first
        previous = figures["events_answered"]
    raise RuntimeError(f"after {WARM_LOADS_MAX} loads the server still becomes faster")


def on(server, action):
    """A fresh server for one action."""
    with server as running:
        return action(running)


def row_of(table, name, means, figures, against=()):
    table.row(name, means, thousands(median(figures, "events_per_second")), milliseconds(median(figures, "latency_us", "p50")),
              milliseconds(median(figures, "latency_us", "p99")), plain(median(figures, "server_cpu_seconds_per_million")),
              mebibytes(median(figures, "memory", "private")), mebibytes(median(figures, "memory", "shared")),
              plain(median(figures, "bytes_written_per_event"), "{:,.0f}"), span(against))


def rows_of(table, result, means, ours="Sluice"):
    """A row and a bar for each contestant."""
    bars = []
    for name, words in means.items():
        if name in result.not_run:
            table.row(name, words, "not run: " + result.not_run[name])
        else:
            row_of(table, name, words, result.of(name), [] if name == ours else result.ratios(ours, name, "events_per_second"))
        rate = result.median(name, "events_per_second")
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "ours" if name == ours else "peer"))
    return bars


def batches(options, sentence, title, **load):
    """Between two measurements rows move to their tables; nothing moves meanwhile."""
    table = Table(sentence, HEADER)
    with Sluice(config=HOT_ONLY) as server:
        first = warm(server, options.seconds, **load)

        def measured():
            figures = measure.load(server, 200, options.seconds, **load)
            flush_all(server)
            return figures
        result = compare(options, [Contestant("Sluice", measured, is_peer=False),
                                   Contestant("nginx", lambda: on(Nginx(), lambda s: measure.load(s, 200, options.seconds, **load)))], ["disk_1m", "memory"])
    table.picture(title, rows_of(table, result, {"Sluice": DURABLE, "nginx": Nginx.KEEPS}))
    row_of(table, "Sluice, first five seconds of a new directory", "the same; journal segments are zeroed as it goes", [first])
    written = result.median("Sluice", "events_per_second") * result.median("Sluice", "bytes_written_per_event")
    table.row("Sluice's disk writes / disk probe (writes of 1 MiB)", "", f"{written / result.probe('disk_1m', 'bytes_per_second'):.2f}")
    table.note(result.circumstances())
    return table


def ingest(options):
    return batches(options, "B1. HTTP ingest, 200 events a request (JSON array), 64 connections, client on the same cores, all events to one topic.",
                   "Events a second over HTTP, 200 a request")


def topics(options):
    return batches(options, "B1. The same with five topics: each request becomes up to thirty frames.", "Events a second over HTTP, five topics", spread="five")


def single(options):
    table = Table("B1. HTTP ingest, one event a request, 64 connections, client on the same cores. Redis: XADD of a value of the same size by redis-benchmark, "
                  "one at a time on each connection.", HEADER)
    with Sluice(config=HOT_ONLY) as server:
        measure.load(server, 1, options.seconds)  # its journal's first pages

        def measured():
            figures = measure.load(server, 1, options.seconds)
            flush_all(server)
            return figures
        result = compare(options, [Contestant("Sluice", measured, is_peer=False),
                                   Contestant("nginx", lambda: on(Nginx(), lambda s: measure.load(s, 1, options.seconds))),
                                   Contestant("Redis stream", lambda: on(Redis(), lambda s: s.append(options.seconds)))], ["disk_4k"])
    table.picture("Events a second over HTTP, one a request", rows_of(table, result, {"Sluice": DURABLE, "nginx": Nginx.KEEPS, "Redis stream": Redis.KEEPS}))
    table.note(result.circumstances())
    return table
