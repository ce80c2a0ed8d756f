# SPDX-License-Identifier: Apache-2.0
"""What a server that runs for long keeps of each request, commit and statement: nothing. `./x overload soak` looks longer."""

import json

from sluice_server import Server, event
from test_overload import descriptors

MIB = 1 << 20
# Everything that is meant to be filled is so small that it is full after the first rounds.
SMALL = ["dedup.table_keys_max=10000", "hot.bytes_max=67108864", "journal.bytes_max=67108864", "journal.segment_bytes=16777216",
         "tier.snapshots_min=3", "tier.snapshot_age_ms_max=0", "tier.expiry_interval_ms=0"]
EVENTS, REQUESTS = 100, 30
PADDING = "x" * 1_500  # commits go through all of their memory, 8 MiB at a time, within the first rounds
WARM_UP, ROUNDS = 12, 25
GROWTH_MAX = 2 * MIB  # 75,000 events, 750 requests, 25 table commits and 50 statements: 28 bytes, 2.8 KiB, 80 KiB and 40 KiB of each
# What heaps keep for who needs memory next depends on which threads met in which of the four: what a round needs for a moment, in each.
KEPT_MAX = 24 * MIB


def test_memory_and_descriptors_level_off(data):
    with Server(data, *(word for setting in SMALL for word in ("--set", setting))) as server:
        memory, kept, files, number = [], [], [], 0
        for _ in range(WARM_UP + ROUNDS):
            for _ in range(REQUESTS):
                events = json.dumps([event(number + i, data=PADDING) for i in range(EVENTS)])
                answer = server.post("/v1/events", events, "application/cloudevents-batch+json", {"prefer": "return=minimal"})
                assert answer.status == 200, answer.body
                number += EVENTS
            server.sql("SELECT type, count(*), max(log_offset) FROM bronze.events GROUP BY ALL")
            server.flush()
            server.sql("SELECT count(DISTINCT id) FROM bronze.events WHERE log_partition = 0")
            now = server.get("/v1/status").json()["memory"]
            memory.append(now["used_heap_bytes"])
            kept.append(now["private_bytes"] - now["used_heap_bytes"])
            files.append(descriptors(server))
        assert server.sql("SELECT count(*) FROM bronze.events") == [[number]]
    # The least of the last rounds: what a round needs for a moment is no growth.
    grown = min(memory[-5:]) - max(memory[WARM_UP - 5:WARM_UP])
    assert grown < GROWTH_MAX, [round(m / MIB, 1) for m in memory]
    assert min(kept[-5:]) < KEPT_MAX, [round(m / MIB) for m in kept]
    assert max(files[-5:]) <= max(files[WARM_UP - 5:WARM_UP]) + 12, files
