# SPDX-License-Identifier: Apache-2.0
"""Everything wrong that a client can send as events: the status, the slug, a sentence that names what is wrong, and nothing stored.

After each case the server takes a good event. What goes wrong below HTTP is in test_bad_http.py, statements are in test_bad_sql.py.
"""

import gzip
import itertools
import json
import zlib

import pytest
import zstandard

from problems import assert_problem
from sluice_server import Server, event

BATCH, ONE, LINES = "application/cloudevents-batch+json", "application/cloudevents+json", "application/x-ndjson"
MIB = 1 << 20
EVENTS_MAX, EVENT_BYTES_MAX, BODY_BYTES_MAX, INFLATED_BYTES_MAX = 5_000, MIB, 5 * MIB, 32 * MIB
DEPTH_MAX, KEYS_MAX, EXTENSIONS_MAX, LISTED_MAX = 64, 10_000, 128, 100
COUNT = "SELECT count(*) FROM bronze.events"
NUMBERS = itertools.count(1_000_000)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("bad-input") / "data") as server:
        assert server.send([event(next(NUMBERS))]).status == 200
        yield server


def assert_nothing_stored(server, send):
    """`send`'s answer; it stored nothing, and a good event comes through."""
    before = server.sql(COUNT)
    answer = send()
    assert server.sql(COUNT) == before
    assert server.send([event(next(NUMBERS))]).json()["accepted"] == 1
    return answer


# ---- events that are not valid --------------------------------------------------------------------------------------------


def changed(**more):
    return {**event(0), **more}


def without(name):
    return {k: v for k, v in event(0).items() if k != name}


def deep(levels):
    """Data that makes an event of so many levels; the event is the first."""
    return json.loads("[" * (levels - 1) + "]" * (levels - 1))


INVALID = [
    *[(f"without {name}", without(name), f"/{name}", "missing") for name in ("id", "source", "type", "specversion")],
    *[(f"empty {name}", changed(**{name: ""}), f"/{name}", "empty") for name in ("id", "source", "type", "subject", "dataschema", "datacontenttype")],
    *[(f"number as {name}", changed(**{name: 5}), f"/{name}", "string") for name in ("id", "source", "type", "time", "subject", "specversion", "datacontenttype")],
    *[(f"null as {name}", changed(**{name: None}), f"/{name}", "missing") for name in ("id", "source", "type", "specversion")],
    ("other specversion", changed(specversion="0.3"), "/specversion", "1.0"),
    ("date for a time", changed(time="2026-01-15"), "/time", "RFC 3339"),
    ("time without seconds", changed(time="2026-01-15T00:00Z"), "/time", "RFC 3339"),
    ("time without offset", changed(time="2026-01-15T00:00:00"), "/time", "RFC 3339"),
    ("day that is none", changed(time="2026-02-30T00:00:00Z"), "/time", "RFC 3339"),
    ("hour that is none", changed(time="2026-01-15T24:00:00Z"), "/time", "RFC 3339"),
    ("empty time", changed(time=""), "/time", "RFC 3339"),
    ("upper-case name", changed(Region="eu"), "/Region", "lower-case"),
    ("name with a dash", {**event(0), "my-region": "eu"}, "/my-region", "lower-case"),
    ("empty name", {**event(0), "": "eu"}, "/", "lower-case"),
    ("name that needs escapes", {**event(0), "a/b~": "eu"}, "/a~1b~0", "lower-case"),
    ("object as extension", changed(region={"a": 1}), "/region", "string"),
    ("array as extension", changed(region=[1]), "/region", "string"),
    ("fraction as extension", changed(region=1.5), "/region", "string"),
    ("integer of 33 bits", changed(region=2**31), "/region", "32 bits"),
    ("control character", changed(subject="a\u0000b"), "/subject", "control"),
    ("noncharacter", changed(source="/a\ufffe"), "/source", "noncharacter"),
    ("content type that is none", changed(datacontenttype="json"), "/datacontenttype", "media type"),
    ("two kinds of data", changed(data_base64="AA=="), "/data_base64", "exclude"),
    ("bad base64", {**without("data"), "data_base64": "A==="}, "/data_base64", "base64"),
    ("base64 that is no string", {**without("data"), "data_base64": 5}, "/data_base64", "string"),
    ("too many extensions", {**event(0), **{f"x{n}": "v" for n in range(EXTENSIONS_MAX + 1)}}, "", str(EXTENSIONS_MAX)),
    ("no object", 5, "", "object"),
    ("array for an event", [], "", "object"),
]


@pytest.mark.parametrize("one, pointer, reason", [case[1:] for case in INVALID], ids=[case[0] for case in INVALID])
def test_invalid_event_refuses_its_request_and_is_named(shared, one, pointer, reason):
    good = [event(next(NUMBERS)) for _ in range(2)]
    answer = assert_nothing_stored(shared, lambda: shared.send([good[0], one, good[1]]))
    problem = assert_problem(answer, 422, "invalid-event", ["1 of 3"])
    assert problem["rejected"] == 1 and len(problem["errors"]) == 1
    error = problem["errors"][0]
    assert error["index"] == 1 and error["pointer"] == pointer and reason in error["reason"], error


@pytest.mark.parametrize("one, pointer, reason", [case[1:] for case in INVALID], ids=[case[0] for case in INVALID])
def test_lenient_request_takes_the_others(shared, one, pointer, reason):
    before = shared.sql(COUNT)[0][0]
    good = [event(next(NUMBERS)) for _ in range(2)]
    answer = shared.send([good[0], one, good[1]], {"prefer": "handling=lenient"})
    assert answer.status == 200, answer.body
    taken = answer.json()
    assert (taken["accepted"], taken["duplicates"], taken["rejected"]) == (2, 0, 1)
    assert [("error" in r, r.get("topic")) for r in taken["results"]] == [(False, "raw-events"), (True, None), (False, "raw-events")]
    assert taken["results"][1]["error"]["pointer"] == pointer and reason in taken["results"][1]["error"]["reason"]
    assert shared.sql(COUNT) == [[before + 2]]
    stored = [[e["id"], r["partition"], r["offset"]] for e, r in zip(good, taken["results"][::2])]
    asked = shared.sql(f"SELECT id, log_partition, log_offset FROM bronze.events WHERE id IN ('{good[0]['id']}', '{good[1]['id']}') ORDER BY id")
    assert asked == sorted(stored)


@pytest.mark.parametrize("text", ['{"specversion":"1.0","id":"a","id":"b","source":"/s","type":"t"}', '{"specversion":"1.0","id":"a","source":"/s","type":"t","x":"1","x":"2"}'])
def test_name_that_occurs_twice_is_named(shared, text):
    problem = assert_problem(assert_nothing_stored(shared, lambda: shared.post("/v1/events", text, ONE)), 422, "invalid-event")
    assert "twice" in problem["errors"][0]["reason"]


def test_first_hundred_invalid_events_are_listed_and_all_are_counted(shared):
    events = [{**event(next(NUMBERS)), "id": "" if n % 2 else f"even-{next(NUMBERS)}"} for n in range(2 * LISTED_MAX + 4)]
    problem = assert_problem(assert_nothing_stored(shared, lambda: shared.send(events)), 422, "invalid-event")
    assert problem["rejected"] == LISTED_MAX + 2
    assert [e["index"] for e in problem["errors"]] == list(range(1, 2 * LISTED_MAX, 2))
    taken = shared.send(events, {"prefer": "handling=lenient"}).json()
    assert (taken["accepted"], taken["rejected"], len(taken["results"])) == (LISTED_MAX + 2, LISTED_MAX + 2, len(events))
    assert all(("error" in r) == bool(n % 2) for n, r in enumerate(taken["results"]))
    assert "missing" not in taken["results"][1]["error"]["reason"] and "empty" in taken["results"][1]["error"]["reason"]
    assert f"first {LISTED_MAX}" in taken["results"][-1]["error"]["reason"]


def test_nothing_but_invalid_events_is_lenient_too(shared):
    taken = assert_nothing_stored(shared, lambda: shared.send([5, {}], {"prefer": "handling=lenient"})).json()
    assert (taken["accepted"], taken["rejected"], len(taken["results"])) == (0, 2, 2)


def test_minimal_answer_has_no_results(shared):
    taken = shared.send([event(next(NUMBERS)), 5], {"prefer": "return=minimal, handling=lenient"}).json()
    assert taken == {"accepted": 1, "duplicates": 0, "rejected": 1}


# ---- bodies that cannot be read -----------------------------------------------------------------------------------------

GOOD = json.dumps(event(0)).encode()
MALFORMED = [
    ("nothing", ONE, b""),
    ("nothing as a batch", BATCH, b""),
    ("blanks", BATCH, b" \n\t"),
    ("truncated", ONE, GOOD[:-1]),
    ("truncated batch", BATCH, b"[" + GOOD),
    ("batch that ends with a comma", BATCH, b"[" + GOOD + b",]"),
    ("something behind the event", ONE, GOOD + b"x"),
    ("two events as one", ONE, GOOD + GOOD),
    ("batch as one event", ONE, b"[" + GOOD + b"]"),
    ("event as a batch", BATCH, GOOD),
    ("text", ONE, b"hello"),
    ("number as a batch", BATCH, b"5"),
    ("single quotes", ONE, GOOD.replace(b'"', b"'")),
    ("comment", ONE, b"/* */" + GOOD),
    ("NaN", ONE, GOOD.replace(b'{"n": 0}', b"NaN")),
    ("leading zero", ONE, GOOD.replace(b'{"n": 0}', b"01")),
    ("bad escape", ONE, GOOD.replace(b"test.event", b"\\x")),
    ("lone surrogate", ONE, GOOD.replace(b"test.event", b"\\ud800")),
    ("raw newline in a string", ONE, GOOD.replace(b"test.event", b"a\nb")),
    ("invalid UTF-8", ONE, GOOD.replace(b"test.event", b"\xc0\xa0")),
    ("invalid UTF-8 in data", ONE, GOOD.replace(b'{"n": 0}', b'"\xff"')),
    ("surrogate in UTF-8", ONE, GOOD.replace(b"test.event", b"\xed\xa0\x80")),
    ("UTF-16", ONE, GOOD.decode().encode("utf-16")),
    ("zero byte", ONE, GOOD + b"\0"),
    ("too deep", ONE, json.dumps(changed(data=deep(DEPTH_MAX + 1))).encode()),
    ("too many keys", ONE, json.dumps(changed(data={str(n): 0 for n in range(KEYS_MAX + 1)})).encode()),
]


@pytest.mark.parametrize("content_type, body", [case[1:] for case in MALFORMED], ids=[case[0] for case in MALFORMED])
def test_body_that_is_no_json_is_refused_with_its_place(shared, content_type, body):
    for headers in ({}, {"prefer": "handling=lenient"}):
        answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, content_type, headers))
        assert_problem(answer, 400, "malformed-body", ["malformed JSON at byte "])


@pytest.mark.parametrize("one", [changed(data=deep(DEPTH_MAX)), changed(data={str(n): 0 for n in range(KEYS_MAX)}),
                                 {**event(0), **{f"x{n}": "v" for n in range(EXTENSIONS_MAX)}}], ids=["depth", "keys", "extensions"])
def test_event_at_a_limit_is_taken(shared, one):
    assert shared.send([{**one, "id": f"limit-{next(NUMBERS)}"}]).json()["accepted"] == 1


def test_lines_name_the_line_that_is_none(shared):
    good = [json.dumps(event(next(NUMBERS))) for _ in range(2)]
    body = "\n".join([good[0], '{"specversion":', good[1]]) + "\n"
    assert_problem(assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, LINES)), 422, "invalid-event")
    answer = shared.post("/v1/events", body, LINES, {"prefer": "handling=lenient"})
    assert answer.status == 200 and ["error" in r for r in answer.json()["results"]] == [False, True, False]
    assert "JSON" in answer.json()["results"][1]["error"]["reason"]


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n"])
def test_no_lines_are_no_events(shared, body):
    assert assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, LINES)).json() == \
        {"accepted": 0, "duplicates": 0, "rejected": 0, "results": []}


def test_empty_batch_is_no_error(shared):
    answer = assert_nothing_stored(shared, lambda: shared.send([]))
    assert answer.status == 200 and answer.json() == {"accepted": 0, "duplicates": 0, "rejected": 0, "results": []}


# ---- content types and encodings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/cloudevents+avro", "application/cloudevents-batch+xml",
                                          "application/x-www-form-urlencoded", "json", ""])
def test_content_type_that_is_not_taken_names_those_that_are(shared, content_type):
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", GOOD, content_type))
    assert_problem(answer, 415, "unsupported-media-type", ["application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson", "ce-"])


def test_content_types_are_read_as_the_standard_says(shared):
    for content_type, body in [(f"{BATCH}; charset=utf-8", [event(next(NUMBERS))]), ("APPLICATION/CloudEvents+JSON", event(next(NUMBERS))),
                               ("application/cloudevents;charset=UTF-8", event(next(NUMBERS)))]:
        assert shared.post("/v1/events", json.dumps(body), content_type).json()["accepted"] == 1, content_type


def zstd(data, **options):
    return zstandard.ZstdCompressor(**options).compress(data)


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1:]


PACKED = gzip.compress(GOOD, mtime=0)
DAMAGED = [
    ("gzip", "gzip that is none", GOOD), ("gzip", "nothing", b""), ("gzip", "header only", PACKED[:10]), ("gzip", "truncated", PACKED[:-9]),
    ("gzip", "without its length", PACKED[:-1]), ("gzip", "wrong checksum", flipped(PACKED, -6)), ("gzip", "wrong length", flipped(PACKED, -1)),
    ("gzip", "damaged", flipped(PACKED, 12)), ("gzip", "something behind", PACKED + b"x"), ("gzip", "zlib", zlib.compress(GOOD)),
    ("zstd", "zstd that is none", GOOD), ("zstd", "nothing", b""), ("zstd", "truncated", zstd(GOOD)[:-1]), ("zstd", "something behind", zstd(GOOD) + b"x"),
    ("zstd", "wrong checksum", flipped(zstd(GOOD, write_checksum=True), -1)),
]


@pytest.mark.parametrize("encoding, body", [(case[0], case[2]) for case in DAMAGED], ids=[f"{case[0]} {case[1]}" for case in DAMAGED])
def test_body_that_cannot_be_decompressed_is_refused(shared, encoding, body):
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, ONE, {"content-encoding": encoding}))
    assert_problem(answer, 400, "malformed-encoding", [f"no complete {encoding} stream"])


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip;q=1", "x"])
def test_encoding_that_is_not_taken_names_those_that_are(shared, encoding):
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", PACKED, ONE, {"content-encoding": encoding}))
    assert_problem(answer, 415, "unsupported-media-type", [encoding, "gzip", "zstd"])


def test_damaged_json_inside_a_good_encoding_is_malformed_json(shared):
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", gzip.compress(GOOD[:-1]), ONE, {"content-encoding": "gzip"}))
    assert_problem(answer, 400, "malformed-body", ["malformed JSON"])


def rss_bytes(server):
    lines = open(f"/proc/{server.process.pid}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


@pytest.mark.parametrize("encoding, pack", [("gzip", lambda d: gzip.compress(d, 9)), ("zstd", lambda d: zstd(d, level=19)),
                                            ("zstd", lambda d: b"".join(zstd(bytes(MIB)) for _ in range(200)))])
def test_bomb_is_refused_in_bounded_memory(shared, encoding, pack):
    shared.post("/v1/events", gzip.compress(bytes(INFLATED_BYTES_MAX)), ONE, {"content-encoding": "gzip"})  # its buffers are there
    before = rss_bytes(shared)
    body = pack(bytes(1_000 * MIB if encoding == "gzip" else 200 * MIB))
    assert len(body) < BODY_BYTES_MAX
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, ONE, {"content-encoding": encoding}))
    assert_problem(answer, 413, "body-too-large", [str(INFLATED_BYTES_MAX)])
    assert rss_bytes(shared) - before < 2 * INFLATED_BYTES_MAX


# ---- limits ---------------------------------------------------------------------------------------------------------------


def sized(size):
    """One event of so many bytes."""
    one = {**event(next(NUMBERS)), "data": ""}
    return json.dumps({**one, "data": "x" * (size - len(json.dumps(one)))})


def test_number_of_events(shared):
    small = [{"specversion": "1.0", "id": f"many-{n}", "source": "/many", "type": "t"} for n in range(EVENTS_MAX + 1)]
    for content_type, body in [(BATCH, json.dumps(small)), (LINES, "\n".join(map(json.dumps, small)))]:
        answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, content_type))
        assert_problem(answer, 413, "body-too-large", [f"more than {EVENTS_MAX} events"])
    assert shared.send(small[:-1]).json()["accepted"] == EVENTS_MAX


def test_bytes_of_an_event(shared):
    assert shared.post("/v1/events", sized(EVENT_BYTES_MAX), ONE).json()["accepted"] == 1
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", sized(EVENT_BYTES_MAX + 1), ONE))
    assert_problem(answer, 413, "body-too-large", [str(EVENT_BYTES_MAX)])
    body = f"[{sized(EVENT_BYTES_MAX + 1)},{json.dumps(event(next(NUMBERS)))}]"
    problem = assert_problem(assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, BATCH)), 422, "invalid-event")
    assert str(EVENT_BYTES_MAX) in problem["errors"][0]["reason"] and problem["errors"][0]["index"] == 0
    taken = shared.post("/v1/events", body, BATCH, {"prefer": "handling=lenient"}).json()
    assert (taken["accepted"], taken["rejected"]) == (1, 1) and "error" in taken["results"][0]


def padded_batch(size):
    one = json.dumps([event(next(NUMBERS))])
    return one + " " * (size - len(one))


def test_bytes_of_a_body(shared):
    assert shared.post("/v1/events", padded_batch(BODY_BYTES_MAX), BATCH).json()["accepted"] == 1
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", padded_batch(BODY_BYTES_MAX + 1), BATCH))
    assert_problem(answer, 413, "body-too-large", [str(BODY_BYTES_MAX)])


def test_bytes_of_a_decompressed_body(shared):
    for encoding, pack in [("gzip", gzip.compress), ("zstd", zstd)]:
        body = pack(padded_batch(INFLATED_BYTES_MAX).encode())
        assert shared.post("/v1/events", body, BATCH, {"content-encoding": encoding}).json()["accepted"] == 1
        body = pack(padded_batch(INFLATED_BYTES_MAX + 1).encode())
        answer = assert_nothing_stored(shared, lambda: shared.post("/v1/events", body, BATCH, {"content-encoding": encoding}))
        assert_problem(answer, 413, "body-too-large", [str(INFLATED_BYTES_MAX)])


# ---- duplicates -----------------------------------------------------------------------------------------------------------


def test_duplicates_inside_a_request_name_the_first(shared):
    before = shared.sql(COUNT)[0][0]
    one, other = event(next(NUMBERS)), event(next(NUMBERS))
    taken = shared.send([one, other, one, {**one, "data": {"n": "another"}}]).json()
    assert (taken["accepted"], taken["duplicates"], taken["rejected"]) == (2, 2, 0)
    results = taken["results"]
    assert [r["duplicate"] for r in results] == [False, False, True, True]
    assert all((r["partition"], r["offset"]) == (results[0]["partition"], results[0]["offset"]) for r in results[2:])
    assert shared.sql(COUNT) == [[before + 2]]
    assert json.loads(shared.sql(f"SELECT data FROM bronze.events WHERE id = '{one['id']}'")[0][0]) == one["data"]


def test_same_id_of_another_source_is_another_event(shared):
    one = event(next(NUMBERS))
    assert shared.send([one, {**one, "source": "/elsewhere"}]).json()["accepted"] == 2


def test_refused_request_leaves_no_ids_behind(shared):
    one = event(next(NUMBERS))
    assert shared.send([one, 5]).status == 422
    assert shared.send([one]).json()["accepted"] == 1


def names_of_topics(server):
    return [topic["name"] for topic in server.get("/v1/topics").json()["topics"]]


# ---- topics ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["Raw-events", "raw events", "raw%20events", "-raw", "_raw", "raw__x", "__topics", "r%C3%A4w", "raw.events", "a" * 202,
                                   "..", "raw%2fevents"])
def test_bad_topic_names_are_named(shared, topic):
    topics = names_of_topics(shared)
    path = f"/v1/topics/{topic.replace(' ', '%20')}/events"
    answer = assert_nothing_stored(shared, lambda: shared.post(path, GOOD, ONE))
    assert_problem(answer, 400, "malformed-request", ["is no topic name", "a-z"])
    assert names_of_topics(shared) == topics


def test_longest_topic_name_is_taken(shared):
    topic = "b" + "x" * 200
    assert shared.post(f"/v1/topics/{topic}/events", GOOD, ONE).json()["results"][0]["topic"] == topic


def test_second_topic_for_a_table_is_refused(shared):
    answer = assert_nothing_stored(shared, lambda: shared.post("/v1/topics/bronze-events/events", GOOD, ONE))
    assert_problem(answer, 400, "malformed-request", ["bronze-events", "bronze.events", "raw-events"])


def test_bad_events_make_no_topic(shared):
    assert shared.post("/v1/topics/never-made/events", b"5", ONE).status in (400, 422)
    assert shared.post("/v1/topics/never-made/events", b"[]", BATCH).status == 200
    assert "never-made" not in names_of_topics(shared)


# ---- binary mode ----------------------------------------------------------------------------------------------------------

CE = {"ce-specversion": "1.0", "ce-id": "binary", "ce-source": "/s", "ce-type": "t"}


def binary(server, more, body=b"{}", content_type="application/json"):
    headers = {k: v for k, v in {**CE, **more}.items() if v is not None}
    return server.post("/v1/events", body, content_type, headers)


@pytest.mark.parametrize("more, pointer, reason", [
    *[({f"ce-{name}": None}, f"/{name}", "missing") for name in ("id", "source", "type", "specversion")],
    *[({f"ce-{name}": ""}, f"/{name}", "empty") for name in ("id", "source", "type")],
    ({"ce-specversion": "2.0"}, "/specversion", "1.0"),
    ({"ce-time": "yesterday"}, "/time", "RFC 3339"),
    ({"ce-datacontenttype": "application/json"}, "/datacontenttype", "Content-Type"),
    ({"ce-data": "1"}, "/data", "body"),
    ({"ce-my_name": "1"}, "/my_name", "lower-case"),
    ({"ce-subject": "a%00b"}, "/subject", "control"),
])
def test_binary_mode_names_the_header(shared, more, pointer, reason):
    problem = assert_problem(assert_nothing_stored(shared, lambda: binary(shared, more)), 422, "invalid-event")
    assert problem["rejected"] == 1 and problem["errors"][0]["pointer"] == pointer and reason in problem["errors"][0]["reason"]


# Such an event was acknowledged, killed every worker that read it, and the next start refused its log.
def test_content_type_that_is_no_utf8_is_refused(shared):
    for content_type in ("text/plain; a=\xbf", "text/plain; a=\xe9"):
        answer = assert_nothing_stored(shared, lambda: binary(shared, {"ce-id": "no-utf8"}, b"hi", content_type))
        problem = assert_problem(answer, 422, "invalid-event")
        assert problem["errors"][0]["pointer"] == "/datacontenttype" and "UTF-8" in problem["errors"][0]["reason"]


@pytest.mark.parametrize("value", ["%C0%A0", "%", "%2", "%zz", "%ED%A0%80", "%FF"])
def test_header_that_is_no_percent_encoded_utf8_is_refused(shared, value):
    answer = assert_nothing_stored(shared, lambda: binary(shared, {"ce-subject": value}))
    assert_problem(answer, 400, "malformed-body", ["Subject", "percent-encoded"])


def test_data_that_is_not_what_the_content_type_says_is_refused(shared):
    answer = assert_nothing_stored(shared, lambda: binary(shared, {}, b"{"))
    assert_problem(answer, 400, "malformed-body", ["malformed JSON"])


def test_binary_event_at_its_limit(shared):
    fixed = sum(len(k) + len(v) for k, v in CE.items()) + len("text/plain")
    assert binary(shared, {}, b"x" * (EVENT_BYTES_MAX - fixed), "text/plain").json()["accepted"] == 1
    answer = assert_nothing_stored(shared, lambda: binary(shared, {"ce-id": "binarx"}, b"x" * (EVENT_BYTES_MAX - fixed + 1), "text/plain"))
    assert_problem(answer, 413, "body-too-large", [str(EVENT_BYTES_MAX)])
