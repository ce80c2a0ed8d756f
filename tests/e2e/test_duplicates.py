# SPDX-License-Identifier: Apache-2.0
"""The same events in flight on several connections at once, and again after kill -9: stored once, and every answer names that place."""

import http.client
import json
import random
import threading

from lake import read_rows
from ledger import Client
from sluice_server import Server, event

CONNECTIONS, EVENTS, ROUNDS = 6, 30, 12
FLAGS = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB", "--set", "tier.interval_ms=100", "--set", "dedup.run_keys_max=50"]


class Copies:
    """Who was answered what: by id the places that were named, and how often as the first."""

    def __init__(self):
        self.places, self.firsts, self.lock = {}, {}, threading.Lock()

    def note(self, events, results):
        with self.lock:
            for one, result in zip(events, results):
                self.places.setdefault(one["id"], set()).add((result["partition"], result["offset"]))
                self.firsts[one["id"]] = self.firsts.get(one["id"], 0) + (not result["duplicate"])


def send_at_once(server, events, copies, dice, after=None):
    """Sends the same events on all connections at the same moment, in other orders; `after` is called meanwhile."""
    barrier = threading.Barrier(CONNECTIONS + 1)

    def run(order):
        client = Client(server.url)
        barrier.wait(timeout=60)
        try:
            answer = client.send(order)
        except (OSError, http.client.HTTPException):
            return  # killed
        assert answer.status == 200, answer.body
        copies.note(order, json.loads(answer.body)["results"])

    threads = [threading.Thread(target=run, args=(dice.sample(events, len(events)),)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    barrier.wait(timeout=60)
    if after:
        after()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def check(copies, server=None, rows=None):
    assert all(len(places) == 1 for places in copies.places.values()), {i: p for i, p in copies.places.items() if len(p) > 1}
    if rows is None:
        rows = server.sql("SELECT id, log_partition, log_offset FROM bronze.events")
    stored = {}
    for one, partition, offset in rows:
        assert one not in stored, f"{one} is stored twice"
        stored[one] = (partition, offset)
    for one, places in copies.places.items():
        assert stored[one] in places, f"{one} is stored at {stored[one]}, {places} was answered"


def test_copies_in_flight_are_stored_once_and_answered_with_one_place(data):
    dice, copies = random.Random(7), Copies()
    with Server(data, *FLAGS) as server:
        for round_number in range(ROUNDS):
            send_at_once(server, [event(round_number * EVENTS + n) for n in range(EVENTS)], copies, dice)
        assert set(copies.firsts.values()) == {1}, "each event is new to exactly one connection"
        check(copies, server)
        assert server.sql("SELECT count(*) FROM bronze.events") == [[ROUNDS * EVENTS]]


def test_copies_across_kill_9_are_stored_once(data):
    dice, copies = random.Random(8), Copies()
    everything = []
    for round_number in range(ROUNDS):
        with Server(data, *FLAGS) as server:
            for _ in range(3):  # those of before once more, with the new ones
                everything += [event(len(everything) + n) for n in range(EVENTS)]
                send_at_once(server, everything[-2 * EVENTS:], copies, dice)
            everything += [event(len(everything) + n) for n in range(EVENTS)]
            send_at_once(server, everything[-2 * EVENTS:], copies, dice, after=server.kill)
    with Server(data, *FLAGS) as server:
        send_at_once(server, everything, copies, dice)
        assert max(copies.firsts.values()) == 1
        check(copies, server)
        server.flush()
        check(copies, server)
    check(copies, rows=[(r["id"], r["log_partition"], r["log_offset"]) for r in read_rows(data)])
    assert len(copies.places) == len(everything)
