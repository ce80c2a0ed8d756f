# SPDX-License-Identifier: Apache-2.0
"""B11: a dashboard's queries over hot and cold rows while events come in."""
import datetime
import http.client
import json
import subprocess
import time

import measure
import sluice_lake
from figures import check, milliseconds, quantile, thousands
from machine import PROGRAMS
from peers import clickhouse
from picture import Bar
from report import Table
from rounds import NotRun
from sluice import TIERING, Sluice

COLD_HOURS, COLD_EVENTS_AN_HOUR = 6, 300_000
RATE = 100_000

# $since: an hour before the start; $hour: an hour of long ago; $id: of an event of that hour.
QUERIES = {
    "events by type, last hour": "SELECT type, count(*) AS n FROM $table WHERE time >= $since GROUP BY type ORDER BY type",
    "events a minute, last hour": "SELECT date_trunc('minute', time) AS minute, count(*) AS n FROM $table WHERE time >= $since GROUP BY minute ORDER BY minute",
    "ten busiest users, last hour": "SELECT subject, count(*) AS n FROM $table WHERE time >= $since GROUP BY subject ORDER BY n DESC, subject LIMIT 10",
    "revenue of orders, last hour": "SELECT count(*) AS n, sum(CAST(data ->> '$.amount' AS DECIMAL(12, 2))) AS revenue FROM $table "
                                    "WHERE type = 'shop.order.created' AND time >= $since",
    "payers, all time": "SELECT count(DISTINCT subject) AS n FROM $table WHERE type = 'shop.order.paid'",
    "one hour of long ago, one type": "SELECT count(*) AS n, min(time) AS first, max(time) AS last FROM $table WHERE type = 'shop.cart.updated' "
                                      "AND time >= $hour AND time < $hour + INTERVAL 1 HOUR",
    "one event by id": "SELECT id, type, subject, time FROM $table WHERE id = '$id'",
    "events by hour, all time": "SELECT date_trunc('hour', time) AS hour, count(*) AS n FROM $table GROUP BY hour ORDER BY hour",
}


def filled(query, values):
    for name, value in values.items():
        query = query.replace(f"${name}", value)
    return query


class Dashboard:
    """One connection that asks all queries in turn."""

    def __init__(self, port, values):
        self.connection, self.values = http.client.HTTPConnection("127.0.0.1", port, timeout=60), values
        self.us = {name: [] for name in QUERIES}

    def ask(self, name):
        body = json.dumps({"sql": filled(QUERIES[name], self.values | {"table": "bronze.events"})})
        began = time.monotonic()
        self.connection.request("POST", "/v1/sql", body, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        self.us[name].append((time.monotonic() - began) * 1e6)
        check(answer.status == 200, f'"{name}" was answered with {text[:300]}')
        return json.loads(text)["rows"]

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for name in QUERIES:
                self.ask(name)

    def all(self):
        return [us for one in self.us.values() for us in one]


def comparable(rows):
    """Sluice's JSON and Python's values as the same text."""
    def one(value):
        if isinstance(value, str) and value.endswith("Z"):
            value = datetime.datetime.fromisoformat(value)
        if isinstance(value, datetime.datetime):
            return value.astimezone(datetime.timezone.utc).isoformat()
        return str(value)
    return [[one(v) for v in row] for row in rows]


def fill(server):
    """Cold rows: hours of the past, one after the other, and all of them in the table."""
    for hour in range(COLD_HOURS, 0, -1):
        loaded = measure.run_json(PROGRAMS / "sluice_load", "--port", server.port, "--batch", 200, "--rate", COLD_EVENTS_AN_HOUR / 3, "--seconds", 3, "--warmup", 0,
                                  "--requests", 1500, "--ago", hour * 3600, "--seed", hour)
        check(loaded["requests_refused"] == 0, "events were refused")
    server.flush("events")


def values_of(server, now):
    """What stands for $since, $hour and $id."""
    def text(moment):
        return f"TIMESTAMPTZ '{moment:%Y-%m-%d %H:%M:%S}+00'"
    hour = (now - datetime.timedelta(hours=COLD_HOURS)).replace(minute=0, second=0)
    values = {"since": text(now - datetime.timedelta(minutes=50)), "hour": text(hour)}
    values["id"] = server.sql(f"SELECT min(id) FROM bronze.events WHERE time < {text(now - datetime.timedelta(hours=COLD_HOURS - 1, minutes=30))}")[0][0]
    return values


def duckdb_beside(files, values, seconds):
    """The same queries by DuckDB over the same files, nobody else at work. Answers and times."""
    connection = sluice_lake.open_files(files)
    us, answers, end = {name: [] for name in QUERIES}, {}, time.monotonic() + seconds
    while time.monotonic() < end:
        for name, query in QUERIES.items():
            began = time.monotonic()
            answers[name] = connection.execute(filled(query, values | {"table": "events"})).fetchall()
            us[name].append((time.monotonic() - began) * 1e6)
    return answers, us


def both(us):
    """p50 and p99 as text."""
    return [milliseconds(quantile(us, 0.5)), milliseconds(quantile(us, 0.99))] if us else ["not run", ""]


def queries(options):
    table = Table(f"B11. Eight queries of a dashboard over HTTP, one after the other, while {thousands(RATE)} events a second come in and are moved to the table. "
                  f"{COLD_HOURS} hours of {thousands(COLD_EVENTS_AN_HOUR)} events each are there before. DuckDB: the same SQL in its own process over the files of the "
                  "same Iceberg table, all rows cold and nobody else at work; chdb: likewise, in ClickHouse's dialect.",
                  ["query", "p50", "p99", "asked", "p50 alone, rows hot and cold", "DuckDB p50, alone", "DuckDB p99", "chdb p50, alone", "chdb p99"])
    now = datetime.datetime.now(datetime.timezone.utc)
    seconds = options.seconds * options.rounds * 2
    with Sluice(config=TIERING) as server:
        fill(server)
        values = values_of(server, now)
        busy, idle = Dashboard(server.port, values), Dashboard(server.port, values)
        load = subprocess.Popen([PROGRAMS / "sluice_load", "--port", str(server.port), "--batch", "200", "--rate", str(RATE), "--seconds", str(seconds + 1),
                                 "--requests", "4000"], stdout=subprocess.PIPE)
        busy.ask("events by type, last hour")  # waits until the load runs
        time.sleep(1)
        busy.us = {name: [] for name in QUERIES}
        busy.run(seconds)
        loaded = json.loads(load.communicate()[0])
        check(loaded["requests_refused"] == 0, "events were refused")
        hot_rows = server.sql("SELECT count(*) FROM bronze.events__hot")[0][0]
        answers = {name: comparable(idle.ask(name)) for name in QUERIES}
        idle.run(options.seconds)
        server.flush("events")
        files = sluice_lake.data_files(server.folder / "data")
        theirs, duckdb_us = duckdb_beside(files, values, options.seconds)
        try:
            chdb_answers, chdb_us = clickhouse.queries(files, values, options.seconds)
            chdb_note = ""
        except (NotRun, OSError, RuntimeError, subprocess.SubprocessError) as why:
            chdb_answers, chdb_us, chdb_note = theirs, {}, f" chdb: not run: {why}."
    for name in QUERIES:
        check(answers[name] == comparable(theirs[name]), f'"{name}": Sluice says {answers[name][:3]}, DuckDB {comparable(theirs[name])[:3]}')
        check(answers[name] == comparable(chdb_answers[name]), f'"{name}": Sluice says {answers[name][:3]}, chdb {comparable(chdb_answers[name])[:3]}')
        check(len(answers[name]) > 0, f'"{name}" found nothing')
        table.row(name, milliseconds(quantile(busy.us[name], 0.5)), milliseconds(quantile(busy.us[name], 0.99)), len(busy.us[name]),
                  milliseconds(quantile(idle.us[name], 0.5)), *both(duckdb_us[name]), *both(chdb_us.get(name)))
    p50, p99 = quantile(busy.all(), 0.5), quantile(busy.all(), 0.99)
    table.row("all of them", milliseconds(p50), milliseconds(p99), len(busy.all()), milliseconds(quantile(idle.all(), 0.5)),
              *both([us for one in duckdb_us.values() for us in one]), *both([us for one in chdb_us.values() for us in one]))
    table.note(f"Meanwhile {thousands(loaded['events_per_second'])} events/s were acknowledged (p99 {milliseconds(loaded['latency_us']['p99'])}). The answers were compared with "
               f"DuckDB's, over {hot_rows:,} hot rows among them; the table then had {len(files)} files.{chdb_note}")
    table.picture("p50 of dashboard queries under 100 k events/s",
                  [Bar(name, quantile(busy.us[name], 0.5), f"{milliseconds(quantile(busy.us[name], 0.5))} (p99 {milliseconds(quantile(busy.us[name], 0.99))})", "ours")
                   for name in QUERIES])
    return table
