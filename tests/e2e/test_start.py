# SPDX-License-Identifier: Apache-2.0
"""Starting and stopping: what cannot start says why in one sentence and leaves nothing behind; what stops leaves nothing open."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from mounts import SmallDisk
from sluice_server import ANY_PORT, BINARY, START_SECONDS_MAX, Server, event, serve_command

MIB = 1 << 20
COUNT = "SELECT count(*), count(DISTINCT id) FROM bronze.events"
SMALL_JOURNAL = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=4 MiB"]


def refusal(data, *flags, listen=ANY_PORT, wrap=(), environment=None):
    """The sentence of a start that must fail, and its exit code."""
    done = subprocess.run(serve_command(data, flags, listen, wrap), capture_output=True, text=True, timeout=START_SECONDS_MAX,
                          env={**os.environ, **(environment or {})})
    said = [line for line in done.stderr.splitlines() if line.startswith("sluice: ")]
    assert done.returncode in (1, 2) and done.stdout == "", done
    assert len(said) == 1 and done.stderr.splitlines()[-1] == said[0], f"one sentence, at the end:\n{done.stderr}"
    assert said[0].endswith(")"), f"it does not say what to do: {said[0]}"
    return said[0], done.returncode


def contents(directory):
    """Of all files but the lock, which names the process that tried last."""
    return {str(p.relative_to(directory)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(pathlib.Path(directory).rglob("*")) if p.is_file() and p.name != "LOCK"}


def filled(data, count=20):
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.send([event(n) for n in range(count)]).status == 200
        server.flush()
        assert server.stop() == 0
    return data


# ---- addresses ---------------------------------------------------------------------------------------------------------


def test_ready_line_names_address_and_directory(tmp_path):
    process = subprocess.Popen([str(BINARY), "serve", "--data", "here/data", "--listen", "localhost:0"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    head, data = line.rstrip("\n").split(" data=")
    scheme, port = head.rsplit(":", 1)
    assert scheme == "sluice ready http=http://127.0.0.1" and int(port) > 0
    assert data == str(tmp_path / "here/data")
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and rest == ""


def test_busy_port_is_named_before_anything_is_made(data):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said, code = refusal(data, listen=f"127.0.0.1:{port}")
    assert code == 1 and f"port {port} is in use" in said and "choose another port" in said
    assert not data.exists()


def test_address_that_others_reach_needs_insecure(data):
    said, code = refusal(data, listen="0.0.0.0:0")
    assert code == 2 and "0.0.0.0:0" in said and "--insecure" in said
    assert not data.exists()
    with Server(data, "--insecure", listen="0.0.0.0:0") as server:
        assert server.url.startswith("http://0.0.0.0:")
        assert server.get("/livez").status == 200


@pytest.mark.parametrize("listen", ["8080", "example.com:80", "127.0.0.1:70000", "::1:80", "203.0.113.7:0"])
def test_address_that_is_none_is_named(data, listen):
    said, code = refusal(data, listen=listen)
    assert code == 2 and listen in said
    assert not data.exists()


# ---- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, words", [
    ("teir: {interval_ms: 5}\n", ["config.yaml:1", "teir", "tier"]),
    ("log_level: info\ntier:\n  intervall_ms: 5\n", ["config.yaml:3", "intervall_ms", "tier.interval_ms"]),
    ("tier: {interval_ms: soon}\n", ["config.yaml:1", "tier.interval_ms", "soon"]),
    ("tier: [\n", ["config.yaml"]),
    ("- 1\n", ["config.yaml"]),
    ("topics: {raw-orders: {partition: 3}}\n", ["config.yaml:1", "partition", "partitions"]),
    ("topics: {Raw Orders: {partitions: 3}}\n", ["Raw Orders"]),
    ("routing: {rules: [{type: 'a*b', topic: raw-a}]}\n", ["a*b"]),
    ("table: {partitioning: 'hour(tiem)'}\n", ["tiem"]),
    ("journal: {segment_bytes: 1000}\n", ["journal.segment_bytes"]),
])
def test_wrong_configuration_is_named(data, tmp_path, text, words):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    said, code = refusal(data, "--config", str(file))
    assert code == 2 and all(word in said for word in words), said
    assert not data.exists()


@pytest.mark.parametrize("flags, environment, words", [
    (["--set", "tier.intervall_ms=1"], {}, ["tier.intervall_ms", "tier.interval_ms"]),
    (["--set", "tier.interval_ms"], {}, ["KEY=VALUE"]),
    (["--set", "journal.bytes_max=1 MiB"], {}, ["journal.bytes_max", "four segments"]),
    (["--set", "hot.bytes_max=much"], {}, ["hot.bytes_max", "much"]),
    (["--config", "/nonexistent/config.yaml"], {}, ["/nonexistent/config.yaml"]),
    ([], {"SLUICE_TIER__INTERVAL_MS": "soon"}, ["SLUICE_TIER__INTERVAL_MS", "soon"]),
    ([], {"SLUICE_LOG_LEVEL": "loud"}, ["loud", "debug"]),
])
def test_wrong_setting_is_named(data, flags, environment, words):
    said, _ = refusal(data, *flags, environment=environment)
    assert all(word in said for word in words), said
    assert not data.exists()


def test_wrong_flag_is_a_usage_error(data):
    done = subprocess.run([str(BINARY), "serve", "--dta", str(data)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "--dta" in done.stderr and "did you mean `--data`" in done.stderr and len(done.stderr.splitlines()) == 1


# ---- the directory -----------------------------------------------------------------------------------------------------


def test_second_server_on_a_directory_is_refused_and_the_first_goes_on(data):
    with Server(data, *SMALL_JOURNAL) as server:
        said, code = refusal(data)
        assert code == 1 and str(data) in said and "another process uses" in said and "stop it" in said
        assert server.send([event(1)]).status == 200
        assert server.sql(COUNT) == [[1, 1]]


def test_directory_of_a_newer_format_is_refused_untouched(data):
    filled(data)
    identity = json.loads((data / "directory.json").read_text())
    (data / "directory.json").write_text(json.dumps({**identity, "format_version": identity["format_version"] + 1}))
    before = contents(data)
    said, code = refusal(data)
    assert code == 1 and "format" in said and "newer sluice" in said
    assert contents(data) == before
    (data / "directory.json").write_text(json.dumps(identity))
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.sql(COUNT) == [[20, 20]]


def test_moved_directory_is_refused_until_it_is_moved_back(data, tmp_path):
    filled(data)
    moved = data.rename(tmp_path / "elsewhere")
    before = contents(moved)
    said, code = refusal(moved)
    assert code == 1 and f'was made at "{data}"' in said and "move it back" in said
    assert contents(moved) == before
    moved.rename(data)
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.sql(COUNT) == [[20, 20]]


def test_copied_directory_is_refused_until_restore_accepts_it(data, tmp_path):
    filled(data)
    data.rename(tmp_path / "original")
    shutil.copytree(tmp_path / "original", data)
    said, code = refusal(data)
    assert code == 1 and "copy" in said and f"sluice restore --data {data}" in said
    done = subprocess.run([str(BINARY), "restore", "--data", str(data), "--yes"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.sql(COUNT) == [[20, 20]]
        assert server.send([event(n) for n in range(15, 25)]).json()["duplicates"] == 5
        server.flush()
        assert server.sql(COUNT) == [[25, 25]]


def test_file_in_place_of_the_directory_is_named(data):
    data.write_text("not a directory")
    said, _ = refusal(data)
    assert str(data) in said and "choose another --data" in said
    assert data.read_text() == "not a directory"


def test_directory_behind_a_link_is_the_same_directory(data, tmp_path):
    (tmp_path / "link").symlink_to(data, target_is_directory=True)
    filled(data)
    with Server(tmp_path / "link", *SMALL_JOURNAL) as server:
        assert server.sql(COUNT) == [[20, 20]]
        said, _ = refusal(data)
        assert "another process uses" in said


def test_damage_in_the_journal_is_named_and_nothing_is_touched(data):
    with Server(data, *SMALL_JOURNAL) as server:
        for n in range(10):
            server.send([event(n)])
        server.kill()
    segment = next(p for p in sorted((data / "log").rglob("*")) if p.is_file() and b"id-00000003" in p.read_bytes())
    content = bytearray(segment.read_bytes())
    at = content.index(b"id-00000003")
    content[at] ^= 1
    segment.write_bytes(content)
    before = contents(data / "log")
    said, code = refusal(data, *SMALL_JOURNAL)
    assert code == 1 and str(segment) in said and "byte" in said, said
    assert contents(data / "log") == before
    content[at] ^= 1
    segment.write_bytes(content)
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.sql(COUNT) == [[10, 10]]


def test_kill_at_any_moment_of_the_first_start_hinders_no_later_one(data):
    dice = random.Random(20260115)
    for _ in range(12):
        process = subprocess.Popen(serve_command(data, SMALL_JOURNAL), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=dice.uniform(0.0, 0.4))  # the moment of the kill is the experiment
        except subprocess.TimeoutExpired:
            process.kill()
        assert process.wait(timeout=60) == -signal.SIGKILL
    with Server(data, *SMALL_JOURNAL) as server:
        assert server.send([event(n) for n in range(20)]).status == 200
        server.flush()
        assert server.sql(COUNT) == [[20, 20]]


def test_damaged_identity_is_named_and_kept(data):
    filled(data)
    (data / "directory.json").write_text("{")
    said, code = refusal(data)
    assert code == 1 and "directory.json" in said and "damaged" in said
    assert (data / "directory.json").read_text() == "{"


# ---- file systems ------------------------------------------------------------------------------------------------------


def test_read_only_file_system_is_named(data):
    with SmallDisk(data, 24 * MIB) as disk:
        disk.remount("ro")
        said, _ = refusal(data, *SMALL_JOURNAL, wrap=disk.wrap)
        assert str(data) in said and "read-only" in said
        assert list(disk.path.iterdir()) == []
        disk.remount("rw")
        with Server(data, *SMALL_JOURNAL, wrap=disk.wrap) as server:
            server.send([event(n) for n in range(20)])
            assert server.stop() == 0
        disk.remount("ro")
        said, _ = refusal(data, *SMALL_JOURNAL, wrap=disk.wrap)
        assert str(data) in said and "read-only" in said
        disk.remount("rw")
        with Server(data, *SMALL_JOURNAL, wrap=disk.wrap) as server:
            assert server.sql(COUNT) == [[20, 20]]


# Each amount of space ends another step of the start.
@pytest.mark.parametrize("leave_bytes", [0, 4096, 8192, 16384, 32768, 65536, 262144, MIB, MIB + 16384, 2 * MIB])
def test_full_file_system_at_the_first_start_leaves_nothing_that_hinders_the_next(data, leave_bytes):
    with SmallDisk(data, 24 * MIB) as disk:
        disk.fill(leave_bytes)
        if leave_bytes < MIB:
            said, code = refusal(data, *SMALL_JOURNAL, wrap=disk.wrap)
            assert code == 1 and str(data) in said and "no space left" in said and "free some space" in said, said
        else:  # one segment: it may start, and then either takes events or says that the disk is full
            done = subprocess.Popen(serve_command(data, SMALL_JOURNAL, wrap=disk.wrap), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            line = done.stdout.readline()
            done.terminate()
            _, errors = done.communicate(timeout=60)
            assert line.startswith("sluice ready ") or "no space left" in errors, errors
        disk.free_up()
        with Server(data, *SMALL_JOURNAL, wrap=disk.wrap) as server:
            assert server.send([event(n) for n in range(20)]).status == 200
            server.flush()
            assert server.sql(COUNT) == [[20, 20]]


def test_full_file_system_at_a_later_start_loses_nothing(data):
    with SmallDisk(data, 24 * MIB) as disk:
        server = Server(data, *SMALL_JOURNAL, wrap=disk.wrap)
        server.send([event(n) for n in range(20)])
        server.kill()
        disk.fill()
        process = subprocess.Popen(serve_command(data, SMALL_JOURNAL, wrap=disk.wrap), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        process.kill()
        _, errors = process.communicate(timeout=60)
        assert line.startswith("sluice ready ") or ("no space left" in errors and errors.splitlines()[-1].startswith("sluice: ")), errors
        disk.free_up()
        with Server(data, *SMALL_JOURNAL, wrap=disk.wrap) as server:
            assert server.sql(COUNT) == [[20, 20]]


# ---- stopping ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_lets_a_request_end_and_leaves_a_clean_directory(data, number):
    server = Server(data, *SMALL_JOURNAL)
    server.send([event(n) for n in range(20)])
    body = json.dumps([event(n) for n in range(20, 40)]).encode()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(b"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-type: application/cloudevents-batch+json\r\n"
                       b"content-length: %d\r\nexpect: 100-continue\r\n\r\n" % len(body))
        assert client.recv(4096).startswith(b"HTTP/1.1 100")  # the server has the head
        server.process.send_signal(number)
        server.wait_until(lambda: refuses(host, int(port)))
        client.sendall(body)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200") and b'"accepted":20' in answer, answer
    assert server.process.wait(timeout=60) == 0
    assert any("stopped" in line for line in server.log)
    assert not list(data.rglob("*.tmp")) and not list((data / "spill").iterdir())
    checked = subprocess.run([str(BINARY), "check", str(data)], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    with Server(data, *SMALL_JOURNAL) as again:
        assert again.sql(COUNT) == [[40, 40]]


def refuses(host, port):
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_statement_without_an_end_does_not_keep_the_server(data):
    server = Server(data, *SMALL_JOURNAL)
    server.send([event(n) for n in range(20)])
    answers = []
    body = json.dumps({"sql": "SELECT count(*) FROM range(1000000000000) a, range(1000000) b", "timeout_ms": 600_000})
    asking = threading.Thread(target=lambda: answers.append(ask(server, body)))
    asking.start()
    server.wait_until(lambda: b'sluice_http_requests_total{route="/v1/sql"' in server.get("/metrics").body or server.get("/v1/status").json()["connections"] >= 2)
    assert server.stop() == 0
    asking.join(timeout=60)
    assert answers and answers[0] != 200
    with Server(data, *SMALL_JOURNAL) as again:
        assert again.sql(COUNT) == [[20, 20]]


def ask(server, body):
    """The status, or why there is none."""
    try:
        return server.post("/v1/sql", body).status
    except OSError as cut:
        return str(cut)
