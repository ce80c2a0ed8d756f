# SPDX-License-Identifier: Apache-2.0
"""Clients: senders whose requests go to two topics at once, and a reader of both tables in one statement. They outlive servers."""

import hashlib
import http.client
import json
import random
import threading

from ledger import Client
from recorder import Recorder

TOPICS = {"raw-events": "bronze.events", "raw-orders": "bronze.orders"}
TYPES = {"raw-events": "test.event", "raw-orders": "order.placed"}
CONFIGURATION = "routing:\n  rules:\n    - {type: 'order.*', topic: raw-orders}\n"
CLIENT_SECONDS_MAX = 60
REFUSED = (400, 413, 415, 422, 429, 503, 507)  # of these the documents say that nothing was taken


def make_event(identity, topic, dice):
    return {"specversion": "1.0", "id": identity, "source": "/tests/faults", "type": TYPES[topic], "time": f"2026-01-15T{dice.randrange(3):02d}:00:00Z",
            "partitionkey": f"key-{dice.randrange(7)}", "data": {"of": identity, "text": "x" * dice.choice([10, 100, 5_000, 20_000])}}


def topic_of(event):
    return next(topic for topic, kind in TYPES.items() if kind == event["type"])


def content(event):
    """As md5(data) in SQL: the JSON is kept byte for byte."""
    return hashlib.md5(json.dumps(event["data"]).encode()).hexdigest()


class Sender(threading.Thread):
    """Sends `requests` requests, or until the server is gone. An unknown one is left in `open_request`. `acknowledgements` hears of each, and at
    the end of all that did not come."""

    def __init__(self, url, recorder, name, seed, requests, first=None, acknowledgements=None):
        super().__init__(daemon=True)
        self.client, self.recorder, self.label = Client(url, timeout=CLIENT_SECONDS_MAX), recorder, name
        self.dice, self.requests, self.open_request = random.Random(seed), requests, first
        self.acknowledged = self.refused = 0
        self.acknowledgements = acknowledgements or threading.Semaphore(0)

    def run(self):
        heard = 0
        try:
            heard = self._send_all()
        finally:
            self.acknowledgements.release(max(1, self.requests - heard))

    def _send_all(self):
        heard = 0
        for number in range(self.requests):
            events = self.open_request or self._make(number)
            self.open_request = events
            try:
                if not self.send(events):
                    continue  # refused, or open: once more
            except (OSError, http.client.HTTPException):
                return heard
            self.open_request = None
            self.acknowledgements.release()
            heard += 1
        return heard

    def _make(self, number):
        topics = self.dice.choice([list(TOPICS), ["raw-events"]])
        return [make_event(f"{self.label}-{number}-{n}", self.dice.choice(topics), self.dice) for n in range(self.dice.choice([1, 2, 10, 30]))]

    def send(self, events):
        at, until, outcome, places = Recorder.now(), None, "unknown", None
        try:
            answer = self.client.send(events)
            until = Recorder.now()
            if answer.status == 200:
                outcome = "acknowledged"
                places = [[one["partition"], one["offset"]] for one in answer.json()["results"]]
                self.acknowledged += len(events)
            elif answer.status in REFUSED:
                outcome = "refused"
                self.refused += len(events)
        finally:
            self.recorder.sent(at, until, self.label, outcome, [[e["id"], topic_of(e), content(e)] for e in events], places)
        return outcome == "acknowledged"


class Reader(threading.Thread):
    """Reads all rows of both tables, again and again, until it is stopped or the server is gone."""

    def __init__(self, server, recorder, reads_max, strict):
        super().__init__(daemon=True)
        self.server, self.recorder, self.reads_max, self.strict = server, recorder, reads_max, strict
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            for _ in range(self.reads_max):
                if self.stopping.is_set():
                    return
                read_all(self.server, self.recorder, "beside the load", quiet=False, strict=self.strict)
        except (OSError, http.client.HTTPException):
            pass
        except AssertionError as wrong:
            self.failure = str(wrong)


def read_all(server, recorder, name, quiet=True, strict=True):
    """One statement over both tables. A table that is not there has no rows when nobody else is at work (`quiet`); else nothing is read.
    `strict`: nothing fails that could fail the statement."""
    at = Recorder.now()
    there = {table["name"] for table in server.get("/v1/tables").json()["tables"]}
    tables = {topic: table for topic, table in TOPICS.items() if table in there}
    if not quiet and len(tables) < len(TOPICS):
        return
    rows = []
    if tables:
        statement = " UNION ALL ".join(f"SELECT '{topic}', log_partition, log_offset, id, md5(data) FROM {table}" for topic, table in tables.items())
        answer = server.post("/v1/sql", json.dumps({"sql": statement}))
        if answer.status in (429, 503, 504) or not strict and answer.status != 200:
            return  # not now
        assert answer.status == 200, f"{name}: {answer.status} {answer.body}"
        body = answer.json()
        if "error" in body:
            return  # it broke off behind the first rows, and says so
        rows = body["rows"]
    topics = {topic: [] for topic in TOPICS}
    for topic, partition, offset, identity, digest in rows:
        topics[topic].append([partition, offset, identity, digest])
    recorder.read(at, Recorder.now(), "sql " + name, topics)
