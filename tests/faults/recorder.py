# SPDX-License-Identifier: Apache-2.0
"""Writes down what clients saw, for the checker of tests/history."""

import json
import os
import pathlib
import subprocess
import threading
import time

import sluice_server

CHECKER = pathlib.Path(os.environ.get("SLUICE_HISTORY", sluice_server.BINARY.parent / "sluice_history"))
CHECK_SECONDS_MAX = 300


class Recorder:
    """One history in a file. Thread-safe."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.file = open(self.path, "w", encoding="utf-8")
        self.lock = threading.Lock()

    @staticmethod
    def now():
        return time.monotonic_ns()

    def _write(self, operation):
        line = json.dumps({key: value for key, value in operation.items() if value is not None}, separators=(",", ":"))
        with self.lock:
            self.file.write(line + "\n")

    def sent(self, at, until, client, outcome, events, places=None):
        """`events`: [id, topic, content]; `places`: [partition, offset] of each."""
        self._write({"do": "send", "at": at, "until": until, "client": client, "outcome": outcome, "events": events, "places": places})

    def read(self, at, until, reader, topics, may_lag=False):
        """`topics`: rows by topic, a row being [partition, offset, id, content]."""
        self._write({"do": "read", "at": at, "until": until, "reader": reader, "may_lag": may_lag or None, "topics": {topic: {"rows": rows} for topic, rows in topics.items()}})

    def mark(self, what):
        self._write({"do": "mark", "at": self.now(), "what": what})

    def judge(self):
        """Nothing when the history is good, else what is wrong with it."""
        with self.lock:
            self.file.flush()
        done = subprocess.run([str(CHECKER), "check", str(self.path)], capture_output=True, text=True, timeout=CHECK_SECONDS_MAX, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def close(self):
        self.file.close()
