# SPDX-License-Identifier: Apache-2.0
"""One bit of one file of a directory that was closed well: what the engine says of it.

    flip ─▶ sluice check ─▶ names the file: found        and, whatever it said:
    flip ─▶ a server, a statement for each table ─▶ the same answers: harmless
                                                ├▶ an error, or no start: refused
                                                └▶ other answers: WRONG

Many are tried at once, where each can be told from the others: a check names files, and every table has a flip of its own.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import pathlib
import random
import shutil

from chain import FLAGS
from load import CONFIGURATION, TOPICS, make_event
from sluice_server import Server, run

# Everything that a row says, and counts that planning could take from bounds, partitions and statistics instead of from rows.
_TABLE = """SELECT 'all' AS what, count(*)::VARCHAR AS n, md5(string_agg(t::VARCHAR, chr(10) ORDER BY log_partition, log_offset)) AS digest FROM {0} t
UNION ALL SELECT 'hour ' || hour(time), count(*)::VARCHAR, min(id) || max(id) FROM {0} GROUP BY 1
UNION ALL SELECT 'at 1', count(*)::VARCHAR, min(id) FROM {0} WHERE time >= '2026-01-15T01:00:00Z' AND time < '2026-01-15T02:00:00Z'
UNION ALL SELECT 'type', count(*)::VARCHAR, max(id) FROM {0} WHERE type = '{1}'
UNION ALL SELECT 'id', count(*)::VARCHAR, md5(max(data)) FROM {0} WHERE id = '{2}'
UNION ALL SELECT 'offsets', count(*)::VARCHAR, max(id) FROM {0} WHERE log_partition = 3 AND log_offset BETWEEN 2 AND 9
ORDER BY 1, 2, 3"""
SMALL_TABLES = 16  # beside those two
QUERIES = {"bronze.events": _TABLE.format("bronze.events", "test.event", "event-17"), "bronze.orders": _TABLE.format("bronze.orders", "order.placed", "order-17"),
           **{f"bronze.t{n:02d}": _TABLE.format(f"bronze.t{n:02d}", "test.event", f"t{n:02d}-17") for n in range(SMALL_TABLES)}}

# Files of a table are met by statements about it only; of the others a start reads most.
TABLE_KINDS = {"data file": "warehouse/**/*.parquet", "manifest": "warehouse/**/*-m*.avro", "manifest list": "warehouse/**/snap-*.avro", "table metadata": "warehouse/**/*.metadata.json"}
START_KINDS = {"journal segment": "log/journal/*.segment", "journal identity": "log/journal/identity.json", "topic file": "log/topics/*/*/*.log", "dedup run": "log/dedup/*.run",
               "checkpoint": "log/checkpoints/*.checkpoint", "catalog": "catalog.db", "directory identity": "directory.json"}
KINDS = {**START_KINDS, **TABLE_KINDS}
ENDS_A_CHECK = ("journal identity", "directory identity")  # of what comes behind it
# In this order they are chosen.
OF_TABLES, OF_STARTS = [*TABLE_KINDS], [kind for kind in START_KINDS if kind not in ENDS_A_CHECK] * 3 + [*ENDS_A_CHECK]
TOGETHER = 8         # flips that no check names: together they make no difference, or each is asked alone
ASKED_ALONE_OF = 40  # one in so many of the flips that a check names and a start can meet: each takes a start of its own


def make_directory(folder, small_tables=0):
    """A closed directory with every kind of file, and rows in tables, topic files and segments. Returns its path and the right answers by table."""
    folder = pathlib.Path(folder)
    data, dice = folder / "data", random.Random(7)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIGURATION)

    def numbered(kind, topic, numbers):
        return [make_event(f"{kind}-{n}", topic, dice) for n in numbers]
    with Server(data, *flags_of(data)) as server:
        for begin in range(0, 90, 30):
            assert server.send(numbered("event", "raw-events", range(begin, begin + 30)) + numbered("order", "raw-orders", range(begin, begin + 30))).status == 200
            for n in range(small_tables):
                if begin < 60:
                    assert server.send(numbered(f"t{n:02d}", "raw-events", range(begin, begin + 10)), path=f"/v1/topics/raw-t{n:02d}/events").status == 200
                    server.flush(f"bronze.t{n:02d}")
            for table in TOPICS.values():
                server.flush(table)
        for begin in range(100, 1600, 30):  # more than the journal holds: it goes to topic files
            assert server.send([{**event, "data": {"of": event["id"], "text": "x" * 4_000}} for event in numbered("event", "raw-events", range(begin, begin + 30))]).status == 200
        server.wait_until(lambda: all(list(data.glob(pattern)) for pattern in KINDS.values()) and len(list(data.glob(KINDS["topic file"]))) > 2)
        assert server.stop() == 0
    with changeable(data):
        return data, ask(data)


def flags_of(data):
    """Small segments, and rows move by flush only."""
    return [*FLAGS, "--set", "tier.interval_ms=600000", "--config", str(data.parent / "config.yaml")]


def folder_of(data, table):
    return data / "warehouse" / table.replace(".", "/")


def tables_of(data):
    return [table for table in QUERIES if folder_of(data, table).exists()]


NO_START = "refused: no start: "


def ask(data):
    """By table, the answer or the sentence with which it was refused. A start makes and changes files."""
    there = tables_of(data)
    try:
        server = Server(data)
    except RuntimeError as failed:
        return dict.fromkeys(there, NO_START + (str(failed).strip().splitlines() or ["?"])[-1])
    answers = {}
    for table in there:
        answer = server.post("/v1/sql", json.dumps({"sql": QUERIES[table]}))
        body = answer.json()
        broken = answer.status != 200 or "error" in body
        answers[table] = f"refused: {answer.body.decode()}" if broken else json.dumps(body["rows"])
    server.kill()
    return answers


@dataclasses.dataclass(frozen=True)
class Flip:
    kind: str
    path: str   # below the directory
    bit: int

    @property
    def table(self):
        """The one whose statements can meet it, or nothing."""
        parts = pathlib.PurePath(self.path).parts
        return f"{parts[1]}.{parts[2]}" if self.kind in TABLE_KINDS else None


def used_bytes(path):
    """A segment is made of zeros, and what stands behind its last commit means nothing: that half would only be harmless."""
    content = path.read_bytes()
    return max(1, len(content.rstrip(b"\0")))


def contents(data):
    """Of all files but the lock, which names the process that came last."""
    return {str(p.relative_to(data)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(data.rglob("*")) if p.is_file() and p.name != "LOCK"}


def plan(data, kinds, count, seed):
    """`count` flips, every kind and every table the same number of times, but for files of a few hundred bytes."""
    dice, flips = random.Random(seed), []
    files, tables = {kind: sorted(data.glob(pattern)) for kind, pattern in KINDS.items()}, tables_of(data)
    for number in range(count):
        kind = kinds[number // len(tables) % len(kinds) if kinds == OF_TABLES else number % len(kinds)]
        choice = files[kind]
        if kind in TABLE_KINDS:
            folder = folder_of(data, tables[number % len(tables)])
            choice = [path for path in choice if path.is_relative_to(folder)]
        path = dice.choice(choice)
        flips.append(Flip(kind, str(path.relative_to(data)), dice.randrange(used_bytes(path) * 8)))
    return flips


def apply(data, flip):
    with open(data / flip.path, "r+b") as file:
        file.seek(flip.bit // 8)
        byte = file.read(1)[0]
        file.seek(flip.bit // 8)
        file.write(bytes([byte ^ 1 << flip.bit % 8]))


@contextlib.contextmanager
def changeable(data):
    """What happens to the directory meanwhile is undone. It keeps its path and its inode, by which it knows itself."""
    aside = data.parent / "aside"
    aside.mkdir()
    for child in list(data.iterdir()):
        child.rename(aside / child.name)
    shutil.copytree(aside, data, dirs_exist_ok=True)
    try:
        yield
    finally:
        for child in data.iterdir():
            shutil.rmtree(child) if child.is_dir() else child.unlink()
        for child in list(aside.iterdir()):
            child.rename(data / child.name)
        aside.rmdir()


def is_named(data, flip, checked):
    words = checked.stdout + checked.stderr
    return pathlib.Path(flip.path).name in words or flip.kind == "directory identity" and str(data) in checked.stderr


def check_together(data, flips):
    """Those that `sluice check` does not find."""
    for flip in flips:
        apply(data, flip)
    checked = run("check", str(data))
    for flip in flips:
        apply(data, flip)
    return [flip for flip in flips if checked.returncode != 1 or not is_named(data, flip, checked)]


def ask_together(data, flips):
    with changeable(data):
        for flip in flips:
            apply(data, flip)
        return ask(data)


def groups(flips, key):
    """Each of flips with different keys."""
    waiting = list(flips)
    while waiting:
        together, later = {}, []
        for flip in waiting:
            if key(flip) not in together:
                together[key(flip)] = flip
            else:
                later.append(flip)
        yield list(together.values())
        waiting = later


def parts(flips):
    return [flips[at:at + TOGETHER] for at in range(0, len(flips), TOGETHER)]


class Judge:
    """`alone`: of the flips that a check names and a start can meet, one in so many is asked, too."""

    def __init__(self, folder, alone=ASKED_ALONE_OF):
        self.folder, self.alone, self.counts, self.wrong = pathlib.Path(folder), alone, collections.Counter(), []

    def judge_tables(self, count, seed):
        """Each table has a flip of its own: none can hide another one, and each answers for itself."""
        data, answers = self._make("tables", SMALL_TABLES)
        for together in groups(plan(data, OF_TABLES, count, seed), lambda flip: flip.table):
            unnamed = check_together(data, together)
            said = ask_together(data, together)
            for flip in together:
                self._take(flip, flip not in unnamed, said[flip.table], answers[flip.table])

    def judge_starts(self, count, seed):
        """A damaged file can end check and start before they come to another one."""
        data, answers = self._make("starts", 0)
        flips, quiet = plan(data, OF_STARTS, count, seed), []
        for together in groups([flip for flip in flips if flip.kind not in ENDS_A_CHECK], lambda flip: flip.kind):
            quiet += check_together(data, together)
        for together in parts(quiet):  # was one hidden by another?
            if len(check_together(data, together)) < len(together):
                for flip in together:
                    if not check_together(data, [flip]):
                        quiet.remove(flip)
        quiet += [flip for flip in flips if flip.kind in ENDS_A_CHECK and check_together(data, [flip])]
        named = [flip for flip in flips if flip not in quiet]
        for together in parts(quiet):
            if ask_together(data, together) == answers:
                self.counts.update((flip.kind, "harmless") for flip in together)
            else:
                for flip in together:
                    self._take(flip, False, *self._ask_alone(data, answers, flip))
        for number, flip in enumerate(named):
            said = self._ask_alone(data, answers, flip) if number % self.alone == 0 else ("", "")
            self._take(flip, True, *said)

    def _make(self, name, small_tables):
        data, answers = make_directory(self.folder / name, small_tables)
        assert len(answers) == len(TOPICS) + small_tables and not any(answer.startswith("refused") for answer in answers.values()), answers
        return data, answers

    @staticmethod
    def _ask_alone(data, answers, flip):
        """The worst that a table says, and what it had to say."""
        said = ask_together(data, [flip])
        if said.keys() != answers.keys():
            return "a table is gone", ""
        return max(((said[table], right) for table, right in answers.items()), key=lambda pair: (pair[0] != pair[1]) + (pair[0] != pair[1] and not pair[0].startswith("refused")))

    def _take(self, flip, was_named, said, right):
        refused = said.startswith("refused")
        if said != right and not refused:
            self.wrong.append(f"{flip}: {said}\ninstead of\n{right}")
        self.counts[flip.kind, "WRONG" if said != right and not refused else "found" if was_named else "refused" if refused else "harmless"] += 1


def _judge_part(folder, count, seed, alone):
    judge = Judge(folder, alone)
    of_tables = count * len(TABLE_KINDS) // len(KINDS)
    judge.judge_tables(of_tables, seed)
    judge.judge_starts(count - of_tables, seed)
    return judge.counts, judge.wrong


def judge(folder, count, seed, alone=ASKED_ALONE_OF):
    """Counts by kind and outcome, and what went wrong; side by side on as many processors as there are."""
    counts, wrong, parts = collections.Counter(), [], os.cpu_count()
    with concurrent.futures.ProcessPoolExecutor(parts, mp_context=multiprocessing.get_context("fork")) as pool:
        sizes = [count // parts + (part < count % parts) for part in range(parts)]
        for one in [pool.submit(_judge_part, f"{folder}/{part}", size, seed * 1_000 + part, alone) for part, size in enumerate(sizes) if size > 0]:
            some, sentences = one.result()
            counts.update(some)
            wrong += sentences
    return counts, wrong
