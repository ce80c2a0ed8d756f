# SPDX-License-Identifier: Apache-2.0
"""Runs tests/sql/*.test, whose README tells what they may say."""

import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow
import pytest

from sluice_server import BINARY, ROOT, Server, event

FILES = sorted((ROOT / "tests/sql").glob("*.test"))
ACCEPT = {"csv": "text/csv", "json": "application/json", "ndjson": "application/x-ndjson", "arrow": "application/vnd.apache.arrow.stream"}


class Block:
    """Lines of one block: the first says what it is, `----` divides the rest into what is asked and what is expected."""

    def __init__(self, lines, number):
        self.number = number
        self.comments = [line for line in lines if line.startswith("#")]
        lines = [line for line in lines if not line.startswith("#")]
        self.head = lines[0] if lines else ""
        body = lines[1:]
        at = body.index("----") if "----" in body else len(body)
        self.asked, self.expected = body[:at], body[at + 1:]
        self.has_answer = at < len(body)

    def text(self):
        answer = ["----", *self.expected] if self.has_answer else []
        return "\n".join([*self.comments, *([self.head] if self.head else []), *self.asked, *answer])


def blocks_of(text):
    blocks, lines, first = [], [], 1
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line:
            first = first if lines else number
            lines.append(line)
        elif lines:
            blocks.append(Block(lines, first))
            lines = []
    return blocks


class Conversation:
    def __init__(self, server):
        self.server, self.values = server, {}

    def answer(self, block):
        """What the server says to a block, as lines."""
        words, _, params = block.head.partition(" params ")
        command, *more = words.split()
        asked = "\n".join(block.asked)
        for name, value in self.values.items():
            asked = asked.replace("${" + name + "}", value)
        if command == "send":
            return self.send(block.asked)
        if command == "flush":
            return self.server.flush(more[0]) and []
        body = {"sql": asked, **({"params": json.loads(params)} if params else {})}
        if command == "let":
            [[value]] = self.server.sql(asked)
            self.values[more[0]] = str(value)
            return []
        if command == "error":
            return self.error(body, block)
        assert command == "query", f"line {block.number}: there is no block {command!r}"
        return self.rows(body, more[0] if more else "plain")

    def send(self, lines):
        events = [{"specversion": "1.0", "source": "/sql", "type": "t", **json.loads(line)} for line in lines]
        answer = self.server.post("/v1/events", "\n".join(map(json.dumps, events)), "application/x-ndjson").json()
        assert answer["accepted"] == len(lines), answer
        return []

    def rows(self, body, form):
        accept = ACCEPT[form if form != "plain" else "csv"]
        answer = self.server.request("POST", "/v1/sql", json.dumps(body), {"content-type": "application/json", "accept": accept})
        assert answer.status == 200, answer.body
        assert answer.headers["content-type"].startswith(accept)
        if form == "arrow":
            table = pyarrow.ipc.open_stream(answer.body).read_all()
            return [f"{field.name}: {field.type} = {', '.join(repr(v) for v in table.column(i).to_pylist())}" for i, field in enumerate(table.schema)]
        if form == "json":
            parsed = answer.json()
            names = ", ".join(f"{c['name']} {c['type']}" for c in parsed["columns"])
            return [names, *(json.dumps(row, ensure_ascii=False) for row in parsed["rows"])]
        lines = answer.body.decode().splitlines()
        return lines[1:] if form == "plain" else lines

    def error(self, body, block):
        answer = self.server.post("/v1/sql", json.dumps(body))
        problem = answer.json()
        assert answer.status >= 400, answer.body
        block.head = " ".join(["error", problem["kind"], *([str(problem["position"])] if "position" in problem else []),
                               *(["params " + json.dumps(body["params"])] if "params" in body else [])])
        return [problem["detail"], *([f"hint: {problem['hint']}"] if problem.get("hint") else [])]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_answers_of_the_file(file, data):
    with Server(data) as server:
        conversation = Conversation(server)
        for block in blocks_of(file.read_text()):
            if block.head:
                wanted = block.text()
                block.expected = conversation.answer(block)
                assert block.text() == wanted, f"{file.name}:{block.number}"


def test_a_directory_without_a_server_answers_the_same(data):
    question = "SELECT id, data->>'$.n' AS n FROM bronze.events ORDER BY id"
    with Server(data) as server:
        server.send([event(n) for n in range(4)])
        server.flush()
        server.send([event(n) for n in range(4, 6)])
        wanted = server.request("POST", "/v1/sql", question, {"accept": "text/csv"}).body.decode()
        assert server.stop() == 0
    for _ in range(2):
        done = subprocess.run([BINARY, "sql", "--data", data, "-o", "csv", "-c", question], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout) == (0, wanted), done.stderr
    failed = subprocess.run([BINARY, "sql", "--data", data, "-c", "SELECT nope FROM bronze.events"], capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1 and 'Referenced column "nope"' in failed.stderr
    with Server(data) as server:
        busy = subprocess.run([BINARY, "sql", "--data", data, "-c", question], capture_output=True, text=True, timeout=60)
        assert busy.returncode == 1 and busy.stderr.strip()
        assert server.sql("SELECT count(*) FROM bronze.events") == [[6]]


def renew(file):
    blocks = blocks_of(file.read_text())
    with tempfile.TemporaryDirectory() as folder, Server(pathlib.Path(folder) / "data") as server:
        conversation = Conversation(server)
        for block in blocks:
            if block.head:
                block.expected = conversation.answer(block)
                block.has_answer = block.head.split()[0] in ("query", "error")
    file.write_text("\n\n".join(block.text() for block in blocks) + "\n")


if __name__ == "__main__":
    assert sys.argv[1:2] == ["--renew"], "usage: test_sql_files.py --renew FILE..."
    for name in sys.argv[2:]:
        renew(pathlib.Path(name))
