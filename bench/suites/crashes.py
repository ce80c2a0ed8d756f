# SPDX-License-Identifier: Apache-2.0
"""B15: what a kill costs, and what a long run does."""
import random
import subprocess
import threading
import time

import measure
import sluice_lake
from figures import check, mebibytes, milliseconds, quantile, slope_per_hour, thousands
from machine import PROGRAMS
from picture import Bar
from report import Table
from sluice import TIERING, Sluice

KILLS_A_ROUND = 5
RATE = 200_000


def load_until_killed(server, ledger, seconds):
    """Sends until the server is killed after `seconds`; what was acknowledged is in the ledger. Returns how many events."""
    load = subprocess.Popen([PROGRAMS / "sluice_load", "--port", str(server.port), "--batch", "100", "--rate", str(RATE), "--seconds", "60", "--warmup", "0",
                             "--requests", "2000", "--seed", str(random.getrandbits(30)), "--ledger", ledger], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    server.process.kill()
    server.process.wait()
    load.communicate()
    return sum(int(line.split()[1]) for line in ledger.read_text().splitlines())


def compare_with_ledgers(data, ledgers):
    """By DuckDB over the Iceberg table: acknowledged events that are not in it, and events that are in it twice."""
    connection = sluice_lake.open_files(sluice_lake.data_files(data))
    connection.execute("CREATE TABLE acknowledged AS SELECT unnest(range(column0, column0 + column1)) AS number FROM "
                       f"read_csv({[str(f) for f in ledgers]}, delim = ' ', header = false, columns = {{'column0': 'BIGINT', 'column1': 'BIGINT'}})")
    connection.execute("CREATE TABLE stored AS SELECT CAST('0x' || substr(id, 1, 16) AS BIGINT) AS number, id FROM events")
    lost = connection.execute("SELECT count(*) FROM acknowledged ANTI JOIN stored USING (number)").fetchone()[0]
    rows, ids = connection.execute("SELECT count(*), count(DISTINCT id) FROM stored").fetchone()
    return lost, rows - ids, rows


def crashes(options):
    kills = KILLS_A_ROUND * options.rounds
    ledgers, ready, events = [], [], 0
    folder = measure.fresh_folder("ledgers")
    random.seed(15)
    for number in range(kills):
        began = time.monotonic()
        with Sluice(name="crashes", config=TIERING, keep=number > 0) as server:
            if number > 0:
                ready.append((time.monotonic() - began) * 1e6)
            ledgers.append(folder / f"{number}")
            events += load_until_killed(server, ledgers[-1], random.uniform(0.5, options.seconds))
    with Sluice(name="crashes", config=TIERING, keep=True) as server:
        server.flush("events")
        lost, twice, rows = compare_with_ledgers(server.folder / "data", ledgers)
    check(lost == 0 and twice == 0, f"{lost} acknowledged events were lost, {twice} are there twice")
    table = Table(f"B15. Kill -9 at a random moment of ingest ({thousands(RATE)} events/s) and tiering, start, go on. In the end DuckDB compares the Iceberg table with the ids "
                  "that were acknowledged.", ["kills", "events acknowledged", "lost", "twice", "rows in the table", "start after a kill, p50", "most"])
    table.row(kills, f"{events:,}", lost, twice, f"{rows:,}", milliseconds(quantile(ready, 0.5)), milliseconds(max(ready)))
    table.note("Rows beyond the acknowledged events are of requests that were on their way at a kill: stored, and never answered.")
    return table


class Watch:
    """Samples a server's memory until the block ends."""

    INTERVAL_SECONDS = 1

    def __init__(self, server):
        self.server, self.seconds, self.private, self._end = server, [], [], threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self):
        began = time.monotonic()
        while not self._end.wait(self.INTERVAL_SECONDS):
            self.seconds.append(time.monotonic() - began)
            self.private.append(self.server.memory()["private"])

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


def soak(options):
    """At 60 % of what goes with tiering beside it."""
    seconds = options.seconds * 24
    with Sluice(config=TIERING) as server:
        most = measure.load(server, 200, options.seconds)["events_per_second"]
        with Watch(server) as watch:
            figures = measure.load(server, 200, seconds, rate=0.6 * most)
    half = len(watch.private) // 2
    sent = figures["events_answered"] // 200 + figures["requests_refused"]
    table = Table(f"B15. Soak: {seconds:g} seconds at 60 % of the rate that goes with tiering, 200 events a request, open loop.",
                  ["events/s", "requests", "of them refused", "p99", "largest private memory", "private memory, growth an hour (second half)"])
    table.row(thousands(figures["events_per_second"]), f"{sent:,}", figures["requests_refused"], milliseconds(figures["latency_us"]["p99"]),
              mebibytes(max(watch.private)), f"{100 * slope_per_hour(watch.seconds[half:], watch.private[half:]):+.0f} %")
    table.note("The growth is a straight line through the second half of the run: it says little for short runs.")
    table.picture("Private memory, MiB", [Bar("largest", max(watch.private), mebibytes(max(watch.private)), "ours"),
                                          Bar("at the end", watch.private[-1], mebibytes(watch.private[-1]), "ours")])
    return table
