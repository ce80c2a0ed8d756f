# SPDX-License-Identifier: Apache-2.0
"""Files of a table that nobody refers to: found by `sluice check`, removed by the server, and never one that is in use."""

import os
import pathlib
import time

from lake import load_table, read_rows
from sluice_server import Server, event, run

NEVER = ["--set", "tier.interval_ms=600000", "--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB"]
OLD = time.time() - 25 * 3600


def put(path, age=OLD):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left by a commit that never was")
    os.utime(path, (age, age))
    return path


def all_old(data):
    """As if nothing had happened for a day."""
    for path in pathlib.Path(data / "warehouse").rglob("*"):
        os.utime(path, (OLD, OLD))


def files(data):
    return {path for path in pathlib.Path(data / "warehouse").rglob("*") if path.is_file()}


def removed(server):
    metrics = server.get("/metrics").body.decode()
    return sum(int(float(line.rsplit(" ", 1)[1])) for line in metrics.splitlines() if line.startswith("sluice_tier_orphans_removed_total"))


def test_orphans_are_shown_by_check_and_removed_by_the_server(data):
    with Server(data, *NEVER) as server:
        for n in range(3):
            server.send([event(n)])
            server.flush()
        server.stop()
    live = files(data)
    table = data / "warehouse/bronze/events"
    lost = [put(table / f"data/type=test.event/time_hour=2026-01-15-00/0000{n}-lost.parquet") for n in range(4)] + [put(table / "metadata/lost-m0.avro")]
    young = put(table / "data/young.parquet", time.time())
    foreign = put(data / "warehouse/bronze/unknown/data/a.parquet")
    checked = run("check", str(data))
    assert checked.returncode == 0, checked.stdout
    note, = (line for line in checked.stdout.splitlines() if line.startswith("note"))
    assert "table bronze.events: 5 files" in note and "... (--orphans names all)" in note and "the server removes them" in note
    listed = run("check", "--orphans", str(data)).stdout
    assert all(path.name in listed for path in lost) and young.name not in listed and foreign.name not in listed
    with Server(data, *NEVER) as server:
        server.wait_until(lambda: removed(server) == 5)
        assert any("files removed that nobody refers to" in line and "files=5" in line for line in server.log)
        assert server.sql("SELECT count(*) FROM bronze.events") == [[3]]
        server.stop()
    assert files(data) - {young, foreign} == live, "exactly the orphans are gone"
    assert len(read_rows(data)) == 3
    assert "note" not in run("check", str(data)).stdout


def test_files_of_killed_commits_are_found_and_live_ones_stay(data):
    """Killed again and again while it commits; a day later nothing is left but what the table refers to."""
    restless = ["--set", "tier.interval_ms=10", "--set", "tier.interval_stretch_max=1", *NEVER[2:]]
    for life in range(5):
        server = Server(data, *restless)
        for n in range(10 + 3 * life):
            server.send([event(100 * life + n)])
        server.kill()
    with Server(data, *NEVER) as server:
        server.send([event(999)])
        server.flush()  # moves the table: nothing of before can land any more
        server.stop()
    sent = {event(100 * life + n)["id"] for life in range(5) for n in range(10 + 3 * life)} | {event(999)["id"]}
    put(data / "warehouse/bronze/events/data/00000-lost.parquet")
    all_old(data)
    with Server(data, *NEVER) as server:
        server.wait_until(lambda: removed(server) >= 1)
        server.stop()
    assert "note" not in run("check", "--orphans", str(data)).stdout
    ids = [row["id"] for row in read_rows(data)]
    assert sorted(ids) == sorted(sent)
    table = load_table(data)
    known = {pathlib.Path(table.metadata_location.removeprefix("file://"))} | {pathlib.Path(entry.metadata_file.removeprefix("file://")) for entry in table.metadata.metadata_log}
    for snapshot in table.snapshots():
        known.add(pathlib.Path(snapshot.manifest_list.removeprefix("file://")))
        for manifest in snapshot.manifests(table.io):
            known.add(pathlib.Path(manifest.manifest_path.removeprefix("file://")))
            known |= {pathlib.Path(entry.data_file.file_path.removeprefix("file://")) for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)}
    assert files(data) == known & files(data), "something is left that PyIceberg does not know"
    assert known <= files(data) | {path for path in known if path.name.endswith(".metadata.json")}
