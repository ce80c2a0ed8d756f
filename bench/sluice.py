# SPDX-License-Identifier: Apache-2.0
"""Sluice itself, and the configurations that it is measured with."""
import json
import subprocess
import urllib.request

from machine import PROGRAMS
from server import Server

GIB = 2**30
# Rows stay hot while ingest alone is measured, and the journal has room for them.
HOT_ONLY = (f"hot:\n  bytes_max: {12 * GIB}\ntier:\n  interval_ms: 600000\n  rows_max: 1000000000\n  bytes_max: {100 * GIB}\n"
            f"journal:\n  bytes_max: {6 * GIB}\n")
TIERING = f"hot:\n  bytes_max: {4 * GIB}\njournal:\n  bytes_max: {2 * GIB}\n"


class Sluice(Server):
    """`sluice serve` with the settings of a configuration file."""

    def __init__(self, name="sluice", config="", keep=False):
        super().__init__(name, keep)
        self.config = config

    def start(self):
        config = self.folder / "bench.yaml"
        config.write_text(self.config)
        self.log = open(self.folder / "server.log", "w")
        self.spawn([PROGRAMS / "sluice", "serve", "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}",
                    "--config", config], stdout=subprocess.PIPE, stderr=self.log, text=True)
        if not self.process.stdout.readline().startswith("sluice ready"):
            raise RuntimeError(f"sluice did not start; see {self.log.name}")

    def request(self, method, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method,
                                         headers={"Content-Type": "application/json", **(headers or {})})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.loads(answer.read())

    def sql(self, text):
        return self.request("POST", "/v1/sql", {"sql": text, "timeout_ms": 300000})["rows"]

    def flush(self, table):
        return self.request("POST", f"/v1/tables/bronze/{table}/flush")
