# SPDX-License-Identifier: Apache-2.0
"""B1, open loop: single events at a fixed rate, alone and beside others that want the cores."""
import contextlib
import sys
import threading

import measure
from busy_loops import busy_loops
from figures import median, milliseconds, plain, thousands
from peers.nginx import Nginx
from picture import Bar
from report import Table
from rounds import Contestant, compare
from sluice import HOT_ONLY, TIERING, Sluice
from suites.ingest import on

QUANTILES = ("p50", "p90", "p99", "p999", "max")
HEADER = ["server", "events/s", *QUANTILES[:3], "p99.9", "max", "CPU-s per 1 M events", "longest pause of the machine"]
ATTEMPTS, PAUSE_US_MAX = 4, 10_000  # a machine that runs nobody for longer tells nothing of a server's p99
RUNAWAY_SQL = "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"


def at_rate(server, options, rate):
    """A measurement without long pauses of the machine, or the last one. It is the same for everybody."""
    for attempt in range(ATTEMPTS):
        figures = measure.load(server, 1, options.seconds, rate=rate)
        if figures.get("pause_longest_us", 0) <= PAUSE_US_MAX or attempt == ATTEMPTS - 1:
            break
        print(f"    the machine paused for {milliseconds(figures['pause_longest_us'])}: once more", file=sys.stderr, flush=True)
    return figures


def rows_of(table, result, words):
    """A row for each contestant, and bars of their p99. `words`: what a contestant is called there."""
    bars = []
    for name, called in words.items():
        if name in result.not_run:
            table.row(called, "not run: " + result.not_run[name])
            continue
        figures = result.of(name)
        table.row(called, thousands(median(figures, "events_per_second")), *(milliseconds(median(figures, "latency_us", q)) for q in QUANTILES),
                  plain(median(figures, "server_cpu_seconds_per_million")), *([milliseconds(median(figures, "pause_longest_us"))] if "pause_longest_us" in figures[0] else []))
        p99 = median(figures, "latency_us", "p99")
        bars.append(Bar(called, p99, milliseconds(p99), "ours" if name.startswith("Sluice") else "peer"))
    return bars


def latency(options):
    table = Table("B1. Open loop: single events at a fixed rate over 64 connections, latency counted from the moment each was due until its answer, durable; every request "
                  "is counted, none estimated (exact quantiles, not a histogram's).", HEADER)
    bars = []
    for rate in (10_000, 30_000):
        def measured(server, rate=rate):
            return at_rate(server, options, rate)
        with Sluice(config=HOT_ONLY) as server:
            measured(server)  # its journal's first pages
            result = compare(options, [Contestant("Sluice", lambda: measured(server), is_peer=False), Contestant("nginx", lambda: on(Nginx(), measured))], ["disk_4k"])
        bars += rows_of(table, result, {"Sluice": f"Sluice at {thousands(rate)}/s", "nginx": f"nginx, discards, at {thousands(rate)}/s"})
        table.row(f"disk probe at the time of {thousands(rate)}/s, writes of 4 KiB", "", milliseconds(result.probe("disk_4k", "p50_us")), "",
                  milliseconds(result.probe("disk_4k", "p99_us")))
    table.picture("p99 from due to durable, single events", bars)
    return table


@contextlib.contextmanager
def runaway_statements(server, count):
    """Statements that never end by themselves: each is asked again when the server has ended it. Yields the list of what they were told."""
    ending, told = threading.Event(), []

    def run():
        while not ending.is_set():
            try:
                server.request("POST", "/v1/sql", {"sql": RUNAWAY_SQL, "timeout_ms": 2000})
                told.append("an answer")
            except OSError as error:  # of urllib: what the server said
                told.append(str(error))
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def neighbours(options):
    """Two other programs that never sleep, and two statements that never end."""
    table = Table("Beside others: single events at 10 k/s as above, tiering running; the server has a session of its own, as every service has. CPU hogs: two endless loops, each "
                  "in a session of its own. Runaway SQL: two endless statements at any time, each ended by its timeout of two seconds and asked again. The client is "
                  "real-time, as if it were on another machine; nginx beside the same loops shows what of it is the client and the machine.", HEADER)
    names = {"Sluice, alone": (0, 0), "Sluice, two CPU hogs": (2, 0), "Sluice, runaway SQL": (0, 2), "Sluice, two CPU hogs and runaway SQL": (2, 2)}
    with Sluice(config=TIERING) as server:
        measure.load(server, 1, options.seconds, rate=10_000)

        def measured(hogs, statements):
            with busy_loops(hogs), runaway_statements(server, statements) as told:
                figures = at_rate(server, options, 10_000)
            if statements and not told:
                raise RuntimeError("no statement ran")
            return figures

        def nginx():
            with Nginx() as peer, busy_loops(2):
                return at_rate(peer, options, 10_000)
        peer = Contestant("nginx, discards, two CPU hogs", nginx)
        result = compare(options, [*(Contestant(name, lambda who=who: measured(*who), is_peer=False) for name, who in names.items()), peer])
    table.picture("p99 from due to durable at 10 k/s", rows_of(table, result, {name: name for name in [*names, peer.name]}))
    return table
