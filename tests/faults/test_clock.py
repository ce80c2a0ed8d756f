# SPDX-License-Identifier: Apache-2.0
"""Wall time jumps, while a server runs and between two of its lives: order is that of offsets, ids are remembered, nothing is negative."""

import json
import mmap
import struct

from chain import Chain
from load import TOPICS, Sender, read_all
from sluice_server import Server

SECOND = 1_000_000_000
DAY = 24 * 3600 * SECOND
YEAR_2038 = 13 * 365 * DAY
# In this order, each from real time: forth, back, far, and near again.
JUMPS = [SECOND, -SECOND, 0, DAY, -DAY, 0, 3600 * SECOND, -3600 * SECOND, 37 * SECOND, -30 * DAY, YEAR_2038, 0]


class WallClock:
    """What the preloaded library adds to wall time."""

    def __init__(self, path):
        path.write_bytes(bytes(8))
        self.file = open(path, "r+b")
        self.mapped = mmap.mmap(self.file.fileno(), 8)

    def jump(self, to_ns):
        self.mapped[:] = struct.pack("<q", to_ns)


def append_times_are_in_order(server):
    """As the log promises: never smaller than in an earlier frame."""
    for table in TOPICS.values():
        assert server.sql(f"SELECT count(*) FROM (SELECT ingested_at < lag(ingested_at) OVER (PARTITION BY log_partition ORDER BY log_offset) AS back FROM {table}) WHERE back") == [[0]]


def nothing_is_negative(server):
    for line in server.get("/metrics").body.decode().splitlines():
        assert line.startswith("#") or float(line.rsplit(" ", 1)[1]) >= 0, line
    assert all(table["lag"] >= 0 for table in server.get("/v1/tables").json()["tables"])


def test_jumps_of_the_clock_change_no_order_and_lose_nothing(tmp_path):
    chain = Chain(tmp_path / "chain", seed=1)
    clock = WallClock(tmp_path / "clock")
    environment = {**chain.environment(""), "SLUICE_FAULTS_CLOCK": str(tmp_path / "clock")}
    for life in range(2):
        with Server(chain.data, *chain.flags, environment=environment) as server:
            for number, to in enumerate(JUMPS):
                clock.jump(to)
                sender = Sender(server.url, chain.recorder, f"{life}-{number}", number, requests=4)
                sender.run()
                assert sender.acknowledged > 0 and sender.refused == 0
                read_all(server, chain.recorder, f"at {to}")
                nothing_is_negative(server)
            again = json.dumps({"of": "1"})
            events = [{"specversion": "1.0", "id": "twice", "source": "/tests/clock", "type": "clock.jumped", "data": again}]
            assert server.send(events, path="/v1/topics/raw-clock/events").json()["duplicates"] == life, "its id is known, whatever the clock says"
            clock.jump(-DAY)
            assert server.send(events, path="/v1/topics/raw-clock/events").json()["duplicates"] == 1
            append_times_are_in_order(server)
            clock.jump(JUMPS[-1])
        clock.jump(-DAY if life == 0 else 0)  # the next start is a day earlier
    verdict = chain.finish()
    assert not verdict.problems, "\n".join(verdict.problems)
