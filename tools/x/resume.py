# SPDX-License-Identifier: Apache-2.0
"""A download that goes on where an earlier one stopped, whoever sends the requests (resuming_pip.py, npm_open.cjs).

Only the checksum decides whether a file is whole and right: a server may know no ranges, answer another one, or have changed
the file. What was put together from several answers and is wrong is begun anew, once.
"""
import fcntl
import hashlib
import os
import time

BARREN_MAX = 5  # connections in a row that brought nothing new
CHUNK_BYTES = 1 << 16


class Refused(Exception):
    """The server's answer brings no bytes. `answer` says why."""

    def __init__(self, answer):
        super().__init__(f"HTTP status {answer.status}")
        self.answer = answer


class _Broken(Exception):
    """The bytes ended before the file did."""


def into(part, ask, is_wanted, pause=time.sleep):
    """Fills the file `part` behind the bytes that it has, and returns its SHA-256, wanted or not.

    ask(headers) sends one request and returns a context manager of its answer: `status`, `headers` (names in lower case), and
    read(size), which raises OSError where the connection breaks. Raises Refused, ConnectionError after BARREN_MAX broken
    connections that brought nothing, and what `ask` raises; the bytes that came stay in `part`.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with _locked(part) as file:
        began = file.seek(0, os.SEEK_END)
        if began and is_wanted(sha256_of(part)):
            return sha256_of(part)
        answers = _fill(file, ask, pause)
        if (began or answers > 1) and not is_wanted(sha256_of(part)):
            _empty(file)
            _fill(file, ask, pause)
        return sha256_of(part)


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _locked(part):
    """The file, when nobody else writes to it: a client may outlive its ./x."""
    while True:
        file = open(part, "ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        if part.exists() and os.path.samestat(os.fstat(file.fileno()), part.stat()):
            return file
        file.close()  # the other one has finished it and moved it away


def _fill(file, ask, pause):
    """Asks until nothing is missing. Returns how often it asked."""
    best, barren, asked = file.tell(), 0, 0
    while True:
        asked += 1
        try:
            _append(file, ask)
            return asked
        except _Broken as broken:
            barren = 0 if file.tell() > best else barren + 1
            best = max(best, file.tell())
            if barren == BARREN_MAX:
                raise ConnectionError(f"{broken}, {BARREN_MAX} times at the same place") from broken
            pause(0.5 * 2**barren if barren else 0)


def _append(file, ask):
    have = file.tell()
    with ask({"Range": f"bytes={have}-"} if have else {}) as answer:
        if answer.status == 200 and have:
            have = _empty(file)
        elif answer.status == 416 and have or answer.status == 206 and not answer.headers.get("content-range", "").startswith(f"bytes {have}-"):
            _empty(file)
            raise _Broken("the server answered another range")
        elif answer.status not in (200, 206):
            raise Refused(answer)
        while chunk := _read(answer, file):
            file.write(chunk)
        file.flush()
        if file.tell() < have + int(answer.headers.get("content-length", 0)):
            raise _Broken("the connection ended before the file did")


def _read(answer, file):
    try:
        return answer.read(CHUNK_BYTES)
    except OSError as error:
        file.flush()
        raise _Broken(f"the connection broke ({error})") from error


def _empty(file):
    file.truncate(0)
    return file.seek(0)
