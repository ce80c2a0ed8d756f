#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Downloads that break go on where they stopped, through the proxy and the mirror of the user: pip and npm against a server on loopback."""
import base64
import contextlib
import fcntl
import hashlib
import http.server
import io
import json
import os
import pathlib
import random
import signal
import sys
import tarfile
import threading
import time
import unittest
import zipfile
from unittest import mock

sys.dont_write_bytecode = True

from clone import WithClone, main
from x import download, paths, resume

CONTENT = random.Random(1).randbytes(1_000_000)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Answers:
    """A server without network: `script` has one function (start of the range) -> (status, headers, bytes or an error at the end) a request."""

    def __init__(self, *script):
        self.script, self.starts = list(script), []

    @contextlib.contextmanager
    def ask(self, headers):
        start = int(headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        self.starts.append(start)
        self.status, self.headers, body, self.broken = self.script.pop(0)(start)
        self.body = io.BytesIO(body)
        yield self

    def read(self, size):
        chunk = self.body.read(size)
        if not chunk and self.broken:
            raise ConnectionResetError("reset")
        return chunk


def ranges(content=CONTENT, upto=None, resets=False):
    """Sends what is asked for, and no further than `upto`."""
    def answer(start):
        body = content[start:]
        headers = {"content-length": str(len(body)), "content-range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return (206 if start else 200), headers, content[start:upto], upto is not None and resets
    return answer


def whole(content=CONTENT, upto=None):
    """Knows no ranges."""
    return lambda start: (200, {"content-length": str(len(content))}, content[:upto], False)


def status(code):
    return lambda start: (code, {}, b"", False)


class OneFile(WithClone):
    def setUp(self):
        super().setUp()
        self.part = paths.PARTS / "file"
        self.paused = []

    def fetch(self, *script, wanted=CONTENT):
        self.server = Answers(*script)
        found = resume.into(self.part, self.server.ask, sha256(wanted).__eq__, self.paused.append)
        self.assertEqual(self.server.script, [])
        self.assertEqual(found, sha256(self.part.read_bytes()))
        return found == sha256(wanted)

    def test_what_came_is_not_asked_for_again(self):
        self.assertTrue(self.fetch(ranges(upto=300_000), ranges(upto=700_001, resets=True), ranges()))
        self.assertEqual(self.server.starts, [0, 300_000, 700_001])

    def test_a_later_run_goes_on_and_asks_nothing_where_all_is_there(self):
        self.part.parent.mkdir(parents=True)
        self.part.write_bytes(CONTENT[:999_999])
        self.assertTrue(self.fetch(ranges()))
        self.assertEqual(self.server.starts, [999_999])
        self.assertTrue(self.fetch())

    def test_a_server_without_ranges_sends_the_whole_file_again(self):
        self.assertTrue(self.fetch(whole(upto=300_000), whole()))

    def test_a_server_without_ranges_that_always_breaks_is_left(self):
        with self.assertRaisesRegex(ConnectionError, "ended before the file did, 5 times at the same place"):
            self.fetch(*[whole(upto=300_000)] * (1 + resume.BARREN_MAX))
        self.assertEqual(self.part.read_bytes(), CONTENT[:300_000])
        self.assertEqual([pause > 0 for pause in self.paused], [False] + [True] * (resume.BARREN_MAX - 1))

    def test_a_file_that_changed_in_between_is_begun_anew(self):
        other = CONTENT[::-1]
        self.assertTrue(self.fetch(ranges(upto=300_000), ranges(other), ranges(other), wanted=other))
        self.assertEqual(self.server.starts, [0, 300_000, 0])

    def test_a_file_that_became_shorter_than_the_part_is_begun_anew(self):
        self.part.parent.mkdir(parents=True)
        self.part.write_bytes(CONTENT)
        short = CONTENT[:10]
        self.assertTrue(self.fetch(status(416), whole(short), wanted=short))

    def test_another_range_than_the_wanted_one_is_not_taken(self):
        self.assertTrue(self.fetch(ranges(upto=300_000), lambda start: ranges()(start + 1), ranges()))
        self.assertEqual(self.server.starts, [0, 300_000, 0])

    def test_a_wrong_file_is_fetched_once_and_said(self):
        self.assertFalse(self.fetch(ranges(CONTENT[::-1])))

    def test_a_refusal_keeps_what_came(self):
        with self.assertRaisesRegex(resume.Refused, "503"):
            self.fetch(ranges(upto=300_000), status(503))
        self.assertEqual(self.part.read_bytes(), CONTENT[:300_000])
        self.assertTrue(self.fetch(ranges()))


class Reasons(unittest.TestCase):
    """What somebody reads of a client's many lines."""

    def test_of_pip_it_is_what_broke(self):
        said = "WARNING: Retrying after connection broken by 'SSLError(certificate)': /simple/x/\nERROR: No matching distribution found for x"
        self.assertEqual(download.ClientResult(1, said).reason, "SSLError(certificate)")

    def test_of_maven_it_is_why_the_transfer_failed(self):
        said = ("\x1b[0m[ERROR] Plugin p:1 could not be resolved: Could not transfer p from central (u:v): transfer failed for u:v/p.pom: "
                "(certificate_unknown) PKIX path building failed: no path -> [Help 1]\n[ERROR] \n[ERROR] Re-run Maven with -X.\n"
                "[ERROR] [Help 1] somewhere/PluginResolutionException\n\x1b[0m\n")
        reason = download.ClientResult(1, said).reason
        self.assertEqual(reason, "(certificate_unknown) PKIX path building failed: no path")
        self.assertIn("trustStore", download.advice("maven", reason))

    def test_of_silence_it_is_the_exit_code(self):
        self.assertEqual(download.ClientResult(3, "\n").reason, "it ended with exit code 3")


class Registry(http.server.ThreadingHTTPServer):
    """A package index and an npm registry with one package each, 'thing', and a proxy that serves both for any host of plain HTTP.

    `cuts`: how many bytes the next answers with a package's bytes have before the connection ends. `asked`: (address, range) of those.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.cuts, self.asked, self.addresses, self.reached, self.go_on = [], [], [], threading.Event(), threading.Event()
        self.wheel, self.tarball = a_wheel(), a_tarball()
        self.tarball_address = f"{self.url}/thing/-/thing-1.0.0.tgz"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def find(self, path):
        if path.endswith("/thing-1.0-py3-none-any.whl"):
            return self.wheel
        if path.endswith("/thing-1.0.0.tgz"):
            return self.tarball
        if path == "/simple/thing/":
            return b'<!DOCTYPE html><a href="../../files/thing-1.0-py3-none-any.whl">thing-1.0-py3-none-any.whl</a>'
        if path == "/thing":
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(self.tarball).digest()).decode()
            dist = {"tarball": self.tarball_address, "integrity": integrity}
            return json.dumps({"name": "thing", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {"name": "thing", "version": "1.0.0", "dist": dist}}}).encode()
        return None

    def handle_error(self, *_):
        pass  # a client that was killed


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        path = "/" + self.path.split("://", 1)[-1].split("/", 1)[-1]  # a proxy gets the whole address
        server.addresses.append(self.path)
        content, is_package = server.find(path), path.endswith((".whl", ".tgz"))
        start = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if content is None:
            return self.send_error(404)
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "text/html" if path.startswith("/simple/") else "application/json" if not is_package else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not is_package:
            return self.wfile.write(body)
        server.asked.append((self.path, start))
        cut = server.cuts.pop(0) if server.cuts else len(body)
        self.wfile.write(body[:cut])
        if cut == HANG:
            self.wfile.write(body[:HALF])
            server.reached.set()
            server.go_on.wait()
        self.close_connection = True

    def log_message(self, *_):
        pass


SECONDS_MAX = 60  # until a client that hangs fails its test
HALF = 500_000
HANG = 0  # a cut that keeps the connection open after HALF


def a_wheel():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("thing.bin", CONTENT)
        archive.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    return file.getvalue()


def a_tarball():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in (("package/package.json", b'{"name":"thing","version":"1.0.0"}'), ("package/thing.bin", CONTENT)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


class Clients(WithClone):
    """Real pip and npm, configured as users do: in files, or in the environment."""

    def setUp(self):
        super().setUp()
        self.registry = Registry()
        self.addCleanup(self.registry.server_close)
        self.addCleanup(self.registry.shutdown)
        self.addCleanup(self.registry.go_on.set)
        self.home = self.clone.parent / "home"
        self.home.mkdir()
        foreign = [name for name in os.environ if name.lower().startswith(("pip_", "npm_")) or name.lower().endswith("_proxy")]
        environment = {name: value for name, value in os.environ.items() if name not in foreign}
        patcher = mock.patch.dict(os.environ, {**environment, "HOME": str(self.home), "PIP_CONFIG_FILE": str(self.home / "pip.conf")}, clear=True)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.wheel = download.Artefact("wheel", "thing==1.0", "thing-1.0-py3-none-any.whl", sha256(self.registry.wheel))
        self.tarball = download.Artefact("npm", "thing@1.0.0", "thing-1.0.0.tgz", sha256(self.registry.tarball))

    def mirrors(self, pip="", npm=""):
        (self.home / "pip.conf").write_text(f"[global]\nindex-url = {self.registry.url}/simple\n{pip}")
        (self.home / ".npmrc").write_text(f"registry={self.registry.url}/\n{npm}")

    def starts(self):
        return [start for _, start in self.registry.asked]

    def test_a_broken_connection_goes_on_where_it_broke(self):
        self.mirrors()
        for artefact, content in ((self.wheel, self.registry.wheel), (self.tarball, self.registry.tarball)):
            self.registry.asked.clear()
            self.registry.cuts = [HALF, 100_000]
            self.assertEqual(download.get(artefact).read_bytes(), content)
            self.assertEqual(self.starts(), [0, HALF, HALF + 100_000])

    def test_after_kill_9_in_the_midst_the_next_run_goes_on(self):
        self.mirrors()
        for artefact, content in ((self.wheel, self.registry.wheel), (self.tarball, self.registry.tarball)):
            self.registry.asked.clear()
            self.registry.cuts = [HANG]
            self.registry.reached.clear()
            child = os.fork()
            if child == 0:
                download.get(artefact)
                os._exit(0)
            self.assertTrue(self.registry.reached.wait(SECONDS_MAX))
            part, end = paths.PARTS / artefact.file, time.monotonic() + SECONDS_MAX
            while not part.exists() or part.stat().st_size < HALF - resume.CHUNK_BYTES * 2:
                self.assertLess(time.monotonic(), end)
            os.kill(child, signal.SIGKILL)  # only ./x: its client must not stay behind
            os.waitpid(child, 0)
            with open(part, "rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # held by the client to its end
            have = part.stat().st_size
            self.assertLess(have, len(content))
            self.assertIn(have, download.kept())
            self.assertEqual(download.get(artefact).read_bytes(), content)
            self.assertEqual(self.starts(), [0, have])

    def test_a_file_that_a_mirror_changed_is_named(self):
        self.mirrors()
        self.registry.wheel = self.registry.wheel[:-1] + b"x"
        self.registry.tarball = self.registry.tarball[:-1] + b"x"
        for artefact in (self.wheel, self.tarball):
            with self.fails(f"{artefact.file}: wrong checksum", artefact.sha256):
                download.get(artefact)
            self.assertEqual(self.starts()[-1], 0)

    def test_proxies_of_pip_conf_and_npmrc_are_used(self):
        (self.home / "pip.conf").write_text(f"[global]\nindex-url = http://pip.invalid/simple\ntrusted-host = pip.invalid\nproxy = {self.registry.url}\n")
        (self.home / ".npmrc").write_text(f"registry=http://npm.invalid/\nproxy={self.registry.url}/\nhttps-proxy={self.registry.url}/\n")
        self.registry.tarball_address = "http://npm.invalid/thing/-/thing-1.0.0.tgz"
        self.registry.cuts = [HALF]
        self.assertEqual(download.get(self.wheel).read_bytes(), self.registry.wheel)
        self.assertEqual(download.get(self.tarball).read_bytes(), self.registry.tarball)
        self.assertEqual(self.registry.asked, [("http://pip.invalid/files/thing-1.0-py3-none-any.whl", 0), ("http://pip.invalid/files/thing-1.0-py3-none-any.whl", HALF),
                                               ("http://npm.invalid/thing/-/thing-1.0.0.tgz", 0)])

    def test_proxies_and_mirrors_of_the_environment_are_used(self):
        proxies = {"http_proxy": self.registry.url, "PIP_INDEX_URL": "http://pip.invalid/simple", "PIP_TRUSTED_HOST": "pip.invalid", "npm_config_registry": "http://npm.invalid/"}
        self.registry.tarball_address = "http://npm.invalid/thing/-/thing-1.0.0.tgz"
        with mock.patch.dict(os.environ, proxies):
            download.get(self.wheel)
            download.get(self.tarball)
        self.assertEqual([address for address, _ in self.registry.asked], ["http://pip.invalid/files/thing-1.0-py3-none-any.whl", self.registry.tarball_address])

    def test_a_mirror_whose_metadata_name_the_original_registry_is_asked_for_the_file(self):
        self.mirrors(npm="replace-registry-host=always\n")
        self.registry.tarball_address = "http://original.invalid/thing/-/thing-1.0.0.tgz"
        download.get(self.tarball)
        self.assertEqual(self.registry.asked, [("/thing/-/thing-1.0.0.tgz", 0)])

    def test_the_clients_write_nothing_into_the_home_directory(self):
        self.mirrors()
        download.get(self.wheel)
        download.get(self.tarball)
        self.assertEqual(sorted(file.name for file in self.home.rglob("*")), [".npmrc", "pip.conf"])


if __name__ == "__main__":
    sys.exit(main())
