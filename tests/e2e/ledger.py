# SPDX-License-Identifier: Apache-2.0
"""Senders that number their events, and what a reader may see of them: a prefix of each, never less than was acknowledged."""

import http.client
import json
import threading

from sluice_server import Answer


class Client:
    """One connection that is kept."""

    def __init__(self, url, timeout=60):
        self.connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)

    def post(self, path, body, content_type, headers=None):
        self.connection.request("POST", path, body, {"content-type": content_type, **(headers or {})})
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def send(self, events, headers=None, path="/v1/events"):
        return self.post(path, json.dumps(events), "application/cloudevents-batch+json", headers)


class Sender(threading.Thread):
    """Sends one batch after the other, as many as it was allowed, until it is stopped or the server is gone. Event n of sender s has the
    id "s-n"."""

    def __init__(self, url, name, batch, make, allowed=1):
        super().__init__(daemon=True)
        self.client, self.source, self.batch, self.make = Client(url), name, batch, make
        self.sent = self.acknowledged = 0  # events, each a prefix
        self.allowed = threading.Semaphore(allowed)
        self.stopping = threading.Event()
        self.failure = None

    def run(self):
        try:
            while self.allowed.acquire() and not self.stopping.is_set():
                events = [e for n in range(self.sent, self.sent + self.batch) for e in self.make(self.source, n)]
                self.sent += self.batch
                answer = self.client.send(events, {"prefer": "return=minimal"})
                assert answer.status == 200 and answer.json()["accepted"] == len(events), answer.body
                self.acknowledged = self.sent
        except (OSError, http.client.HTTPException):
            pass  # killed: the last batch is unknown
        except AssertionError as wrong:
            self.failure = wrong

    def stop(self):
        self.stopping.set()
        self.allowed.release()
        self.join(timeout=60)
        assert not self.is_alive() and self.failure is None, self.failure
