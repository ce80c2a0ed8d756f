# SPDX-License-Identifier: Apache-2.0
"""Two copies of a log that share one catalog and one warehouse: once they went different ways, only one of them can commit, and no row
is lost or doubled. A log that is older than its table is refused with the way out.
"""

import shutil
import time

import pytest

from lake import load_table, read_rows
from ledger import Client
from mounts import Mounts
from problems import assert_problem
from sluice_server import Server, event

TABLE = "/v1/tables/bronze/events"
SMALL = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB"]
STILL = [*SMALL, "--set", "tier.interval_ms=3600000"]
RESTLESS = [*SMALL, "--set", "tier.interval_ms=20", "--set", "tier.interval_stretch_max=1"]


def events(prefix, count):
    return [{**event(n), "id": f"{prefix}-{n}"} for n in range(count)]


def ids(data, table="bronze.events"):
    found = [row["id"] for row in read_rows(data, table)]
    assert len(found) == len(set(found)), "a row is in the table twice"
    return set(found)


def ids_of(*batches):
    return {e["id"] for batch in batches for e in batch}


def place(data, log):
    """Puts `log` where the directory's log is, and answers where that one is now."""
    away = data.parent / f"log-{time.monotonic_ns()}"
    (data / "log").rename(away)
    log.rename(data / "log")
    return away


def fork(data, common):
    """A directory with `common` in its table, and a copy of its log."""
    with Server(data, *STILL) as server:
        assert server.send(common).status == 200
        server.flush()
        assert server.stop() == 0
    return shutil.copytree(data / "log", data.parent / "log-copy")


def run(data, batch, flush):
    """A server's life with one batch: killed, so that what it did not flush stays in the log only."""
    server = Server(data, *STILL)
    assert server.send(batch).json()["accepted"] == len(batch)
    if flush:
        assert server.flush()["lag"] == 0
    server.kill()


def assert_paused(server, words, shows_rows=False):
    """The table does nothing more, says why, and names the way out; the server lives."""
    server.wait_until(lambda: server.get(TABLE).json()["state"] == "paused")
    cause = server.get(TABLE).json()["cause"]
    assert all(word in cause for word in [*words, "sluice restore"]), cause
    problem = assert_problem(server.request("POST", TABLE + "/flush", b""), 503, "unavailable")
    assert words[0] in problem["detail"]
    if not shows_rows:  # behind another log's rows nobody can say which are missing: no answer is better than a wrong one
        asked = server.post("/v1/sql", '{"sql": "SELECT count(*) FROM bronze.events"}')
        assert_problem(asked, 503, "unavailable", ["bronze.events is not available", "sluice table describe"])
    assert server.get("/livez").status == 200


def assert_refused(data):
    """A log that ends before its table: the server does not start, and names the way out."""
    with pytest.raises(RuntimeError, match="not ready") as raised:
        Server(data, *RESTLESS)
    said = str(raised.value)
    assert all(words in said for words in ["bronze.events ends at offset", "the log ends before it", f"sluice restore --data {data}"]), said


@pytest.mark.parametrize("first, second", [(50, 50), (10, 200), (200, 10)])
def test_copy_whose_log_diverged_cannot_commit(data, first, second):
    common, one, other = events("common", 100), events("one", first), events("other", second)
    copy = fork(data, common)
    run(data, one, flush=False)
    original = place(data, copy)
    run(data, other, flush=True)  # the copy is first
    committed = ids(data)
    assert committed == ids_of(common, other)
    before = load_table(data).metadata_location
    place(data, original)
    if first < second:  # the original ends before the table now: nothing may be taken for offsets that the table has
        assert_refused(data)
    else:
        with Server(data, *RESTLESS) as server:  # and the original is the one that has to stop
            assert_paused(server, ["bronze.events"])
            assert server.request("POST", TABLE + "/resume", b"").status == 409  # without a word about from where: it stays so
            assert_paused(server, ["bronze.events"])
    assert load_table(data).metadata_location == before
    assert ids(data) == committed


def test_diverged_copy_hinders_no_other_table(data):
    common, one, other = events("common", 100), events("one", 50), events("other", 50)
    copy = fork(data, common)
    run(data, one, flush=False)
    original = place(data, copy)
    run(data, other, flush=True)
    place(data, original)
    with Server(data, *STILL) as server:
        assert_paused(server, ["diverge"])
        elsewhere = server.send(events("elsewhere", 30), path="/v1/topics/raw-orders/events").json()
        assert elsewhere["accepted"] == 30
        assert server.flush("bronze.orders")["lag"] == 0
        assert server.sql("SELECT count(*) FROM bronze.orders") == [[30]]
    assert ids(data, "bronze.orders") == ids_of(events("elsewhere", 30))


def test_log_that_is_older_than_its_table_is_refused_with_the_way_out(data):
    common, lost = events("common", 100), events("lost", 50)
    backup = fork(data, common)
    run(data, lost, flush=True)
    place(data, backup)
    before = load_table(data).metadata_location
    for _ in range(2):  # it never becomes longer, with other events at the same offsets
        assert_refused(data)
    assert load_table(data).metadata_location == before
    assert ids(data) == ids_of(common, lost)


@pytest.mark.parametrize("race", range(4))
def test_copies_that_run_at_the_same_time_never_lose_or_double_a_row(data, race):
    common = events("common", 100)
    copy = fork(data, common)
    lock = data.parent / "LOCK-copy"
    lock.touch()
    script = 'mount --bind "$1" "$2/log"; mount --bind "$3" "$2/LOCK"'
    acknowledged = {"one": set(), "other": set()}
    with Mounts(script, copy, data, lock) as mounts, Server(data, *RESTLESS) as one, Server(data, *RESTLESS, wrap=mounts.wrap) as other:
        clients = {"one": Client(one.url), "other": Client(other.url)}

        def send(name, number):
            batch = [{**event(n), "id": f"{name}-{number}-{n}"} for n in range(20)]
            if clients[name].send(batch).status == 200:
                acknowledged[name] |= ids_of(batch)

        def state(server):
            return server.get(TABLE).json()["state"]

        number = 0
        while "paused" not in (state(one), state(other)):
            send("one", number)
            send("other", number)
            number += 1
            assert number < 5_000, "two copies of one log feed one table"
        for _ in range(20):
            send("one", number)
            send("other", number)
            number += 1
        winner, loser = ("other", "one") if state(one) == "paused" else ("one", "other")
        servers = {"one": one, "other": other}
        assert state(servers[winner]) == "running"
        assert servers[winner].flush()["lag"] == 0
        assert_paused(servers[loser], ["diverge"], shows_rows=True)  # those of its own log, as when it was running
    stored = ids(data)
    assert ids_of(common) | acknowledged[winner] <= stored, f"lost: {sorted(acknowledged[winner] - stored)[:5]}"
    strangers = stored - ids_of(common) - acknowledged[winner]
    assert not strangers, f"rows of the copy that lost: {sorted(strangers)[:5]}"
