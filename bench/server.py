# SPDX-License-Identifier: Apache-2.0
"""A server under load: started on a free port, in a folder of its own, and what it used."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from machine import SCRATCH

START_SECONDS_MAX = 120


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
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

    def spawn(self, command, **how):
        """Starts the process in a session of its own, as who manages services does: among sessions Linux shares the cores."""
        self.process = subprocess.Popen(command, start_new_session=True, **how)

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
        """Of the process and its children, those that ended included."""
        ticks = 0
        for pid in self.process_ids():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except FileNotFoundError:  # ended since
                continue
            ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Bytes of the main process now: anonymous (its own) and shared (hot chunks)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        def field(name):
            return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024
        return {"private": field("RssAnon"), "shared": field("RssShmem"), "peak": field("VmHWM")}

    def written_bytes(self):
        return int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{self.process.pid}/io").read_text(), re.M)[1])


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
