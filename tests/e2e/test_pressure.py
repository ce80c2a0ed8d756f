# SPDX-License-Identifier: Apache-2.0
"""More than there is room for: each bound answers with its own refusal and Retry-After, nothing acknowledged is lost, and it goes on by
itself when there is room again. Memory stays bounded meanwhile.
"""

import gzip
import json
import select
import threading

from ledger import Client
from problems import assert_problem
from raw_http import Raw
from sluice_server import Server, event

MIB = 1 << 20
SMALL = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=8 MiB", "--set", "journal.tail_bytes_max=1 MiB"]
IDS = "SELECT count(*), count(DISTINCT id) FROM bronze.events"


def sized(prefix, number, size):
    return {**event(number), "id": f"{prefix}-{number}", "data": {"text": "x" * size}}


def test_topic_quota_stops_that_topic_only_until_its_table_caught_up(data):
    flags = [*SMALL, "--set", "tier.interval_ms=3600000", "--set", "log.untiered_bytes_max=200000"]
    with Server(data, *flags) as server:
        taken = 0
        while (answer := server.send([sized("first", taken, 10_000)])).status == 200:
            taken += 1
            assert taken < 100, "the quota is never reached"
        assert_problem(answer, 503, "topic-quota", ["raw-events", "200000", "sluice table describe"])
        assert 15 <= taken <= 25
        assert server.send([event(1)], path="/v1/topics/raw-orders/events").json()["accepted"] == 1
        assert server.sql(IDS) == [[taken, taken]]
        server.flush()
        server.wait_until(lambda: server.send([sized("first", taken, 10_000)]).status == 200)
        assert server.sql(IDS) == [[taken + 1, taken + 1]]


def test_quota_of_a_topic_outlives_a_restart(data):
    flags = [*SMALL, "--set", "tier.interval_ms=3600000", "--set", "log.untiered_bytes_max=200000"]
    server = Server(data, *flags)
    taken = 0
    while server.send([sized("first", taken, 10_000)]).status == 200:
        taken += 1
    server.kill()
    with Server(data, *flags) as server:
        assert_problem(server.send([sized("first", taken, 10_000)]), 503, "topic-quota")
        assert server.flush()["lag"] == 0
        server.wait_until(lambda: server.send([sized("first", taken, 10_000)]).status == 200)
        assert server.sql(IDS) == [[taken + 1, taken + 1]]


def test_full_commit_is_refused_and_loses_nothing(data):
    flags = ["--set", "journal.segment_bytes=64 KiB", "--set", "journal.bytes_max=1 MiB", "--set", "tier.interval_ms=50"]
    with Server(data, *flags) as server:
        acknowledged, refused, stop = set(), [], threading.Event()

        def run(name):
            client, number = Client(server.url), 0
            while not stop.is_set() and number < 2_000:
                one = sized(name, number, 40_000)
                answer = client.send([one])
                if answer.status == 200:
                    acknowledged.add(one["id"])
                    number += 1
                else:
                    refused.append(answer)

        threads = [threading.Thread(target=run, args=(f"sender-{i}",)) for i in range(8)]
        for thread in threads:
            thread.start()
        server.wait_until(lambda: refused and len(acknowledged) >= 50)
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
        for answer in refused:
            assert_problem(answer, 503, "log-behind", ["try again"])
        stored = [row[0] for row in server.sql("SELECT id FROM bronze.events")]
        assert len(stored) == len(set(stored)) and set(stored) == acknowledged
        # What no commit could ever hold is no matter of trying again.
        assert_problem(server.send([sized("large", 0, 100_000)]), 413, "body-too-large", ["a commit holds", "smaller batches"])
        assert server.send([sized("large", 0, 1_000)]).json()["accepted"] == 1


def test_memory_for_rows_is_bounded_under_more_than_fits(data):
    flags = ["--set", "hot.bytes_max=64 MiB", "--set", "journal.segment_bytes=16 MiB", "--set", "journal.bytes_max=64 MiB", "--set", "journal.tail_bytes_max=8 MiB",
             "--set", "tier.interval_ms=3600000"]
    senders, batches, batch, size = 4, 16, 40, 100_000  # 256 MB
    with Server(data, *flags) as server:
        failures = []

        def run(name):
            client = Client(server.url)
            for number in range(batches):
                events = [sized(name, number * batch + n, size) for n in range(batch)]
                while (answer := client.send(events, {"prefer": "return=minimal"})).status != 200:
                    try:
                        assert_problem(answer, 503, "log-behind", ["try again"])
                    except AssertionError as wrong:
                        return failures.append(wrong)

        threads = [threading.Thread(target=run, args=(f"sender-{i}",)) for i in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
            assert not thread.is_alive()
        assert not failures, failures[0]
        total = senders * batches * batch
        assert server.sql(IDS) == [[total, total]]
        peak = resident_peak_bytes(server)
        assert peak < 400 * MIB, f"{peak // MIB} MiB"
        server.flush()
        assert server.sql(IDS) == [[total, total]]


def resident_peak_bytes(server):
    lines = open(f"/proc/{server.process.pid}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def test_long_compressed_requests_do_not_hold_up_a_small_one(data):
    """Ten bodies of 31 MiB, almost all of it white space, are there before one event is sent; its answer comes while they are decoded."""
    def head(body, more=""):
        return f"POST /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}Content-Length: {len(body)}\r\n".encode()

    white = gzip.compress(b"[" + b" " * (31 * MIB), 1)
    with Server(data) as server:
        long = [Raw(server.url) for _ in range(10)]
        for number, connection in enumerate(long):
            body = white + gzip.compress(json.dumps(event(number)).encode() + b"]")
            connection.send(head(body, "Content-Encoding: gzip\r\nContent-Type: application/cloudevents-batch+json\r\n") + b"\r\n" + body)
        body = json.dumps(event(100)).encode()
        with Raw(server.url) as small:
            small.send(head(body, "Content-Type: application/cloudevents+json\r\n") + b"\r\n" + body)
            assert small.receive().status == 200
        answered = select.select([connection.socket for connection in long], [], [], 0)[0]
        assert len(answered) < len(long), "the small one came last"
        for connection in long:
            assert connection.receive().json()["accepted"] == 1
            connection.socket.close()
        assert server.sql(IDS) == [[11, 11]]


def test_connections_beyond_the_bound_are_refused_at_once(data):
    with Server(data, *SMALL, "--set", "http.connections_max=4") as server:
        held = [Raw(server.url) for _ in range(4)]
        for connection in held:
            connection.send(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
            assert connection.socket.recv(100).startswith(b"HTTP/1.1 200")
        with Raw(server.url) as fifth:
            assert_problem(fifth.receive(), 503, "too-many-connections", ["try again"])
        for connection in held:
            connection.socket.close()
        server.wait_until(lambda: server.get("/livez").status == 200)
        assert server.send([event(1)]).json()["accepted"] == 1


def test_files_that_run_out_are_no_end(data):
    limited = ("prlimit", "--nofile=128:128", "--")
    with Server(data, *SMALL, "--set", "tier.interval_ms=50", wrap=limited) as server:
        server.send([event(n) for n in range(10)])
        server.flush()
        held = [Raw(server.url) for _ in range(200)]  # the backlog takes those that cannot be accepted
        server.wait_until(lambda: any("accepting paused" in line for line in server.log))
        for connection in held:
            connection.socket.close()
        server.wait_until(lambda: server.send([event(n) for n in range(10, 20)]).status == 200)
        server.flush()
        assert server.sql(IDS) == [[20, 20]]
