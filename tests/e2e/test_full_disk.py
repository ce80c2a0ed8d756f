# SPDX-License-Identifier: Apache-2.0
"""The disk fills up while the server runs: what cannot be stored is refused, what was acknowledged stays, and it goes on by itself.

The tables lie on the same disk, so that rows cannot leave the log either.
"""

import json

import pytest

from problems import assert_problem
from mounts import SmallDisk
from sluice_server import Server, event

MIB = 1 << 20
FLAGS = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB", "--set", "tier.interval_ms=200"]
BATCH = 50


class Sender:
    """Sends batches and keeps the ledger of what was acknowledged."""

    def __init__(self):
        self.number = 0
        self.acknowledged = set()

    def send(self, server):
        events = [{**event(self.number + n), "data": {"n": self.number + n, "text": "x" * 500}} for n in range(BATCH)]
        answer = server.send(events)
        if answer.status == 200:
            assert answer.json()["accepted"] == BATCH
            self.acknowledged |= {e["id"] for e in events}
            self.number += BATCH
        return answer

    def send_until_refused(self, server):
        for _ in range(1_000):
            answer = self.send(server)
            if answer.status != 200:
                return answer
        raise AssertionError("the disk never became full")

    def assert_all_there(self, server):
        ids = [row[0] for row in server.sql("SELECT id FROM bronze.events")]
        assert len(ids) == len(set(ids)) and set(ids) == self.acknowledged, \
            f"lost {sorted(self.acknowledged - set(ids))[:3]}, strangers {sorted(set(ids) - self.acknowledged)[:3]}, {len(ids) - len(set(ids))} twice"


def assert_no_orphans(disk, server):
    """What failed commits wrote is gone: each file is one that the table refers to."""
    table = disk.path / "warehouse/bronze/events"
    files = {p.name for p in table.rglob("*.parquet")}
    referred = {row[0].rsplit("/", 1)[1] for row in server.sql("SELECT file_path FROM bronze.events__files")}
    assert files == referred, f"orphans: {sorted(files - referred)[:5]}, missing: {sorted(referred - files)[:5]}"
    lists = len(list(table.glob("metadata/snap-*.avro")))
    assert lists == server.sql("SELECT count(*) FROM bronze.events__snapshots")[0][0]


@pytest.mark.parametrize("cycles", [3])
def test_full_disk_refuses_and_goes_on_when_there_is_space(data, cycles):
    sender = Sender()
    with SmallDisk(data, 48 * MIB) as disk, Server(data, *FLAGS, wrap=disk.wrap) as server:
        assert sender.send(server).status == 200
        for _ in range(cycles):
            disk.fill()
            assert_problem(sender.send_until_refused(server), 507, "disk-full", ["no space left", "free some space"])
            assert server.get("/livez").status == 200
            sender.assert_all_there(server)
            for _ in range(20):
                assert sender.send(server).status in (200, 507)
            disk.free_up()
            server.wait_until(lambda: sender.send(server).status == 200)
            sender.assert_all_there(server)
        table = server.flush()
        assert table["lag"] == 0 and table["state"] == "running"
        sender.assert_all_there(server)
        assert server.sql("SELECT count(*) FROM bronze.events__lake") == [[len(sender.acknowledged)]]
        assert_no_orphans(disk, server)


def test_table_behind_a_full_disk_says_why_and_catches_up(data):
    sender = Sender()
    with SmallDisk(data, 48 * MIB) as disk, Server(data, *FLAGS, wrap=disk.wrap) as server:
        sender.send(server)
        server.flush()
        disk.fill()
        sender.send_until_refused(server)
        server.wait_until(lambda: server.get("/v1/tables/bronze/events").json()["state"] == "degraded")
        assert "no space left" in server.get("/v1/tables/bronze/events").json()["cause"]
        answer = server.request("POST", "/v1/tables/bronze/events/flush?timeout_ms=500", b"")
        assert answer.status == 503 and "no space left" in answer.json()["detail"], answer.body
        disk.free_up()
        server.wait_until(lambda: server.get("/v1/tables/bronze/events").json()["lag"] == 0)
        assert server.get("/v1/tables/bronze/events").json()["state"] == "running"
        sender.assert_all_there(server)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_server_that_ends_on_a_full_disk_loses_nothing(data, how):
    sender = Sender()
    with SmallDisk(data, 48 * MIB) as disk:
        server = Server(data, *FLAGS, wrap=disk.wrap)
        sender.send(server)
        disk.fill()
        sender.send_until_refused(server)
        if how == "stop":
            assert server.stop() == 0
        else:
            server.kill()
        disk.free_up()
        with Server(data, *FLAGS, wrap=disk.wrap) as again:
            sender.assert_all_there(again)
            assert sender.send(again).status == 200
            again.flush()
            sender.assert_all_there(again)


def test_events_that_came_twice_around_a_full_disk_are_stored_once(data):
    sender = Sender()
    with SmallDisk(data, 48 * MIB) as disk, Server(data, *FLAGS, wrap=disk.wrap) as server:
        sender.send(server)
        disk.fill()
        sender.send_until_refused(server)
        refused = [event(10_000_000 + n) for n in range(BATCH)]
        for _ in range(5):
            assert server.send(refused).status in (200, 507)
        disk.free_up()
        server.wait_until(lambda: server.send(refused).status == 200)
        taken = server.send(refused).json()
        assert (taken["accepted"], taken["duplicates"]) == (0, BATCH)
        sender.acknowledged |= {e["id"] for e in refused}
        sender.assert_all_there(server)
