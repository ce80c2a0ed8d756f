# SPDX-License-Identifier: Apache-2.0
"""Redis (Debian): a stream whose append-only file is synced before each answer. Driven by redis-benchmark."""
import csv
import subprocess

from measure import EVENT_BYTES, used_by
from peers import install
from peers.peer import Peer


class Redis(Peer):
    KEEPS = "in the append-only file, synced (appendfsync always); no deduplication"

    def start(self):
        self.spawn([install.debian("redis-server", "redis-server"), self.write_config("redis.conf")], stdout=subprocess.DEVNULL)
        self.wait_for_port()

    def append(self, seconds, connections=64, pipelined=1):
        """XADD of one value as large as an event."""
        events = int((30_000 if pipelined == 1 else 250_000) * seconds)
        with used_by(self, lambda: events) as figures:
            result = subprocess.run([install.debian("redis-benchmark", "redis-tools"), "-p", str(self.port), "-c", str(connections), "-n", str(events),
                                     "-P", str(pipelined), "--csv", "-q", "XADD", "events", "*", "event", "x" * EVENT_BYTES],
                                    capture_output=True, text=True, check=True)
        line = list(csv.DictReader(result.stdout.splitlines()))[-1]
        latency = {quantile: float(line[f"{quantile}_latency_ms"]) * 1000 for quantile in ("p50", "p99")}
        return figures | {"events_per_second": float(line["rps"]), "latency_us": latency}
