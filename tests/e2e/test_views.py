# SPDX-License-Identifier: Apache-2.0
"""Statements while everything moves: senders send, rows are tiered by small commits, snapshots expire, journal segments are reused.

Each answer must be one prefix of the log: of every sender all events up to some number, whole requests, in both tables alike, not less
than was acknowledged before the statement began and not less than the statement before it saw.
"""

import json

from lake import read_rows
from ledger import Client, Sender
from sluice_server import Server, event

SENDERS, BATCH, BATCHES_PER_STATEMENT = 3, 20, 4
ROUTES = "routing: {rules: [{type: order.placed, topic: raw-orders}]}\n"
RESTLESS = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=4 MiB", "--set", "journal.tail_bytes_max=1 MiB",
            "--set", "tier.interval_ms=20", "--set", "tier.interval_stretch_max=1", "--set", "tier.rows_max=500",
            "--set", "tier.snapshot_age_ms_max=0", "--set", "tier.snapshots_min=1", "--set", "tier.expiry_interval_ms=0"]
STATEMENTS_MIN, COMMITS_MIN, EXPIRIES_MIN = 60, 30, 10

SEEN = """
WITH numbered AS (SELECT source, id, CAST(data->>'$.n' AS BIGINT) AS n FROM bronze.events),
     orders AS (SELECT source, count(*) AS orders FROM bronze.orders GROUP BY source)
SELECT source, count(*), count(DISTINCT id), min(n), max(n), sum(n), any_value(orders),
       (SELECT count(*) FROM bronze.events e WHERE e.source = numbered.source)
FROM numbered LEFT JOIN orders USING (source) GROUP BY source
"""


def pair(source, n):
    """An event and an order of the same request: for two tables."""
    base = {**event(n, source=source, data={"n": n, "text": "x" * 200}), "time": "2026-01-15T00:00:00Z", "id": f"{source}-{n}"}
    return [base, {**base, "type": "order.placed"}]


def check(rows, senders, acknowledged, before):
    """What a statement may answer; the number of events by sender."""
    seen = {}
    for source, count, distinct, smallest, largest, total, orders, again in rows:
        assert count == distinct == again == orders, f"{source}: {count} rows, {distinct} ids, {again} in a second scan, {orders} orders"
        assert (smallest, largest, int(total)) == (0, count - 1, count * (count - 1) // 2), f"{source}: no prefix: {count} rows up to {largest}, sum {total}"
        assert count % BATCH == 0, f"{source}: {count} rows cut a request of {BATCH}"
        seen[source] = count
    for sender in senders:
        count = seen.get(sender.source, 0)
        assert acknowledged[sender.source] <= count <= sender.sent, f"{sender.source}: {acknowledged[sender.source]} acknowledged, {count} seen, {sender.sent} sent"
        assert count >= before.get(sender.source, 0), f"{sender.source}: {before[sender.source]} rows were seen already, now {count}"
    return seen


def test_each_statement_sees_one_prefix_whatever_moves(data, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(ROUTES)
    with Server(data, "--config", str(config), *RESTLESS) as server:
        first = [e for n in range(BATCH) for e in pair("/first", n)]
        assert server.send(first).status == 200
        senders = [Sender(server.url, f"/sender/{i}", BATCH, pair) for i in range(SENDERS)]
        for sender in senders:
            sender.start()
        reader, seen, statements = Client(server.url), {}, 0
        while statements < STATEMENTS_MIN or commits(server) < COMMITS_MIN or expiries(server) < EXPIRIES_MIN:
            for sender in senders:
                sender.allowed.release(BATCHES_PER_STATEMENT)
            acknowledged = {s.source: s.acknowledged for s in senders}
            answer = reader.post("/v1/sql", json.dumps({"sql": SEEN}), "application/json")
            assert answer.status == 200, answer.body
            seen = check(answer.json()["rows"], senders, acknowledged, seen)
            statements += 1
            assert statements < 50 * STATEMENTS_MIN, "too little moved"
        for sender in senders:
            sender.stop()
        acknowledged = {s.source: s.acknowledged for s in senders}
        assert acknowledged == {s.source: s.sent for s in senders}
        check(server.sql(SEEN), senders, acknowledged, seen)
        for table in ("bronze.events", "bronze.orders"):
            assert server.flush(table)["lag"] == 0
        check(server.sql(SEEN), senders, acknowledged, seen)
    expected = {f"/first-{n}" for n in range(BATCH)} | {f"{s.source}-{n}" for s in senders for n in range(s.sent)}
    for table in ("bronze.events", "bronze.orders"):
        ids = [row["id"] for row in read_rows(data, table)]
        assert len(ids) == len(expected) and set(ids) == expected


def commits(server):
    return sum("rows tiered" in line for line in server.log)


def expiries(server):
    return sum("snapshots expired" in line for line in server.log)


# ---- the journal is small: what is not tiered moves to topic files ---------------------------------------------------------------

NO_TIER = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=4 MiB", "--set", "journal.tail_bytes_max=1 MiB",
           "--set", "tier.interval_ms=3600000", "--set", "dedup.run_keys_max=1000"]
IDS = "SELECT count(*), count(DISTINCT id), max(CAST(data->>'$.n' AS BIGINT)) FROM bronze.events"


def big(source, n):
    return [{**event(n, source=source, data={"n": n, "text": "x" * 2_000}), "id": f"{source}-{n}"}]


def fill(server, source, begin, end):
    client = Client(server.url)
    for n in range(begin, end, BATCH):
        answer = client.send([e for m in range(n, n + BATCH) for e in big(source, m)])
        assert answer.status == 200 and answer.json()["accepted"] == BATCH, answer.body


def test_untiered_events_outlive_the_journal_segments_they_came_in(data):
    source, count = "/big", 6_000
    server = Server(data, *NO_TIER)
    fill(server, source, 0, count)
    server.wait_until(lambda: server.get("/v1/status").json()["log"]["topic_file_bytes"] > 4 << 20)
    assert server.get("/v1/status").json()["log"]["journal_bytes"] <= 5 << 20
    server.kill()
    for _ in range(2):  # what is read back once is read back again
        with Server(data, *NO_TIER) as server:
            assert server.sql(IDS) == [[count, count, count - 1]]
            again = server.send([e for n in range(0, count, 17) for e in big(source, n)][:300]).json()
            assert (again["accepted"], again["duplicates"]) == (0, 300)
            server.kill()
    with Server(data, *NO_TIER) as server:
        fill(server, source, count, 2 * count)
        assert server.sql(IDS) == [[2 * count, 2 * count, 2 * count - 1]]
        assert server.flush()["lag"] == 0
        server.wait_until(lambda: server.get("/v1/status").json()["log"]["topic_file_bytes"] < 4 << 20)
        assert server.sql(IDS) == [[2 * count, 2 * count, 2 * count - 1]]
        server.kill()
    with Server(data, *NO_TIER) as server:
        assert server.sql(IDS) == [[2 * count, 2 * count, 2 * count - 1]]
    ids = [row["id"] for row in read_rows(data)]
    assert len(ids) == 2 * count and set(ids) == {f"{source}-{n}" for n in range(2 * count)}
