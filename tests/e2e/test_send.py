# SPDX-License-Identifier: Apache-2.0
"""`sluice send` as a person meets it: JSON of any shape, terminals, interruptions, servers that go and come back."""

import json
import os
import re
import socket
import subprocess
import threading

import pytest

from sluice_server import BINARY, Server, event, run
from terminal import CTRL_C, Terminal

MAP = "id=/id,source=https://earthquake.usgs.gov,type=gov.usgs.{/properties/type},time=/properties/time"


def lines(*numbers):
    return "".join(json.dumps(event(n)) + "\n" for n in numbers)


def count(server):
    return server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.events")[0]


def taken(server):
    return sum(topic["next_offsets_total"] for topic in server.get("/v1/topics").json()["topics"])


def write_and_wait(sending, server, numbers, total):
    """One request is on its way at a time: what was taken by an earlier call has been answered."""
    sending.stdin.write(lines(*numbers))
    sending.stdin.flush()
    server.wait_until(lambda: taken(server) == total)


def test_json_becomes_events_by_pointers_constants_and_templates(server, tmp_path):
    quakes = [{"id": f"q{n}", "properties": {"type": "quake blast".split()[n % 2], "time": time, "note": "a\nb"}}
              for n, time in enumerate([1768435200, 1768435200123, 1768435200123456, "2026-01-15T01:00:00+01:00"])]
    document = tmp_path / "quakes.json"
    document.write_text(json.dumps({"type": "FeatureCollection", "features": quakes}, indent=2))
    done = run("send", str(document), "--records", "/features", "--map", MAP, "--url", server.url)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("4 sent, 4 accepted, 0 duplicates, 0 rejected"), done
    rows = server.sql("SELECT id, source, type, CAST(time AS VARCHAR), data->>'$.properties.note' FROM bronze.events ORDER BY id")
    assert [row[:3] for row in rows] == [[f"q{n}", "https://earthquake.usgs.gov", f"gov.usgs.{'quake blast'.split()[n % 2]}"] for n in range(4)]
    assert [row[3] for row in rows] == ["2026-01-15 00:00:00+00", "2026-01-15 00:00:00.123+00", "2026-01-15 00:00:00.123456+00", "2026-01-15 00:00:00+00"]
    assert {row[4] for row in rows} == {"a\nb"}
    ndjson = "".join(json.dumps(quake) + "\n" for quake in quakes)
    again = run("send", "-", "--map", MAP, "--url", server.url, stdin=ndjson)
    assert "4 sent, 0 accepted, 4 duplicates" in again.stdout, again


def test_pipes_and_fifos_are_read_as_files_are(server, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_text, args=(lines(*range(20)),))
    writer.start()
    done = run("send", str(fifo), "--url", server.url)
    writer.join()
    assert done.returncode == 0 and "20 accepted" in done.stdout, done
    piped = subprocess.run(["bash", "-c", f"{BINARY} send <(seq -f '%.0f' 20 | sed 's/.*/{{\"n\":&}}/') --map id=/n,source=s,type=t --url {server.url}"],
                           capture_output=True, text=True, timeout=60, check=False)
    assert piped.returncode == 0 and "20 accepted" in piped.stdout, piped


@pytest.mark.parametrize("content, flags, sentence, accepted", [
    (None, [], "no such file or directory", 0),
    ("hello\n", [], "record 1: not JSON", 0),
    ('{\n  "id": 1\n}\n', [], "--records /pointer", 0),
    ('{"id":1}\n', [], 'record 1: it is no CloudEvent: it has no "specversion" (say how to make one, for example --map id=/id', 0),
    ('{"id":1}\n', ["--map", "id=/nope,source=s,type=t"], "record 1: it has no /nope, which --map needs for id", 0),
    ('{"id":1,"at":"soon"}\n', ["--map", "id=/id,source=s,type=t,time=/at"], 'record 1: time is "soon"', 0),
    ('[{"id":1},{"id":', ["--map", "id=/id,source=s,type=t"], "record 2: ", 1),
    ('{"a":[{"id":1},{"id":', ["--records", "/a", "--map", "id=/id,source=s,type=t"], 'while looking for "/a": not JSON', 0),
    ('{"a":{}}', ["--records", "/a/b", "--map", "id=/id,source=s,type=t"], 'no array at "/a/b"', 0),
    (lines(1, 2) + '{"id":""}\n', [], "record 3: ", 0),
    (lines(1) + json.dumps(event(2, data="x" * 6_000_000)) + "\n", [], "record 2: the body has", 1),
    (lines(1) + '{"x":"' + "x" * (17 << 20), [], "record 2: a line is longer than 16 MiB", 1),
    (lines(1), ["--topic", "Not a topic"], "is no topic name", 0),
], ids=["missing", "text", "pretty", "plain-json", "no-pointer", "no-time", "cut-array", "cut-document", "no-array", "invalid-event", "huge-event", "huge-line", "topic"])
def test_input_that_is_wrong_is_one_sentence_and_what_came_before_is_safe(server, tmp_path, content, flags, sentence, accepted):
    file = tmp_path / "input"
    if content is not None:
        file.write_text(content)
    done = run("send", str(file), *flags, "--url", server.url)
    assert done.returncode == 1 and sentence in done.stderr, done
    assert f"{accepted} accepted" in done.stdout or (accepted == 0 and done.stdout == ""), done
    assert "acknowledged and safe" in done.stderr or accepted == 0, done


def test_lenient_takes_the_valid_ones_and_names_the_others(server):
    huge = json.dumps(event(3, data="x" * 6_000_000)) + "\n"
    done = run("send", "-", "--lenient", "--url", server.url, stdin=lines(1) + '{"id":""}\n' + huge + "no json\n" + lines(5))
    assert done.returncode == 0 and "2 accepted, 0 duplicates, 3 rejected" in done.stdout, done
    assert [int(n) for n in re.findall(r"^record (\d+): ", done.stderr, re.M)] == [2, 3, 4], done.stderr
    strict = run("send", "-", "--url", server.url, stdin=lines(8) + '{"id":""}\n')
    assert strict.returncode == 1 and "nothing of records 1 to 2 was taken; --lenient takes the valid ones" in strict.stderr, strict


def test_an_empty_input_is_no_failure(server, tmp_path):
    (tmp_path / "empty").touch()
    done = run("send", str(tmp_path / "empty"), "--url", server.url)
    assert done.returncode == 0 and done.stdout.startswith("0 sent"), done


def test_a_terminal_has_a_progress_bar_and_ctrl_c_says_what_is_safe(server, tmp_path):
    """Interrupts a send whose input goes on, then sends the whole: nothing is lost, nothing twice."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with Terminal("send", str(fifo), "--url", server.url, home=tmp_path) as terminal, open(fifo, "w") as pipe:
        pipe.write(lines(*range(700)))
        pipe.flush()
        terminal.read_until("700 events")
        terminal.type(CTRL_C)
        assert terminal.wait() == 1
        said = terminal.seen
    assert "700 sent, 700 accepted, 0 duplicates, 0 rejected" in said and "interrupted" in said, said
    assert "700 events acknowledged and safe. Run the same command again: nothing is taken twice. `--from 701` skips what is there." in said, said
    whole = tmp_path / "whole"
    whole.write_text(lines(*range(1000)))
    again = run("send", str(whole), "--url", server.url)
    assert again.returncode == 0 and "1000 sent, 300 accepted, 700 duplicates" in again.stdout, again
    assert again.stderr == "", "no bar where there is no terminal"
    rest = run("send", str(whole), "--from", "701", "--url", server.url)
    assert "300 sent, 0 accepted, 300 duplicates" in rest.stdout, rest
    assert count(server) == [1000, 1000]


def test_a_server_that_goes_and_comes_back_is_waited_for(data):
    """Kills the server while events come, and starts it again at the same address: send goes on, nothing is lost, nothing twice."""
    server = Server(data)
    address = server.url.removeprefix("http://")
    sending = subprocess.Popen([str(BINARY), "send", "-", "--url", server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    write_and_wait(sending, server, range(99), 99)
    write_and_wait(sending, server, range(99, 100), 100)
    server.kill()
    sending.stdin.write(lines(*range(50, 200)))
    sending.stdin.flush()
    assert sending.stderr.readline().startswith("sluice send: waiting: ")
    with Server(data, listen=address) as back:
        output, errors = sending.communicate(timeout=60)
        assert sending.returncode == 0 and errors == "", errors
        sent, accepted, duplicates, rejected = map(int, re.findall(r"(\d+) [a-z]", output)[:4])
        assert (sent, accepted + duplicates, rejected) == (250, 250, 0), output
        assert count(back) == [200, 200]


def test_a_server_that_stays_away_ends_the_command_after_its_retries(data):
    server = Server(data)
    sending = subprocess.Popen([str(BINARY), "send", "-", "--retries", "2", "--url", server.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    write_and_wait(sending, server, range(1), 1)
    write_and_wait(sending, server, range(1, 2), 2)
    server.kill()
    errors = sending.communicate(lines(3), timeout=60)[1]
    assert sending.returncode == 1 and f"no server at {server.url}" in errors, errors


def answer_connections(*answers):
    """A listener that reads a request of each connection, sends these bytes and closes. Returns its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)
    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


# Found by a server that was killed while the first request ran: send gave up.
def test_a_very_first_connection_that_breaks_is_tried_again():
    body = b'{"accepted":1,"duplicates":0,"rejected":0}'
    url = answer_connections(b"", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    done = run("send", "-", "--url", url, stdin=lines(1))
    assert done.returncode == 0 and done.stdout.startswith("1 sent, 1 accepted"), done
    assert done.stderr.startswith(f"sluice send: waiting: the connection to {url} broke"), done


def test_where_no_server_is_that_is_said_without_waiting():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}"
    done = run("send", "-", "--url", url, stdin=lines(1))
    assert done.returncode == 1 and done.stderr.startswith(f"sluice send: no server at {url} (start one with"), done
    done = run("send", "-", "--url", "http://host.invalid:1", stdin=lines(1))
    assert done.returncode == 1 and done.stderr.startswith("sluice send: the host of http://host.invalid:1 is not known"), done
    url = answer_connections(b"SSH-2.0-OpenSSH_9.2\r\n")
    done = run("send", "-", "--url", url, stdin=lines(1))
    assert done.returncode == 1 and done.stderr.startswith(f"sluice send: what answers at {url} does not speak HTTP"), done
