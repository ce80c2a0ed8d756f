# SPDX-License-Identifier: Apache-2.0
"""NATS JetStream (Go's module proxy): the stream's file is synced before each acknowledgement (sync_interval: always). Driven by the Go
program beside this file in atomic batches of 1,000, which served it best: one by one it takes 4 thousand a second."""
import json
import subprocess

from measure import events_file, used_by
from peers import install
from peers.peer import Peer

BATCH = 1000


class Nats(Peer):
    def start(self):
        self.programs = install.go_program("nats")
        with open(self.folder / "server.log", "w") as log:
            self.spawn([self.programs / "nats-server", "-c", self.write_config("nats.conf")], stdout=log, stderr=subprocess.STDOUT)
        self.wait_for_port()

    def append(self, seconds):
        out = {}
        with used_by(self, lambda: out["events"]) as used:
            result = subprocess.run([self.programs / "nats", "-url", f"nats://127.0.0.1:{self.port}", "-events", events_file(), "-batch", str(BATCH),
                                     "-seconds", str(seconds)], capture_output=True, text=True)
            if result.returncode != 0:
                raise RuntimeError(result.stderr.strip() or "the publisher failed")
            out |= json.loads(result.stdout)
        return out | used
