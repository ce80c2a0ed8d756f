# SPDX-License-Identifier: Apache-2.0
"""Backups: a directory that was copied or restored is accepted only on purpose, and then nothing is lost or doubled."""

import json
import shutil

import pytest

from lake import load_table, read_rows
from sluice_server import Server, event, run

NEVER = ["--set", "tier.interval_ms=600000", "--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB"]
COUNT = "SELECT count(*), count(DISTINCT id) FROM bronze.events"


def keyed(*numbers):
    return [event(n, partitionkey=f"key-{n % 5}") for part in numbers for n in part]


def ids(data):
    return sorted(row["id"] for row in read_rows(data))


def refused(data, because):
    with pytest.raises(RuntimeError, match="not ready") as raised:
        Server(data, *NEVER)
    assert because in str(raised.value) and f"sluice restore --data {data}" in str(raised.value), str(raised.value)


@pytest.fixture
def older_log(data, tmp_path):
    """A directory whose log is from a backup: 0..29 are in both, 30..39 are in the log and, since, in the table; 40..59 in the table only."""
    with Server(data, *NEVER) as server:
        server.send(keyed(range(30)))
        server.flush()
        server.send(keyed(range(30, 40)))
        server.stop()
    shutil.copytree(data / "log", tmp_path / "backup")
    with Server(data, *NEVER) as server:
        server.send(keyed(range(40, 60)))
        server.flush()
        server.send(keyed(range(60, 65)))  # never moved, and not in the backup: these are lost
        server.stop()
    shutil.rmtree(data / "log")
    shutil.move(tmp_path / "backup", data / "log")
    return data


def test_log_behind_its_table_is_refused_and_restore_goes_on_behind_it(older_log):
    refused(older_log, "the log ends before it")
    asked = run("restore", "--data", str(older_log))
    assert asked.returncode == 2 and "say --yes" in asked.stderr
    refused(older_log, "the log ends before it")
    before = json.loads(load_table(older_log).properties["sluice.feed.raw-events"])
    done = run("restore", "--data", str(older_log), "--yes")
    assert done.returncode == 0, done.stderr
    assert "20 ids learnt from the tables" in done.stdout and "log.before-restore-1" in done.stdout and "Lost is what was acknowledged" in done.stdout
    with Server(older_log, *NEVER) as server:
        assert server.sql(COUNT) == [[60, 60]]
        answer = server.send(keyed(range(70))).json()
        assert (answer["accepted"], answer["duplicates"]) == (10, 60), "all but the lost ones and the new ones are known"
        for result in answer["results"]:
            place = before["partitions"].get(str(result["partition"]), {"next": 0})
            assert result["duplicate"] or result["offset"] >= place["next"], "an offset of the lost log names another event"
        assert server.sql(COUNT) == [[70, 70]]
        server.flush()
        server.stop()
    assert ids(older_log) == sorted(e["id"] for e in keyed(range(70)))
    after = json.loads(load_table(older_log).properties["sluice.feed.raw-events"])
    assert after["journal"] != before["journal"]
    checked = run("check", str(older_log))
    assert checked.returncode == 0, checked.stdout
    with Server(older_log, *NEVER) as server:
        assert server.send(keyed(range(70))).json()["duplicates"] == 70
        assert server.sql(COUNT) == [[70, 70]]


def test_what_the_old_log_has_and_the_table_has_not_is_kept(data, tmp_path):
    with Server(data, *NEVER) as server:
        server.send([event(n, partitionkey="ahead") for n in range(10)])
        server.flush()
        server.send([event(n, partitionkey="behind") for n in range(10, 20)])
        server.stop()
    shutil.copytree(data / "log", tmp_path / "backup")
    shutil.copy(data / "catalog.db", tmp_path / "catalog.db")
    # The table as it would be if only the other log partition had gone on: written by an earlier life of this very log.
    progress = json.loads(load_table(data).properties["sluice.feed.raw-events"])
    (partition, place), = progress["partitions"].items()
    with load_table(data).transaction() as change:
        change.set_properties({"sluice.feed.raw-events": json.dumps({**progress, "partitions": {partition: {"next": place["next"] + 5, "chain": "00000001"}}})})
    refused(data, "the log ends before it")
    done = run("restore", "--data", str(data), "--yes")
    assert done.returncode == 0 and "10 offsets kept for the table" in done.stdout, done.stdout + done.stderr
    with Server(data, *NEVER) as server:
        assert server.sql(COUNT) == [[20, 20]]
        assert server.send([event(n, partitionkey="ahead") for n in range(20)]).json()["duplicates"] == 20
        first = server.send([event(20, partitionkey="ahead")]).json()["results"][0]
        assert (str(first["partition"]), first["offset"]) == (partition, place["next"] + 5)
        server.flush()
    assert ids(data) == sorted(event(n)["id"] for n in range(21))


def test_topic_that_came_after_the_backup_is_known(data, tmp_path):
    orders = "/v1/topics/raw-orders/events"
    with Server(data, *NEVER) as server:
        server.send(keyed(range(10)))
        server.flush()
        server.stop()
    shutil.copytree(data / "log", tmp_path / "backup")
    with Server(data, *NEVER) as server:
        server.send(keyed(range(10)), path=orders)
        server.flush("bronze.orders")
        server.stop()
    shutil.rmtree(data / "log")
    shutil.move(tmp_path / "backup", data / "log")
    refused(data, "bronze.orders ends at offset")
    done = run("restore", "--data", str(data), "--yes")
    assert done.returncode == 0 and "10 ids learnt" in done.stdout, done.stdout + done.stderr
    with Server(data, *NEVER) as server:
        assert server.send(keyed(range(12)), path=orders).json()["duplicates"] == 10
        assert server.send(keyed(range(12))).json()["duplicates"] == 10
        server.flush("bronze.orders")
        server.flush()
        assert server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.orders") == [[12, 12]]
        assert server.sql(COUNT) == [[12, 12]]
    assert sorted(row["id"] for row in read_rows(data, "bronze.orders")) == ids(data) == sorted(e["id"] for e in keyed(range(12)))


def test_log_with_events_of_its_own_is_not_restored_over(data, tmp_path):
    """Not a backup but a copy that was used: what only it acknowledged would be gone."""
    with Server(data, *NEVER) as server:
        server.send(keyed(range(10)))
        server.flush()
        server.stop()
    shutil.copytree(data / "log", tmp_path / "copy")
    with Server(data, *NEVER) as server:
        server.send(keyed(range(10, 30)))
        server.flush()
        server.stop()
    shutil.move(data / "log", tmp_path / "newer")
    shutil.move(tmp_path / "copy", data / "log")
    shutil.copy(data / "catalog.db", tmp_path / "catalog.db")
    with load_table(data).transaction() as change:  # the copy starts as if its table had not gone on
        progress = json.loads(load_table(data).properties["sluice.feed.raw-events"])
        change.set_properties({"sluice.feed.raw-events": json.dumps({**progress, "journal": "0" * 32})})
    with Server(data, *NEVER) as server:
        assert server.send([event(n, partitionkey=f"key-{n % 5}") for n in range(100, 105)]).json()["accepted"] == 5
        server.stop()
    shutil.copy(tmp_path / "catalog.db", data / "catalog.db")
    done = run("restore", "--data", str(data), "--yes")
    assert done.returncode == 1 and "the table has another event than the log at offset" in done.stderr, done.stdout + done.stderr
    assert not (data / "log.restored").exists()


def test_copy_is_refused_until_it_is_said_to_be_the_one(data, tmp_path):
    with Server(data, *NEVER) as server:
        server.send(keyed(range(10)))
        server.flush()
        server.send(keyed(range(10, 20)))
        server.stop()
    shutil.copytree(data, tmp_path / "copy")
    data.rename(tmp_path / "original")  # it keeps its inode
    shutil.copytree(tmp_path / "copy", data)
    refused(data, "is a copy of the directory that was made here")
    done = run("restore", "--data", str(data), "--yes")
    assert done.returncode == 0 and "The log reaches its tables and stays as it is" in done.stdout
    with Server(data, *NEVER) as server:
        assert server.sql(COUNT) == [[20, 20]]
    moved = run("restore", "--data", str(tmp_path / "copy"), "--yes")
    assert moved.returncode == 1 and f'was made at "{data}"' in moved.stderr


def test_interrupted_restore_is_refused_by_serve_and_goes_on(older_log):
    done = run("restore", "--data", str(older_log), "--yes")
    assert done.returncode == 0
    identity = json.loads((older_log / "directory.json").read_text())
    (older_log / "directory.json").write_text(json.dumps({**identity, "restoring": True}))
    shutil.move(older_log / "log", older_log / "log.restored")
    refused(older_log, "was interrupted")
    again = run("restore", "--data", str(older_log), "--yes")
    assert again.returncode == 0, again.stderr
    with Server(older_log, *NEVER) as server:
        assert server.sql(COUNT) == [[60, 60]]


def test_directory_in_use_is_not_restored(server):
    done = run("restore", "--data", str(server.data), "--yes")
    assert done.returncode == 1 and "another process uses" in done.stderr
