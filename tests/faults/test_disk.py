# SPDX-License-Identifier: Apache-2.0
"""The disk fills up and gets room again, many times, under load: what is refused is not stored, what is answered stays, it goes on by itself."""

from chain import FLAGS, Chain
from load import TOPICS, Sender, read_all
from mounts import SmallDisk
from sluice_server import Server

MIB = 1 << 20
CYCLES = 10
ROOM = 24 * MIB  # the rest is one big file


def test_ten_times_full_and_free_again(tmp_path):
    chain = Chain(tmp_path / "chain", seed=1)
    refused = 0
    with SmallDisk(chain.data, 64 * MIB) as disk, Server(chain.data, *chain.flags, wrap=disk.wrap) as server:
        for cycle in range(CYCLES):
            disk.fill(leave_bytes=(cycle % 3) * MIB)  # full at once, or in the middle of a write
            for number in range(40):
                sender = Sender(server.url, chain.recorder, f"{cycle}-{number}", cycle * 100 + number, requests=3)
                sender.run()
                refused += sender.refused
                if sender.refused:
                    break
            assert server.get("/livez").status == 200
            read_all(server, chain.recorder, f"full {cycle}")
            disk.free_up()
            server.wait_until(lambda c=cycle: taken(server, chain, f"again-{c}"))
            read_all(server, chain.recorder, f"free {cycle}")
        assert refused > 0, "the disk never became full"
        for table in TOPICS.values():
            assert server.flush(table)["state"] == "running"
        read_all(server, chain.recorder, "at the end")
        assert server.stop() == 0
    wrong = chain.recorder.judge()
    assert not wrong, wrong


def taken(server, chain, name, attempt=[0]):
    attempt[0] += 1
    sender = Sender(server.url, chain.recorder, f"{name}-{attempt[0]}", attempt[0], requests=1)
    sender.run()
    return sender.acknowledged > 0
