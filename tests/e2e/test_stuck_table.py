# SPDX-License-Identifier: Apache-2.0
"""A table that does not get on: its rows go to files, its own topic answers 503 at its share of the room, nobody else notices, no start
waits for it, and when it goes on everything is in it once.
"""

import json
import re

import pytest

from lake import load_table, open_catalog, read_rows
from problems import assert_problem
from sluice_server import Server, event, run

MIB = 1 << 20
FLAGS = ["--set", "tier.interval_ms=200", "--set", "journal.segment_bytes=16 MiB", "--set", "journal.bytes_max=96 MiB", "--set", "journal.tail_bytes_max=8 MiB"]
ROOM = [*FLAGS, "--set", "hot.bytes_max=64 MiB", "--set", "hot.disk_bytes_max=64 MiB"]
SHARE = (64 + 64) // 4 * MIB
COUNT = "SELECT count(*), count(DISTINCT id), count(DISTINCT md5(data)) FROM bronze.events"
ORDERS = "/v1/topics/raw-orders/events"
BATCH = 20


def batch(prefix, number):
    return [{**event(0), "id": f"{prefix}-{number * BATCH + n}", "data": {"text": "x" * 100_000}} for n in range(BATCH)]


def hot(server):
    return server.get("/v1/status").json()["hot"]


def state(server):
    return server.get("/v1/tables/bronze/events").json()["state"]


def events_table(server):
    """Its own bytes: while memory is nearly full, a chunk of another table may be in a file, too."""
    return server.get("/v1/tables/bronze/events").json()


def fill(server, sent=0, batches_max=200):
    """Until the topic answers 503: the batches that were taken, and the refusal. Memory may be full before the pump knows."""
    while (answer := server.send(batch("event", sent))).status == 200 or answer.json()["type"].endswith(":log-behind"):
        sent += answer.status == 200
        assert sent < batches_max, "no bound"
    return sent, answer


def others_go_on(server, numbers):
    for number in numbers:
        assert server.send(batch("order", number), path=ORDERS).json()["accepted"] == BATCH
    assert server.flush("bronze.orders")["lag"] == 0
    rows = (numbers[-1] + 1) * BATCH
    assert server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.orders") == [[rows, rows]]


def resume(server, *more):
    done = run("table", "resume", "bronze.events", *more, "--url", server.url)
    assert done.returncode == 0, done.stderr


def sql_error(server, statement, **more):
    answer = server.post("/v1/sql", json.dumps({"sql": statement, **more}))
    assert answer.status != 200, answer.body
    return answer


def assert_all_came_once(data, batches):
    ids = sorted(row["id"] for row in read_rows(data))
    assert ids == sorted(one["id"] for number in range(batches) for one in batch("event", number))


@pytest.fixture
def obstacle(data):
    """A file stands where the table's data files belong: it can be read, and not be written."""
    place = data / "warehouse/bronze/events/data"
    place.parent.mkdir(parents=True)
    place.write_text("not a directory")
    return place


# Found by hand: one paused table filled the memory of all, so that every topic answered 503, and the next start waited for room without end.
@pytest.mark.parametrize("is_known", [True, False], ids=["paused before", "a burst"])
def test_table_that_does_not_get_on_stops_its_own_topic_and_no_start(data, obstacle, is_known):
    """A burst may fill the memory before the first commit has failed or given up, and then much of it goes to files."""
    server = Server(data, *ROOM)
    if is_known:
        server.send(batch("event", 0))
        server.wait_until(lambda: state(server).startswith("paused"))
    taken, refused = fill(server, int(is_known))
    why = "bronze.events is paused: " if is_known else "bronze.events "
    assert_problem(refused, 503, "topic-quota", ["raw-events", why, "sluice table describe", "sluice table resume bronze.events"])
    assert refused.headers["retry-after"]
    rows = [taken * BATCH, taken * BATCH, 1]
    assert server.sql(COUNT) == [rows]
    server.wait_until(lambda: hot(server)["bytes_used"] < 64 * MIB)  # a burst filled it, and leaves for files now
    others_go_on(server, range(3))
    server.wait_until(lambda: events_table(server)["bytes_hot"] < 16 * MIB)  # a quarter of the memory: nothing moves any more
    used = hot(server)
    assert SHARE / 2 <= events_table(server)["bytes_hot_files"] <= (SHARE if is_known else used["file_bytes_max"]), used
    assert f"sluice_table_hot_file_bytes {used['file_bytes_used']}" in server.get("/metrics").body.decode()
    shown = run("status", "--url", server.url).stdout
    assert re.search(rf"hot rows +\d+\.\d MiB of 64\.0 MiB in memory, {used['file_bytes_used'] / MIB:.1f} MiB of 64\.0 MiB in files", shown), shown
    assert not list((data / "hot").iterdir()), "files without a name leave nothing behind"
    assert server.sql(COUNT) == [rows], "from files"
    server.kill()

    with Server(data, *ROOM) as server:
        others_go_on(server, range(3, 6))
        assert server.sql(COUNT) == [rows]
        server.wait_until(lambda: state(server).startswith("paused"))
        more, refused = fill(server, taken, taken + 20)
        assert_problem(refused, 503, "topic-quota", ["bronze.events is paused: "])
        obstacle.unlink()
        resume(server)
        assert server.flush()["lag"] == 0
        server.wait_until(lambda: server.send(batch("event", more)).status == 200)
        assert server.flush()["lag"] == 0
        assert hot(server)["file_bytes_used"] == 0
        assert server.sql(COUNT) == [[(more + 1) * BATCH, (more + 1) * BATCH, 1]]
        others_go_on(server, range(6, 8))
    assert_all_came_once(data, more + 1)


# The same when nobody can say which rows the table has: then there is no answer over it, and its rows are in the log alone.
def test_full_topic_of_a_table_that_cannot_be_read_comes_back_after_a_restart(data):
    server = Server(data, *ROOM)
    server.send(batch("event", 0))
    server.flush()
    with load_table(data).transaction() as change:
        change.remove_properties("sluice.feed.raw-events")
    taken, refused = fill(server, 1)
    assert_problem(refused, 503, "topic-quota", ["bronze.events is paused: ", 'has no property "sluice.feed.raw-events"'])
    assert server.sql(COUNT)[0][:2] == [taken * BATCH] * 2
    server.kill()
    with Server(data, *ROOM) as server:
        others_go_on(server, range(3))
        assert_problem(sql_error(server, COUNT), 503, "unavailable", ["bronze.events is not available"])
        assert server.send(batch("event", taken)).status == 200, "the log has room"
        resume(server, "--from", "table")
        server.wait_until(lambda: state(server) == "running")
        assert server.sql(COUNT)[0][:2] == [(taken + 1) * BATCH] * 2
        assert server.flush()["lag"] == 0
    assert_all_came_once(data, taken + 1)


# Found by a test that failed now and then: a burst that came before anybody knew of the obstacle did not fit into the table's share after
# a restart, and no statement over it was answered any more.
# Method: a first server with more memory takes more than files and the share of memory hold.
def test_rows_of_a_burst_fit_again_after_a_restart(data, obstacle):
    server = Server(data, *FLAGS, "--set", "hot.bytes_max=256 MiB")
    for number in range(33):
        assert server.send(batch("event", number)).status == 200
    server.kill()
    with Server(data, *ROOM) as server:
        rows = 33 * BATCH
        assert server.sql(COUNT) == [[rows, rows, 1]]
        used = hot(server)
        assert used["file_bytes_used"] == 64 * MIB and used["bytes_used"] > 16 * MIB, used
        others_go_on(server, range(2))


# Goal: a start with more rows than there is room for takes events, answers over other tables, and loads the rest later.
# Method: the next start has less memory and no files.
def test_rows_that_find_no_room_wait_in_the_log_and_a_start_does_not_wait_for_them(data, obstacle):
    server = Server(data, *FLAGS, "--set", "hot.bytes_max=256 MiB")
    for taken in range(45):
        assert server.send(batch("event", taken)).status == 200
    server.kill()
    taken += 1
    with Server(data, *FLAGS, "--set", "hot.bytes_max=64 MiB", "--set", "hot.disk_bytes_max=0") as server:
        others_go_on(server, range(2))
        server.wait_until(lambda: "no room" in server.get("/readyz").body.decode())
        ready = server.get("/readyz")
        assert ready.status == 200 and ready.body.startswith(b"ready\nloading bronze.events: ")
        loading = hot(server)["loading"][0]
        assert loading["table"] == "bronze.events" and 0 < loading["rows"] < loading["rows_total"] == taken * BATCH
        late = sql_error(server, COUNT, timeout_ms=300)
        assert_problem(late, 504, "statement-timeout", ["bronze.events are still being loaded", "/readyz"])
        others_go_on(server, range(2, 4))
        obstacle.unlink()
        resume(server)
        assert server.flush()["lag"] == 0
        assert server.get("/readyz").body == b"ready\n"
        assert server.sql(COUNT)[0][:2] == [taken * BATCH] * 2
    assert_all_came_once(data, taken)


# Goal: no statement sees a gap, and none fails, while rows are loaded and new ones come in.
def test_events_and_statements_are_taken_at_once_after_a_start(data):
    never = ["--set", "tier.interval_ms=3600000"]
    old, new = 60_000, 500
    server = Server(data, *never)
    for first in range(0, old, 5_000):
        assert server.send([event(n, type=f"type-{n % 3}") for n in range(first, first + 5_000)]).status == 200
    server.kill()
    with Server(data, *never) as server:
        seen = []
        for n in range(old, old + new):
            assert server.send([event(n)]).json()["accepted"] == 1
            if n % 100 == 0:
                seen.append((n, server.sql("SELECT count(*), count(DISTINCT id), max(id) FROM bronze.events")[0]))
        for n, row in seen:
            assert row == [n + 1, n + 1, event(n)["id"]]
        assert any("hot rows loaded" in line and f"rows={old}" in line for line in server.log)
        assert server.flush()["lag"] == 0
    ids = [row["id"] for row in read_rows(data)]
    assert len(ids) == len(set(ids)) == old + new
    assert not open_catalog(data).table_exists("bronze.orders")
