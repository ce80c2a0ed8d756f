# SPDX-License-Identifier: Apache-2.0
"""What goes wrong before a request is one: paths, methods, heads, framing, clients that are slow or go away. Nothing is stored of it."""

import gzip
import json
import time

import pytest

from problems import assert_problem
from raw_http import Raw, exchange, head
from sluice_server import Server, event

COUNT = "SELECT count(*) FROM bronze.events"
TYPE = ("content-type", "application/cloudevents+json")
GOOD = json.dumps(event(0)).encode()
HEAD_BYTES_MAX, HEADERS_MAX, TARGET_BYTES_MAX = 16 << 10, 100, 8 << 10
HEAD_SECONDS_MAX = 10


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("bad-http") / "data") as server:
        assert server.send([event(1)]).status == 200
        yield server


def assert_untouched(server):
    assert server.sql(COUNT) == [[1]]
    assert server.send([event(1)]).json()["duplicates"] == 1


# ---- paths and methods ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, words", [
    ("/v1/event", ["/v1/event", "did you mean /v1/events?"]),
    ("/v1/events/", ["/v1/events"]),
    ("/v2/events", ["did you mean /v1/events?"]),
    ("/v1/tables/bronze.events", ["did you mean /v1/tables/{namespace}/{table}?"]),
    ("/v1/topic/raw-events/events", ["did you mean /v1/topics/{topic}/events?"]),
    ("/completely-different-from-all", ["GET /"]),
    ("/v1/../v1/events", ["there is no path"]),
    ("//v1/events", ["there is no path"]),
])
def test_wrong_path_names_the_nearest(shared, path, words):
    answer = exchange(shared.url, head("POST", path, [TYPE, ("content-length", len(GOOD)), ("connection", "close")]) + GOOD)
    assert_problem(answer, 404, "not-found", words)
    assert_untouched(shared)


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", "/v1/events", "POST, OPTIONS"), ("PUT", "/v1/events", "POST, OPTIONS"), ("DELETE", "/v1/topics/raw-events/events", "POST, OPTIONS"),
    ("GET", "/v1/sql", "POST, OPTIONS"), ("POST", "/v1/status", "GET, HEAD, OPTIONS"), ("PATCH", "/v1/tables/bronze/events/flush", "POST, OPTIONS"),
])
def test_wrong_method_is_told_the_right_ones(shared, method, path, allowed):
    answer = shared.request(method, path, GOOD if method != "GET" else None, {"content-type": TYPE[1]})
    assert_problem(answer, 405, "method-not-allowed", [path, method, allowed])
    assert answer.headers["allow"] == allowed
    assert_untouched(shared)


def test_options_tells_what_a_path_takes(shared):
    answer = shared.request("OPTIONS", "/v1/events")
    assert answer.status == 204 and answer.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path, words", [("/v1/tables/bronze/event", ["bronze.event", "did you mean bronze.events?"]),
                                         ("/v1/topics/raw-event", ["raw-event", "did you mean"]), ("/v1/tables/bronze/event/snapshots", ["bronze.events"])])
def test_thing_that_is_not_there_names_the_nearest(shared, path, words):
    assert_problem(shared.get(path), 404, "not-found", words)


@pytest.mark.parametrize("timeout", ["0", "-1", "soon", "600001", ""])
def test_flush_with_a_bad_timeout_is_refused(shared, timeout):
    answer = shared.request("POST", f"/v1/tables/bronze/events/flush?timeout_ms={timeout}", b"")
    assert_problem(answer, 400, "malformed-request", ["timeout_ms", "600000"])


# ---- heads and framing --------------------------------------------------------------------------------------------------------

LENGTH = ("content-length", len(GOOD))
CHUNKED = ("transfer-encoding", "chunked")


def request(*headers, line="POST /v1/events HTTP/1.1", body=GOOD, host="host: test\r\n"):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{line}\r\n{host}{lines}\r\n".encode("latin-1") + body


def chunks(text):
    return request(TYPE, CHUNKED, body=text)


BROKEN = [
    ("not HTTP", b"hello\r\n\r\n", 400, "malformed-request"),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", 400, "malformed-request"),
    ("no host", request(TYPE, LENGTH, host=""), 400, "malformed-request"),
    ("two hosts", request(TYPE, LENGTH, host="host: a\r\nhost: b\r\n"), 400, "malformed-request"),
    ("HTTP/2", request(TYPE, LENGTH, line="POST /v1/events HTTP/2.0"), 505, "version-not-supported"),
    ("unknown method", request(TYPE, LENGTH, line="SEND /v1/events HTTP/1.1"), 501, "not-implemented"),
    ("zero byte in the path", request(TYPE, LENGTH, line="POST /v1/topics/raw%00/events HTTP/1.1"), 400, "malformed-request"),
    ("escape that is none", request(TYPE, LENGTH, line="POST /v1/topics/raw%zz/events HTTP/1.1"), 400, "malformed-request"),
    ("two lengths", request(TYPE, LENGTH, ("content-length", len(GOOD) + 1)), 400, "malformed-request"),
    ("length and chunks", request(TYPE, LENGTH, CHUNKED), 400, "malformed-request"),
    ("negative length", request(TYPE, ("content-length", -1)), 400, "malformed-request"),
    ("length with a sign", request(TYPE, ("content-length", "+5")), 400, "malformed-request"),
    ("length that overflows", request(TYPE, ("content-length", "9" * 30)), 400, "malformed-request"),
    ("length beyond the limit", request(TYPE, ("content-length", 1 << 40), body=b""), 413, "body-too-large"),
    ("unknown coding", request(TYPE, ("transfer-encoding", "gzip, chunked")), 501, "not-implemented"),
    ("chunked twice", request(TYPE, ("transfer-encoding", "chunked, chunked")), 501, "not-implemented"),
    ("unknown expectation", request(TYPE, LENGTH, ("expect", "a miracle")), 417, "expectation-failed"),
    ("space before the colon", request(TYPE, LENGTH, ("x ", "y")), 400, "malformed-request"),
    ("folded header", request(TYPE, LENGTH, ("x", "a\r\n b")), 400, "malformed-request"),
    ("zero byte in a header", request(TYPE, LENGTH, ("x", "a\0b")), 400, "malformed-request"),
    ("chunk size that is none", chunks(b"xyz\r\n"), 400, "malformed-request"),
    ("negative chunk", chunks(b"-5\r\n"), 400, "malformed-request"),
    ("huge chunk size", chunks(b"f" * 20 + b"\r\n"), 400, "malformed-request"),
    ("chunk longer than it says", chunks(b"2\r\nabc\r\n0\r\n\r\n"), 400, "malformed-request"),
    ("chunk with a bare newline", chunks(b"3\nabc\n0\n\n"), 400, "malformed-request"),
    ("too many bytes in chunks", chunks(b"500001\r\n" + bytes(0x500001) + b"\r\n0\r\n\r\n"), 413, "body-too-large"),
    ("head too large", request(TYPE, LENGTH, ("x", "y" * HEAD_BYTES_MAX)), 431, "head-too-large"),
    ("too many headers", request(TYPE, LENGTH, *[(f"x{n}", "y") for n in range(HEADERS_MAX)]), 431, "head-too-large"),
    ("target too long", request(TYPE, LENGTH, line=f"POST /v1/events?{'x' * TARGET_BYTES_MAX} HTTP/1.1"), 414, "target-too-long"),
]


@pytest.mark.parametrize("data, status, slug", [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_broken_request_is_refused_and_its_connection_closed(shared, data, status, slug):
    answer = exchange(shared.url, data)  # comes back only when the server closes
    assert_problem(answer, status, slug)
    assert answer.headers["connection"] == "close"
    assert_untouched(shared)


@pytest.mark.parametrize("headers", [[TYPE, LENGTH, ("x", "y" * (HEAD_BYTES_MAX - 200))], [TYPE, LENGTH, *[(f"x{n}", "y") for n in range(HEADERS_MAX - 4)]]])
def test_head_below_its_limit_is_taken(shared, headers):
    body = json.dumps(event(1)).encode()
    headers = [(name, len(body) if name == "content-length" else value) for name, value in headers]
    answer = exchange(shared.url, head("POST", "/v1/events", [*headers, ("connection", "close")]) + body)
    assert answer.status == 200 and answer.json()["duplicates"] == 1
    assert_untouched(shared)


def test_chunks_are_one_body(shared):
    body = json.dumps(event(1)).encode()
    pieces = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(p), p) for p in (body[:1], body[1:7], body[7:])) + b"0\r\ntrailer: x\r\n\r\n"
    answer = exchange(shared.url, head("POST", "/v1/events", [TYPE, CHUNKED, ("connection", "close")]) + pieces)
    assert answer.status == 200 and answer.json()["duplicates"] == 1


# Found by gzip bodies that came in the packet of their head: they were refused as a head with a zero byte.
def test_body_with_zero_bytes_may_come_with_its_head(shared):
    body = gzip.compress(json.dumps(event(1)).encode())
    assert b"\0" in body
    sent = head("POST", "/v1/events", [TYPE, ("content-encoding", "gzip"), ("content-length", len(body)), ("connection", "close")]) + body
    for cut in (0, 1, len(sent) - len(body), len(sent) - 1):
        with Raw(shared.url) as connection:
            connection.send(sent[:cut])
            connection.send(sent[cut:])
            assert connection.receive().json()["duplicates"] == 1


def test_second_request_behind_a_broken_one_is_not_read(shared):
    second = request(TYPE, ("content-length", len(json.dumps(event(2)))), body=json.dumps(event(2)).encode())
    answer = exchange(shared.url, chunks(b"xyz\r\n") + second)
    assert_problem(answer, 400, "malformed-request")
    assert_untouched(shared)


# ---- clients that are slow or go away ---------------------------------------------------------------------------------------------


def test_client_that_goes_away_stores_nothing(shared):
    for cut in (1, len(GOOD) // 2, len(GOOD) - 1):
        with Raw(shared.url) as connection:
            connection.send(head("POST", "/v1/events", [TYPE, LENGTH]) + GOOD[:cut])
    with Raw(shared.url) as connection:
        connection.send(head("POST", "/v1/events", [TYPE, CHUNKED]) + b"%x\r\n%s\r\n" % (len(GOOD), GOOD))  # the end is missing
    shared.wait_until(lambda: shared.get("/v1/status").json()["connections"] == 1)
    assert_untouched(shared)


def test_slow_clients_are_cut_and_hold_nobody_up(shared):
    began = time.monotonic()
    slow_heads = [Raw(shared.url) for _ in range(50)]
    slow_bodies = [Raw(shared.url) for _ in range(50)]
    for connection in slow_heads:
        connection.send(b"POST /v1/events HTTP/1.1\r\nhost: te")
    for connection in slow_bodies:
        connection.send(head("POST", "/v1/events", [TYPE, LENGTH]) + GOOD[:10])
    while time.monotonic() - began < HEAD_SECONDS_MAX:  # meanwhile others are served
        assert_untouched(shared)
    for connection in slow_heads:
        assert_problem(connection.receive(), 408, "request-timeout")
        connection.socket.close()
    for connection in slow_bodies:  # a body is given more time
        connection.send(GOOD[10:-1])
        connection.socket.close()
    shared.wait_until(lambda: shared.get("/v1/status").json()["connections"] == 1)
    assert_untouched(shared)
