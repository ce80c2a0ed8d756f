# SPDX-License-Identifier: Apache-2.0
"""JSONTestSuite by Nicolas Seriot as `data` of events, in every content mode: what RFC 8259 says must be taken is taken and comes back
byte for byte, what it says must be refused is refused and leaves nothing behind."""

import json
import os
import pathlib

import pytest

from sluice_server import Server

# The package holds text. Where the suite's bytes are no UTF-8 it has this character; each of these takes its place in turn.
LOST = "\N{REPLACEMENT CHARACTER}"
NO_UTF8 = [b"\xff", b"\x80", b"\xe5", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80"]

VECTORS = {v["name"].removesuffix(".json"): v["input"] for v in
           json.loads((pathlib.Path(os.environ["SLUICE_DATASETS"]).parent / "vectors" / "json_test_suite.json").read_text())}
MUST_TAKE = [name for name in VECTORS if name.startswith("y_")]
MUST_REFUSE = [name for name in VECTORS if name.startswith("n_")]
FREE = [name for name in VECTORS if name.startswith("i_")]

BATCH, ONE, LINES = "application/cloudevents-batch+json", "application/cloudevents+json", "application/x-ndjson"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("json") / "data") as server:
        assert server.post("/v1/events", wrapped("first", b"{}"), ONE).status == 200
        yield server


def forms(name):
    """The bytes of a vector; several where the package lost some."""
    text = VECTORS[name]
    return [text.encode(errors="surrogatepass"), *([text.replace(LOST, "\0LOST").encode().replace(b"\0LOST", b) for b in NO_UTF8] if LOST in text else [])]


def wrapped(event_id, data):
    return b'{"specversion":"1.0","id":"%s","source":"/json","type":"t","data":%s}' % (event_id.encode(), data)


def modes(server, name, data):
    """(mode, answer) of each way to send `data`."""
    yield "structured", server.post("/v1/events", wrapped(f"{name}-structured", data), ONE)
    yield "batch", server.post("/v1/events", b"[" + wrapped(f"{name}-batch", data) + b"]", BATCH)
    if b"\n" not in data:
        yield "ndjson", server.post("/v1/events", wrapped(f"{name}-ndjson", data), LINES)
    if data:  # an empty body is an event without data, not an empty text
        headers = {"ce-specversion": "1.0", "ce-id": f"{name}-binary", "ce-source": "/json", "ce-type": "t"}
        yield "binary", server.post("/v1/events", data, "application/json", headers)


def test_the_suite_is_whole():
    assert (len(MUST_TAKE), len(MUST_REFUSE), len(FREE)) == (95, 188, 35)


def test_what_must_be_taken_is_taken_and_comes_back(shared):
    sent = {}
    for name in MUST_TAKE:
        data, = forms(name)
        for mode, answer in modes(shared, name, data):
            assert answer.status == 200 and answer.json()["accepted"] == 1, (name, mode, answer.body)
            sent[f"{name}-{mode}"] = data.decode().strip(" \t\r\n")
    rows = dict(shared.sql("SELECT id, data FROM bronze.events WHERE source = '/json' AND id LIKE 'y\\_%' ESCAPE '\\'"))
    assert {key: data.strip(" \t\r\n") for key, data in rows.items()} == sent


def test_what_must_be_refused_is_refused_and_leaves_nothing(shared):
    before = shared.sql("SELECT count(*) FROM bronze.events")
    for name in MUST_REFUSE:
        for data in forms(name):
            for mode, answer in modes(shared, name, data):
                assert answer.status in (400, 422), (name, mode, data[:60], answer.status, answer.body)
    assert shared.sql("SELECT count(*) FROM bronze.events") == before


def test_what_is_left_free_is_taken_or_refused_the_same_way_in_every_mode(shared):
    for name in FREE:
        for data in forms(name):
            verdicts = {mode: answer.status == 200 for mode, answer in modes(shared, f"{name}-{data.hex()[:40]}", data)}
            assert len(set(verdicts.values())) == 1, (name, data[:60], verdicts)
