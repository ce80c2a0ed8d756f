# SPDX-License-Identifier: Apache-2.0
"""Starts the real binary on a directory and a free port, and speaks HTTP to it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SLUICE_BINARY", ROOT / "build/release/sluice"))
READY = re.compile(r"^sluice ready http=(\S+) data=(\S+)$")
START_SECONDS_MAX = 60
ANY_PORT = "127.0.0.1:0"


def serve_command(data, flags=(), listen=ANY_PORT, wrap=()):
    return [*wrap, str(BINARY), "serve", "--data", str(data), "--listen", listen, *flags]


class Answer:
    """Status, headers and body of an HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Server:
    """One `sluice serve`. Use as a context manager, or stop() and kill() by hand; the end of a test kills what it left (conftest.py)."""

    started = []

    def __init__(self, data, *flags, environment=None, listen=ANY_PORT, wrap=()):
        """`wrap`: words before the command, as `nsenter ...`."""
        self.data = pathlib.Path(data)
        self.process = subprocess.Popen(
            serve_command(data, flags, listen, wrap),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(environment or {})},
        )
        self.started.append(self)
        self.log = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.url = self._wait_ready()

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def _wait_ready(self):
        line = self.process.stdout.readline()
        match = READY.match(line.strip())
        if not match:
            self.process.wait(timeout=START_SECONDS_MAX)
            self._reader.join(timeout=5)
            raise RuntimeError(f"not ready: {line!r}\n" + "\n".join(self.log))
        return match.group(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def stop(self, number=signal.SIGTERM):
        """Asks it to end; returns the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        self.process.stdout.close()
        return code

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is closed."""
        self.process.kill()
        self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        self.process.stdout.close()

    def request(self, method, path, body=None, headers=None, timeout=60):
        data = body.encode() if isinstance(body, str) else body
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body, content_type="application/json", headers=None):
        return self.request("POST", path, body, {"content-type": content_type, **(headers or {})})

    def send(self, events, headers=None, path="/v1/events"):
        """A batch of CloudEvents as dictionaries."""
        return self.post(path, json.dumps(events), "application/cloudevents-batch+json", headers)

    def sql(self, statement, **more):
        """The rows of a statement; fails the test when it fails."""
        answer = self.post("/v1/sql", json.dumps({"sql": statement, **more}))
        assert answer.status == 200, answer.body
        return answer.json()["rows"]

    def flush(self, table="bronze.events"):
        answer = self.request("POST", f"/v1/tables/{table.replace('.', '/')}/flush", b"")
        assert answer.status == 200, answer.body
        return answer.json()

    def wait_until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not come true:\n" + "\n".join(self.log[-20:])
            time.sleep(0.02)


def run(*arguments, environment=None, stdin="", timeout=60):
    """One command of the binary, to its end."""
    return subprocess.run([str(BINARY), *arguments], input=stdin, capture_output=True, text=True, errors="replace", timeout=timeout, env={**os.environ, **(environment or {})}, check=False)


def event(number, **more):
    """A valid CloudEvent with a unique id."""
    return {"specversion": "1.0", "id": f"id-{number:08d}", "source": "/tests/e2e", "type": "test.event",
            "time": f"2026-01-15T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
            "data": {"n": number}, **more}
