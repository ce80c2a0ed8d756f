# SPDX-License-Identifier: Apache-2.0
"""./x overload [NAME...] [--minutes N]: what the server's p99, memory and descriptors do under more than it is made for. Prints one line
a figure, for docs/testing.md; what must hold on every machine is in tests/e2e/test_overload.py.

  load        one sender, then sixty-four, as fast as they can
  slow        5,000 idle connections, 200 slow heads, bodies and readers each, beside one sender
  statements  64 hostile statements at a time beside one sender
  soak        one steady sender (--rate) and one reader for --minutes: memory by kind and descriptors, as a table and as slopes
"""
import argparse
import json
import os
import pathlib
import resource
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from ledger import Client  # noqa: E402  (the path above makes it importable)
from raw_http import Raw, head  # noqa: E402
from sluice_server import Server, event  # noqa: E402
from test_overload import HOSTILE  # noqa: E402

BATCH = 100
SOAK_STATEMENT_MS = 300_000  # it may wait long for a core that others use: how long is not what is measured there


class Load(threading.Thread):
    """Sends batches until it is stopped, `events_per_second` or as fast as it can. Keeps each answer's milliseconds and status."""

    def __init__(self, url, name, events_per_second=0):
        super().__init__(daemon=True)
        self.url, self.name_, self.pause = url, name, BATCH / events_per_second if events_per_second else 0
        self.milliseconds, self.statuses, self.ended = [], {}, threading.Event()
        self.start()

    def run(self):
        client, number, due = Client(self.url), 0, time.monotonic()
        while not self.ended.wait(max(0, due - time.monotonic()) if self.pause else 0):
            body = json.dumps([{**event(i), "id": f"{self.name_}-{number}-{i}"} for i in range(BATCH)])
            began = time.monotonic()
            answer = client.post("/v1/events", body, "application/cloudevents-batch+json", {"prefer": "return=minimal"})
            self.milliseconds.append((time.monotonic() - began) * 1000)
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            number += 1
            due += self.pause

    def stop(self):
        self.ended.set()
        self.join()
        return self


def told(title, loads, seconds):
    every = sorted(ms for load in loads for ms in load.milliseconds)
    statuses = {}
    for load in loads:
        for status, count in load.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    print(f"{title}: {statuses.get(200, 0) * BATCH / seconds:,.0f} events/s, answers {statuses}, ack p50 {every[len(every) // 2]:.1f} ms, "
          f"p99 {every[int(len(every) * 0.99)]:.1f} ms, max {every[-1]:.1f} ms", flush=True)


def memory(server, name="VmRSS"):
    lines = pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def beside(server, name, seconds, events_per_second):
    load = Load(server.url, name, events_per_second)
    time.sleep(seconds)
    told(name, [load.stop()], seconds)


def load(server, seconds):
    beside(server, "one sender", seconds, 0)
    many = [Load(server.url, f"many-{i}") for i in range(64)]
    time.sleep(seconds)
    told("64 senders", [one.stop() for one in many], seconds)
    beside(server, "one sender afterwards", seconds, 0)
    print(f"memory {memory(server):.0f} MB, largest {memory(server, 'VmHWM'):.0f} MB, {descriptors(server)} descriptors")


def slow(server, seconds):
    beside(server, "alone", seconds, 2_000)
    before = memory(server)
    idle = [Raw(server.url) for _ in range(5_000)]
    time.sleep(1)
    print(f"5,000 idle connections: {(memory(server) - before) * 1024 / 5_000:.1f} KiB each")
    statement = json.dumps({"sql": "SELECT repeat('x', 1000) AS text, range FROM range(1000000)"}).encode()
    kinds = [b"POST /v1/events HTTP/1.1\r\nhost: te", head("POST", "/v1/events", [("content-type", "application/cloudevents+json"), ("content-length", 1000)]) + b"{",
             head("POST", "/v1/sql", [("content-type", "application/json"), ("accept", "application/x-ndjson"), ("content-length", len(statement))]) + statement]
    slowly = [Raw(server.url) for _ in range(600)]
    for number, connection in enumerate(slowly):
        connection.send(kinds[number % 3])
    beside(server, "beside 5,000 idle and 600 slow connections", seconds, 2_000)
    print(f"memory {memory(server):.0f} MB, largest {memory(server, 'VmHWM'):.0f} MB, {descriptors(server)} descriptors")
    for connection in idle + slowly:
        connection.socket.close()


def statements(server, seconds):
    beside(server, "alone", seconds, 10_000)
    ended = threading.Event()
    answers = {}

    def ask(number):
        while not ended.is_set():
            status = server.request("POST", "/v1/sql", json.dumps({"sql": HOSTILE[number % len(HOSTILE)], "timeout_ms": 2000}), {"content-type": "application/json"}, timeout=120).status
            answers[status] = answers.get(status, 0) + 1
            number += 64

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
    for thread in asking:
        thread.start()
    beside(server, "beside 64 hostile statements", seconds, 10_000)
    ended.set()
    for thread in asking:
        thread.join()
    began = time.monotonic()
    assert server.sql("SELECT 42") == [[42]]
    print(f"statements ended {answers}; the next one answered after {time.monotonic() - began:.2f} s; memory {memory(server):.0f} MB, largest {memory(server, 'VmHWM'):.0f} MB")


def soak(server, seconds, rate):
    """Private memory has to level off. The other two kinds are meant to move: hot rows have their budget, filters of remembered ids are
    mapped files that grow by three bytes an event until the window of 24 hours is full."""
    sender, points, began = Load(server.url, "soak", rate), [], time.monotonic()
    kinds = {"private": "RssAnon", "mapped files": "RssFile", "hot rows": "RssShmem"}
    print("minutes, " + ", ".join(f"{kind} MB" for kind in kinds) + ", remembered ids MB, descriptors")
    while (at := time.monotonic() - began) < seconds:
        time.sleep(5)
        server.sql("SELECT count(*), max(log_offset) FROM bronze.events WHERE type = 'test.event'", timeout_ms=SOAK_STATEMENT_MS)
        ids = server.get("/v1/status").json()["memory"]["remembered_ids_bytes"] / 2**20
        points.append((at, *(memory(server, name) for name in kinds.values()), ids, descriptors(server)))
        if len(points) == 1 or at // (seconds / 12) > points[-2][0] // (seconds / 12):
            print(f"{at / 60:.1f}, " + ", ".join(f"{value:.0f}" for value in points[-1][1:]), flush=True)
    told("soak", [sender.stop()], seconds)
    points = points[len(points) // 3:]  # the first third warms up
    for column, name in enumerate([*kinds, "remembered ids", "descriptors"], 1):
        x, y = [p[0] for p in points], [p[column] for p in points]
        middle = sum(x) / len(x)
        slope = sum((a - middle) * b for a, b in zip(x, y)) / sum((a - middle) ** 2 for a in x)
        print(f"{name}: {y[0]:.0f} .. {y[-1]:.0f} (least {min(y):.0f}, most {max(y):.0f}), slope {slope * 3600:+.1f} an hour")
    rows = server.sql("SELECT count(*) FROM bronze.events", timeout_ms=SOAK_STATEMENT_MS)[0][0]
    print(f"rows: {rows}, sent {sender.statuses.get(200, 0) * BATCH}, and one before")


SCENES = {scene.__name__: scene for scene in (load, slow, statements, soak)}


def main():
    parser = argparse.ArgumentParser(prog="./x overload", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENES))
    parser.add_argument("--minutes", type=float, default=0.25, help="of each phase")
    parser.add_argument("--rate", type=float, default=20_000, help="events a second of the soak")
    given = parser.parse_args()
    if wrong := [name for name in given.names if name not in SCENES]:
        parser.error(f"there is no {wrong[0]}; there are {', '.join(SCENES)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for name in given.names or SCENES:
        print(f"-- {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
            server.send([event(0)])
            try:
                SCENES[name](server, given.minutes * 60, *([given.rate] if name == "soak" else []))
            except OSError:
                print(f"the server ended: {server.process.poll()}\n" + "\n".join(server.log[-30:]))
                raise


main()
