# SPDX-License-Identifier: Apache-2.0
"""Small bodies that decompress to large ones: 413 in bounded memory, whatever the packer's tricks; and after each the server takes a good
event."""

import gzip
import itertools
import json
import struct
import threading
import zlib

import pytest
import zstandard

from problems import assert_problem
from sluice_server import Server, event

MIB = 1 << 20
BODY_BYTES_MAX, INFLATED_BYTES_MAX = 5 * MIB, 32 * MIB
ONE, BATCH, LINES = "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"
NUMBERS = itertools.count()


def gz(pieces, level=9, **more):
    packer = zlib.compressobj(level, zlib.DEFLATED, 31, **more)
    return b"".join([*(packer.compress(piece) for piece in pieces), packer.flush()])


def gz_with_header(flags, fields, pieces):
    """A member whose header has optional fields (RFC 1952 section 2.3)."""
    packer, size, crc = zlib.compressobj(9, zlib.DEFLATED, -15), 0, 0
    out = [b"\x1f\x8b\x08" + bytes([flags]) + bytes(4) + b"\x02\xff" + fields]
    for piece in pieces:
        out.append(packer.compress(piece))
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return b"".join([*out, packer.flush(), struct.pack("<II", crc, size & 0xFFFFFFFF)])


def zs(pieces, level=3, size=-1, **more):
    parameters = zstandard.ZstdCompressionParameters.from_level(level, **more)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=size)
    return b"".join([*(packer.compress(piece) for piece in pieces), packer.flush()])


def zs_raw(blocks, size=None, window=0x60):
    """A frame of hand-made blocks: (type, bytes of the block, size it says). RFC 8878 section 3.1.1."""
    head = b"\x28\xb5\x2f\xfd" + (bytes([0xC0]) + bytes([window]) + struct.pack("<Q", size) if size is not None else bytes([0x00, window]))
    out = b""
    for number, (kind, data, says) in enumerate(blocks):
        out += struct.pack("<I", (number + 1 == len(blocks)) | kind << 1 | says << 3)[:3] + data
    return head + out


ZEROS, LETTERS = bytes(MIB), b"A" * MIB
SPACES, LINE = b" " * MIB, b'{"a":1}\n' * (MIB // 8)
EVENT = json.dumps(event(1)).encode()
LONGER = [*[SPACES] * 32, b"x"]  # a byte more than is taken
RLE = [(1, b"\0", 1 << 17)]

BOMBS = [
    ("gzip", "zeros 1,000 : 1", gz([ZEROS] * 1000)), ("gzip", "letters", gz([LETTERS] * 1000)), ("gzip", "spaces behind an event", gz([EVENT, *[SPACES] * 500])),
    ("gzip", "lines", gz([LINE] * 500)), ("gzip", "fast", gz([ZEROS] * 500, 1)), ("gzip", "a byte more than is taken", gz(LONGER)),
    ("gzip", "200 members", gzip.compress(ZEROS, mtime=0) * 200), ("gzip", "4,000 members", gzip.compress(bytes(16 << 10), mtime=0) * 4000), ("gzip", "good member first", gzip.compress(EVENT) + gz([ZEROS] * 500)),
    ("gzip", "truncated", gz([ZEROS] * 500)[:-100]), ("gzip", "wrong checksum", gz([ZEROS] * 500)[:-8] + bytes(8)), ("gzip", "garbage behind", gz([ZEROS] * 500) + b"x" * 100),
    ("gzip", "long name", gz_with_header(8, b"n" * MIB + b"\0", [ZEROS] * 500)), ("gzip", "long comment", gz_with_header(16, b"c" * MIB + b"\0", [ZEROS] * 500)),
    ("gzip", "extra field", gz_with_header(4, b"\xff\xff" + b"e" * 0xFFFF, [ZEROS] * 500)), ("gzip", "fixed codes", gz([ZEROS] * 500, strategy=zlib.Z_FIXED)), ("gzip", "runs", gz([ZEROS] * 500, strategy=zlib.Z_RLE)),
    ("zstd", "zeros", zs([ZEROS] * 1000)), ("zstd", "level 19", zs([ZEROS] * 200, 19)), ("zstd", "letters", zs([LETTERS] * 1000)), ("zstd", "spaces behind an event", zs([EVENT, *[SPACES] * 500])),
    ("zstd", "size in the head", zs([ZEROS] * 500, size=500 * MIB)), ("zstd", "a byte more than is taken", zs(LONGER)), ("zstd", "200 frames", zs([ZEROS]) * 200), ("zstd", "4,000 frames", zs([bytes(16 << 10)]) * 4000),
    ("zstd", "good frame first", zs([EVENT]) + zs([ZEROS] * 500)), ("zstd", "skippable frames between", (zs([ZEROS]) + b"\x50\x2a\x4d\x18" + struct.pack("<I", 1000) + bytes(1000)) * 200),
    ("zstd", "truncated", zs([ZEROS] * 500)[:-10]), ("zstd", "blocks of one repeated byte", zs_raw(RLE * 4000)), ("zstd", "window of 2 GiB", zs([ZEROS] * 100, window_log=31)),
    ("zstd", "window of 32 MiB", zs([ZEROS] * 200, window_log=25)), ("zstd", "window of 128 MiB", zs([ZEROS] * 200, window_log=27)), ("zstd", "size of an exbibyte", zs_raw(RLE * 4000, 1 << 60)),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("bombs") / "data") as server:
        assert server.send([event(1_000_000)]).status == 200
        server.sql("SELECT 1")
        yield server


def kib(server, name):
    return next(int(line.split()[1]) for line in open(f"/proc/{server.process.pid}/status", encoding="ascii") if line.startswith(f"{name}:"))


def test_there_are_thirty_bombs():
    assert len(BOMBS) >= 30 and all(len(body) < BODY_BYTES_MAX for _, _, body in BOMBS)


# A process of its own would measure each alone; together they show that nothing adds up, either.
def test_bombs_are_refused_within_twice_the_limit_of_a_body(shared):
    before = kib(shared, "VmRSS")
    for encoding, name, body in BOMBS:
        for content_type in (ONE, BATCH, LINES):
            answer = shared.post("/v1/events", body, content_type, {"content-encoding": encoding})
            assert answer.status == 413, (encoding, name, content_type, answer.status, answer.body[:200])
            assert_problem(answer, 413, "body-too-large", [str(INFLATED_BYTES_MAX)])
        assert kib(shared, "VmHWM") - before <= 2 * INFLATED_BYTES_MAX >> 10, (encoding, name)
        assert shared.send([event(next(NUMBERS))]).json()["accepted"] == 1, (encoding, name)


def test_gzip_inside_of_gzip_is_unpacked_once(shared):
    before = kib(shared, "VmRSS")
    nested = gzip.compress(gz([ZEROS] * 1000))
    answer = shared.post("/v1/events", nested, ONE, {"content-encoding": "gzip"})
    assert_problem(answer, 400, "malformed-body")
    answer = shared.post("/v1/events", nested, ONE, {"content-encoding": "gzip, gzip"})
    assert_problem(answer, 415, "unsupported-media-type")
    assert kib(shared, "VmHWM") - before <= 2 * INFLATED_BYTES_MAX >> 10


def test_many_bombs_at_once_hold_no_more_than_the_threads_that_unpack(shared):
    """Compressed bodies are unpacked by one thread, so that bombs wait for each other."""
    before = kib(shared, "VmRSS")
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(shared.post("/v1/events", BOMBS[0][2], ONE, {"content-encoding": "gzip"}).status)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [413] * 16
    assert kib(shared, "VmHWM") - before <= 4 * INFLATED_BYTES_MAX >> 10
