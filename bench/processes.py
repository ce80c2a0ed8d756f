# SPDX-License-Identifier: Apache-2.0
"""Servers under load: Sluice and what it is compared with. Each is started on a free port and tells what it used."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from machine import PROGRAMS, SCRATCH

START_SECONDS_MAX = 120


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Served:
    """A process that listens on `port`. `folder` is its own and empty at the start."""

    def __init__(self, name, keep=False):
        self.folder = SCRATCH / name
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=START_SECONDS_MAX)

    def wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended with {self.process.returncode}")
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise RuntimeError(f"{self.process.args[0]} does not listen")

    def process_ids(self):
        """The process and its children."""
        parent = self.process.pid
        children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def cpu_seconds(self):
        ticks = 0
        for pid in self.process_ids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Bytes of the main process now: anonymous (its own) and shared (hot chunks)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        def field(name):
            return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024
        return {"private": field("RssAnon"), "shared": field("RssShmem"), "peak": field("VmHWM")}

    def written_bytes(self):
        return int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{self.process.pid}/io").read_text(), re.M)[1])


class Sluice(Served):
    """`sluice serve` with the settings of a configuration file."""

    def __init__(self, name="sluice", config="", keep=False):
        super().__init__(name, keep)
        self.config = config

    def start(self):
        config = self.folder / "bench.yaml"
        config.write_text(self.config)
        self.log = open(self.folder / "server.log", "w")
        self.process = subprocess.Popen([PROGRAMS / "sluice", "serve", "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}",
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


class Nginx(Served):
    """Answers 200 and throws everything away: how fast HTTP itself is here. Nothing is durable."""

    def __init__(self):
        super().__init__("nginx")

    def start(self):
        config = self.folder / "nginx.conf"
        config.write_text(f"""daemon off; master_process off; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_max_body_size 64m; client_body_buffer_size 1m;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy; fastcgi_temp_path {self.folder}/fastcgi;
  uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  server {{ listen 127.0.0.1:{self.port}; location / {{ return 200 "{{}}"; }} }} }}
""")
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", config, "-e", self.folder / "error.log"])
        self.wait_for_port()


class Redis(Served):
    """Redis with appendfsync always: an answer means that the append file was synced."""

    def __init__(self):
        super().__init__("redis")

    def start(self):
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--appendonly", "yes",
                                         "--appendfsync", "always", "--save", "", "--auto-aof-rewrite-percentage", "0"], stdout=subprocess.DEVNULL)
        self.wait_for_port()


class Sampler:
    """The largest memory of a server while the block runs."""

    INTERVAL_SECONDS = 0.1

    def __init__(self, server):
        self.server, self.largest, self._end = server, {"private": 0, "shared": 0}, threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def _run(self):
        while not self._end.wait(self.INTERVAL_SECONDS):
            now = self.server.memory()
            self.largest = {k: max(v, now[k]) for k, v in self.largest.items()}

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
