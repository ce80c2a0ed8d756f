# SPDX-License-Identifier: Apache-2.0
"""More clients, slower clients and worse statements than anybody should have: memory and descriptors stay bounded, nobody else is
refused, and afterwards all is as before. How fast it stays meanwhile is measured by ./x overload."""

import gzip
import json
import os
import resource
import threading

import pytest

from ledger import Client
from raw_http import Raw, head
from sluice_server import Server, event

KIB, MIB = 1 << 10, 1 << 20
IDLE = 5_000
IDLE_BYTES_MAX = 64 * KIB  # of memory, for each connection
TYPE = ("content-type", "application/cloudevents+json")
# As a shell gives it: 1,024 descriptors now, more on request.
USUAL_LIMITS = ["prlimit", "--nofile=1024:20000"]


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def status_kib(server, name):
    lines = open(f"/proc/{server.process.pid}/status", encoding="ascii").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def connections(server):
    return server.get("/v1/status").json()["connections"]


def test_five_thousand_idle_connections_cost_little_and_nobody_else_is_refused(data, many_files):
    with Server(data, wrap=USUAL_LIMITS) as server:
        assert server.send([event(0)]).status == 200
        memory, files = status_kib(server, "VmRSS"), descriptors(server)
        idle = [Raw(server.url) for _ in range(IDLE)]
        server.wait_until(lambda: connections(server) == IDLE + 1)
        for connection in idle:  # each has been served once, and stays
            connection.send(b"GET /livez HTTP/1.1\r\nhost: test\r\n\r\n")
        for connection in idle:
            assert connection.socket.recv(4096).startswith(b"HTTP/1.1 ")
        assert (status_kib(server, "VmRSS") - memory) * KIB <= IDLE * IDLE_BYTES_MAX
        for number in range(1, 50):
            assert server.send([event(number)]).status == 200
        assert server.sql("SELECT count(*) FROM bronze.events") == [[50]]
        for connection in idle:
            connection.socket.close()
        server.wait_until(lambda: connections(server) == 1)
        server.wait_until(lambda: descriptors(server) <= files + 10)


def test_slow_readers_of_answers_are_bounded_and_hold_nobody_up(data):
    statement = json.dumps({"sql": "SELECT repeat('x', 1000) AS text, range FROM range(1000000)"}).encode()  # 1 GB, if anybody read it
    with Server(data, "--set", "sql.workers=4") as server:
        assert server.send([event(0)]).status == 200
        server.sql("SELECT 1")
        memory = status_kib(server, "VmRSS")
        readers = []
        for _ in range(3):  # a worker is left for the others
            readers.append(Raw(server.url))
            readers[-1].send(head("POST", "/v1/sql", [("content-type", "application/json"), ("accept", "application/x-ndjson"), ("content-length", len(statement))]) + statement)
            assert readers[-1].socket.recv(1000)
        for number in range(1, 50):
            assert server.send([event(number)]).status == 200
        assert server.sql("SELECT count(*) FROM bronze.events") == [[50]]
        assert status_kib(server, "VmHWM") - memory < 128 * KIB
        for reader in readers:
            reader.socket.close()
        server.wait_until(lambda: connections(server) == 1)
        assert [server.sql("SELECT 1") for _ in range(8)] == [[[1]]] * 8


HOSTILE = [
    "SELECT count(*) FROM range(1000000000000)", "SELECT count(*) FROM range(10000000) a, range(10000000) b", "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r", "SELECT list(range) FROM range(1000000000)", "SELECT repeat('x', 1000000000) || repeat('y', 1000000000)",
    "SELECT string_agg(range::VARCHAR, ',') FROM range(1000000000)", "SELECT DISTINCT hash(range) FROM range(1000000000) ORDER BY 1 DESC", "SELECT * FROM range(100000000) ORDER BY hash(range) DESC",
    "SELECT histogram(range) FROM range(1000000000)", "SELECT regexp_matches(repeat('a', 100000), '(a+)+$') FROM range(1000000)", "SELECT list_sort(list(hash(range))) FROM range(100000000)",
    "SELECT unnest(range(1000000000))", "SELECT approx_quantile(range, 0.5) OVER (ORDER BY range ROWS UNBOUNDED PRECEDING) FROM range(10000000)", "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "+".join(["1"] * 20000), "SELECT CAST(repeat('9', 10000000) AS HUGEINT)", "SELECT json_extract(repeat('[', 1000000), '$[0]')", "SELECT printf('%1000000000d', 1)",
    "SELECT a.id FROM bronze.events a, bronze.events b, bronze.events c, range(100000) ORDER BY 1",
]


def test_sixty_four_hostile_statements_at_once_leave_ingest_and_workers_whole(data):
    with Server(data, "--set", "sql.timeout_ms=2000") as server:
        sender = Client(server.url)

        def batch(number):
            return [{**event(i), "id": f"beside-{number}-{i}"} for i in range(100)]

        assert sender.send(batch(0)).json()["accepted"] == 100
        answers, done = [], threading.Event()

        def ask(number):
            statement = HOSTILE[number % len(HOSTILE)]
            answers.append((statement, server.request("POST", "/v1/sql", json.dumps({"sql": statement, "timeout_ms": 2000}), {"content-type": "application/json"}, timeout=120)))

        asking = [threading.Thread(target=ask, args=(number,)) for number in range(64)]
        for thread in asking:
            thread.start()
        threading.Thread(target=lambda: [thread.join() for thread in asking] and None or done.set(), daemon=True).start()
        sent = 1
        while not done.is_set():
            assert sender.send(batch(sent)).status == 200, "ingest was refused beside hostile statements"
            sent += 1
        assert len(answers) == 64
        for statement, answer in answers:
            assert answer.status in (200, 408, 422, 429, 503, 504), (statement[:60], answer.status, answer.body[:200])
        assert server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.events") == [[sent * 100, sent * 100]]
        assert all(server.sql("SELECT 42") == [[42]] for _ in range(8))


def test_ten_times_the_clients_are_served_or_told_to_come_back(data):
    with Server(data, "--set", "http.body_bytes_max=1 MiB") as server:
        server.send([event(0)])
        files, taken, told = descriptors(server), [], []

        def send(name):
            for number in range(8):
                body = gzip.compress(json.dumps([{**event(number), "id": f"{name}-{number}-{i}", "data": "x" * 1000} for i in range(200)]).encode(), 1)
                answer = server.post("/v1/events", body, "application/cloudevents-batch+json", {"content-encoding": "gzip"})
                (taken if answer.status == 200 else told).append(answer)

        senders = [threading.Thread(target=send, args=(name,)) for name in range(100)]
        for thread in senders:
            thread.start()
        for thread in senders:
            thread.join()
        assert len(taken) + len(told) == 800
        for answer in told:
            assert answer.status in (429, 503) and int(answer.headers["retry-after"]) >= 1
        assert all(answer.json()["accepted"] == 200 for answer in taken)
        assert server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.events") == [[1 + 200 * len(taken)] * 2]
        assert status_kib(server, "VmHWM") < 1536 * KIB
        server.wait_until(lambda: descriptors(server) <= files + 60)
        assert server.send([event(1)]).status == 200
