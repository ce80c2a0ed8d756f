# SPDX-License-Identifier: Apache-2.0
"""Expired snapshots take along what only they referred to, and nothing else."""

import pathlib

from lake import load_table, read_rows
from sluice_server import Server, event

FLAGS = ["--set", "tier.snapshot_age_ms_max=0", "--set", "tier.snapshots_min=1"]


def test_expiry_deletes_only_what_nobody_refers_to(data):
    with Server(data, *FLAGS) as server:
        server.send([event(0)])
        server.flush()
        assert server.stop() == 0
    with Server(data, *FLAGS) as server:  # a new process expires with its first commit
        server.send([event(1)])
        server.flush()
        server.wait_until(lambda: any("snapshots expired" in line for line in server.log))
        assert server.sql("SELECT count(*) FROM bronze.events__snapshots") == [[1]]
        assert server.sql("SELECT count(*) FROM bronze.events") == [[2]]
    table = load_table(data)
    assert len(table.metadata.snapshots) == 1
    assert sorted(row["id"] for row in read_rows(data)) == ["id-00000000", "id-00000001"]
    metadata = pathlib.Path(data / "warehouse/bronze/events/metadata")
    assert len(list(metadata.glob("snap-*.avro"))) == 1
