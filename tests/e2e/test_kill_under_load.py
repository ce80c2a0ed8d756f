# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, with a ledger of acknowledged ids outside the server.

After each restart: every acknowledged id is there exactly once, and an id that was not acknowledged at most once. Seen in SQL
(hot and cold as one table), and after a flush by PyIceberg.
"""

import json
import random
import threading
import time
import urllib.error
import urllib.request

from lake import read_rows
from sluice_server import Server, event

ROUNDS = 20
BATCH = 25
SENDERS = 3


class Sender(threading.Thread):
    """Sends batches until the server is gone; knows what was sent and what was acknowledged."""

    def __init__(self, url, first_number, seed):
        super().__init__(daemon=True)
        self.url, self.next_number = url, first_number
        self.random = random.Random(seed)
        self.sent, self.acknowledged = set(), set()

    def run(self):
        while True:
            events = [event(self.next_number + i, source=f"/ledger/{self.name}") for i in range(BATCH)]
            self.next_number += BATCH
            ids = {e["id"] for e in events}
            self.sent |= ids
            request = urllib.request.Request(self.url + "/v1/events", json.dumps(events).encode(), method="POST",
                                             headers={"content-type": "application/cloudevents-batch+json", "prefer": "return=minimal"})
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    assert json.load(answer)["accepted"] == BATCH
            except (urllib.error.URLError, OSError, json.JSONDecodeError):
                return  # killed: this batch is unknown
            self.acknowledged |= ids


def check(seen, sent, acknowledged, where):
    counts = {}
    for one in seen:
        counts[one] = counts.get(one, 0) + 1
    lost = acknowledged - counts.keys()
    doubled = [one for one, n in counts.items() if n > 1]
    strangers = counts.keys() - sent
    assert not lost and not doubled and not strangers, f"{where}: lost {sorted(lost)[:5]}, doubled {doubled[:5]}, strangers {sorted(strangers)[:5]}"


def test_kill_9_loses_and_doubles_nothing(data):
    dice = random.Random(20260115)
    sent, acknowledged = set(), set()
    flags = ["--set", "tier.interval_ms=300", "--set", "journal.segment_bytes=8 MiB", "--set", "journal.bytes_max=64 MiB"]
    number = 0
    for round_number in range(ROUNDS):
        with Server(data, *flags) as server:
            seen = [row[0] for row in server.sql("SELECT id FROM bronze.events")] if sent else []
            check(seen, sent, acknowledged, f"round {round_number}, hot and cold")
            senders = [Sender(server.url, number + i * 1_000_000, dice.random()) for i in range(SENDERS)]
            for sender in senders:
                sender.start()
            time.sleep(dice.uniform(0.05, 0.8))  # the moment of the kill is the experiment, not a synchronisation
            server.kill()
            for sender in senders:
                sender.join(timeout=60)
                assert not sender.is_alive()
                sent |= sender.sent
                acknowledged |= sender.acknowledged
        number += 10_000_000
    with Server(data, *flags) as server:
        check([row[0] for row in server.sql("SELECT id FROM bronze.events")], sent, acknowledged, "at the end, hot and cold")
        server.flush()
    check([row["id"] for row in read_rows(data)], sent, acknowledged, "at the end, PyIceberg")
    assert len(acknowledged) > ROUNDS * BATCH, "the load was too small to prove anything"
