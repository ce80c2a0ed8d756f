# SPDX-License-Identifier: Apache-2.0
"""`sluice check`: a healthy directory passes with counts, each kind of damage is found and named, a server's directory is refused."""

import json
import shutil

import pytest

from lake import load_table
from sluice_server import Server, event, run

FEED = "sluice.feed.raw-events"
SMALL = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=4 MiB", "--set", "tier.interval_ms=600000", "--set", "dedup.run_keys_max=500"]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """A directory with every kind of file: segments, topic files, dedup runs, checkpoints, a table with a snapshot, hot rows."""
    data = tmp_path_factory.mktemp("check") / "data"
    with Server(data, *SMALL) as server:
        server.send([event(n) for n in range(200)])
        server.flush()
        for round_number in range(8):  # more than the journal holds, and nothing of it is tiered: it is copied to topic files
            server.send([event(1000 + round_number * 100 + n, data="x" * 8000) for n in range(100)])
        server.wait_until(lambda: list((data / "log/topics").glob("*/*/*.log")) and list((data / "log/dedup").glob("*.run")))
        assert server.stop() == 0
    return data


def check(data):
    return run("check", str(data))


def flip(path, at=None, count=1):
    """Changes one bit of each of `count` bytes."""
    with open(path, "r+b") as file:
        size = file.seek(0, 2)
        position = size // 2 if at is None else at % size
        file.seek(position)
        bytes_there = file.read(count)
        file.seek(position)
        file.write(bytes(byte ^ 1 for byte in bytes_there))


def test_healthy_directory_passes_with_counts(healthy):
    done = check(healthy)
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("journal: ", "dedup runs: ", "topic files: ", "checkpoints: ", "topics: 1, 1000 offsets given", "table bronze.events: 1 snapshot",
                 "agrees with the log, ends behind 200 offsets of raw-events", "catalog: 1 table", "Nothing is wrong."):
        assert part in done.stdout, f"{part}\n{done.stdout}"
    again = check(healthy)
    assert (again.returncode, again.stdout) == (0, done.stdout), "a check changed what it checked"


def newest(pattern):
    def find(data):
        return sorted(data.glob(pattern))[-1]
    return find


def oldest(pattern):
    def find(data):
        return sorted(data.glob(pattern))[0]
    return find


DAMAGE = {
    "a topic file": (newest("log/topics/raw-events/*/*.log"), dict(), "at byte "),
    "a dedup run": (newest("log/dedup/*.run"), dict(at=4096 + 100), "at byte "),
    "the newest checkpoint": (newest("log/checkpoints/*"), dict(at=-20), ""),
    "the identity of the log": (newest("log/journal/identity.json"), dict(at=40), ""),
    "a page of a data file": (newest("warehouse/bronze/events/data/**/*.parquet"), dict(at=200), "bytes 0 to "),
    "the footer of a data file": (newest("warehouse/bronze/events/data/**/*.parquet"), dict(at=-6), ""),
    "a manifest": (newest("warehouse/bronze/events/metadata/*-m*.avro"), dict(count=16), ""),
    "a manifest list": (newest("warehouse/bronze/events/metadata/snap-*.avro"), dict(count=16), ""),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_and_named(what, healthy):
    find, how, position = DAMAGE[what]
    path = find(healthy)
    whole = path.read_bytes()
    try:
        flip(path, **how)
        done = check(healthy)
    finally:
        path.write_bytes(whole)
    assert done.returncode == 1, done.stdout
    damaged = [line for line in done.stdout.splitlines() if line.startswith("damaged")]
    assert any(path.name in line and position in line for line in damaged), done.stdout
    assert "Nothing is wrong" not in done.stdout


def test_damage_in_the_journal_is_named_with_its_place(data):
    with Server(data) as server:
        for n in range(3):
            server.send([event(n)])
        server.stop()
    segment = oldest("log/journal/*.segment")(data)
    flip(segment, at=4096 + 200)
    done = check(data)
    assert done.returncode == 1 and f"damaged in '{segment}' at byte 4096" in done.stdout, done.stdout
    segment.unlink()  # the only one that holds commits
    done = check(data)
    assert done.returncode == 1 and "damaged  log: " in done.stdout, done.stdout


def test_missing_files_are_found(healthy):
    for find, said in ((newest("warehouse/bronze/events/data/**/*.parquet"), "no such file or directory"), (oldest("log/topics/raw-events/*/*.log"), "which are in no table"),
                       (oldest("log/dedup/*.run"), "is missing")):
        path = find(healthy)
        aside = healthy / "aside"
        shutil.move(path, aside)
        try:
            done = check(healthy)
        finally:
            shutil.move(aside, path)
        assert done.returncode == 1 and said in done.stdout, f"{path}\n{done.stdout}"


def test_a_short_data_file_is_found(healthy):
    path = newest("warehouse/bronze/events/data/**/*.parquet")(healthy)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    done = check(healthy)
    path.write_bytes(whole)
    assert done.returncode == 1 and f"has {len(whole) - 1} bytes, its manifest says {len(whole)}" in done.stdout, done.stdout


def test_a_table_that_does_not_fit_its_log_is_found(data):
    with Server(data) as server:
        server.send([event(n) for n in range(10)])
        server.flush()
        server.stop()
    progress = json.loads(load_table(data).properties[FEED])
    (partition, place), = progress["partitions"].items()
    for wrong, said in (({**place, "next": 11}, "the log ends before it, at 10"), ({**place, "chain": "00000000"}, "diverge before offset 10")):
        with load_table(data).transaction() as change:
            change.set_properties({FEED: json.dumps({**progress, "partitions": {partition: wrong}})})
        done = check(data)
        assert done.returncode == 1 and said in done.stdout and "bronze.events" in done.stdout, done.stdout
    with load_table(data).transaction() as change:
        change.remove_properties(FEED)
    done = check(data)
    assert done.returncode == 1 and 'has no property "sluice.feed.raw-events"' in done.stdout, done.stdout


def test_directory_of_a_running_server_is_refused(server):
    done = run("check", str(server.data))
    assert done.returncode == 1 and done.stdout == ""
    assert f'another process uses "{server.data}"' in done.stderr and str(server.process.pid) in done.stderr and "stop it" in done.stderr


def test_what_is_no_data_directory_is_refused(tmp_path):
    done = check(tmp_path)
    assert done.returncode == 1 and "is it a data directory of sluice?" in done.stderr
    assert not list(tmp_path.iterdir())
