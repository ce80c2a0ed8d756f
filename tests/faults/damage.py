# SPDX-License-Identifier: Apache-2.0
"""One bit of one file of a directory that was closed well: what the engine says of it.

    flip ─▶ sluice check ─▶ names the file: found
                         └▶ finds nothing ─▶ sluice sql on a copy ─▶ the same answers: harmless
                                                                  ├▶ an error: refused
                                                                  └▶ other answers: WRONG
"""

import collections
import contextlib
import dataclasses
import hashlib
import json
import pathlib
import random
import shutil

from chain import FLAGS
from load import CONFIGURATION, TOPICS, make_event
from sluice_server import Server, run

# Everything that a row says, and counts that planning could take from bounds, partitions and statistics instead of from rows.
_TABLE = """SELECT '{0}' AS what, count(*)::VARCHAR AS n, md5(string_agg(t::VARCHAR, chr(10) ORDER BY log_partition, log_offset)) AS digest FROM {0} t
UNION ALL SELECT '{0} ' || hour(time), count(*)::VARCHAR, min(id) || max(id) FROM {0} GROUP BY 1
UNION ALL SELECT '{0} at 1', count(*)::VARCHAR, min(id) FROM {0} WHERE time >= '2026-01-15T01:00:00Z' AND time < '2026-01-15T02:00:00Z'
UNION ALL SELECT '{0} type', count(*)::VARCHAR, max(id) FROM {0} WHERE type = '{1}'
UNION ALL SELECT '{0} id', count(*)::VARCHAR, md5(max(data)) FROM {0} WHERE id = '{2}'
UNION ALL SELECT '{0} offsets', count(*)::VARCHAR, max(id) FROM {0} WHERE log_partition = 3 AND log_offset BETWEEN 2 AND 9"""
TOGETHER = 8  # fewer than kinds: so many flips in a row are in different files
QUERY = " UNION ALL ".join([_TABLE.format("bronze.events", "test.event", "event-17"), _TABLE.format("bronze.orders", "order.placed", "order-17")]) + " ORDER BY 1, 2, 3"

KINDS = {
    "journal segment": "log/journal/*.segment", "journal identity": "log/journal/identity.json", "topic file": "log/topics/*/*/*.log", "dedup run": "log/dedup/*.run",
    "checkpoint": "log/checkpoints/*.checkpoint", "data file": "warehouse/**/*.parquet", "manifest": "warehouse/**/*-m*.avro", "manifest list": "warehouse/**/snap-*.avro",
    "table metadata": "warehouse/**/*.metadata.json", "catalog": "catalog.db", "directory identity": "directory.json",
}


def make_directory(folder):
    """A closed directory with every kind of file, and rows in tables, topic files and segments. Returns its path and the right answers."""
    folder = pathlib.Path(folder)
    data, dice = folder / "data", random.Random(7)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIGURATION)
    flags = [*FLAGS, "--set", "tier.interval_ms=600000", "--config", str(folder / "config.yaml")]

    def numbered(kind, topic, numbers):
        return [make_event(f"{kind}-{n}", topic, dice) for n in numbers]
    with Server(data, *flags) as server:
        for begin in range(0, 90, 30):
            assert server.send(numbered("event", "raw-events", range(begin, begin + 30)) + numbered("order", "raw-orders", range(begin, begin + 30))).status == 200
            for table in TOPICS.values():
                server.flush(table)
        for begin in range(100, 1600, 30):  # more than the journal holds: it goes to topic files
            assert server.send([{**event, "data": {"of": event["id"], "text": "x" * 4_000}} for event in numbered("event", "raw-events", range(begin, begin + 30))]).status == 200
        server.wait_until(lambda: all(list(data.glob(pattern)) for pattern in KINDS.values()) and len(list(data.glob(KINDS["topic file"]))) > 2)
        assert server.stop() == 0
    return data, ask(data)


def ask(data):
    """The answers, or the sentence with which they were refused. A start makes and changes files."""
    done = run("sql", "--data", str(data), "-o", "json", "-c", QUERY)
    return json.dumps(json.loads(done.stdout)["rows"]) if done.returncode == 0 else f"refused: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"


@dataclasses.dataclass(frozen=True)
class Flip:
    kind: str
    path: str   # below the directory
    bit: int


def used_bytes(path):
    """A segment is made of zeros, and what stands behind its last commit means nothing: that half would only be harmless."""
    content = path.read_bytes()
    return max(1, len(content.rstrip(b"\0")))


def contents(data):
    """Of all files but the lock, which names the process that came last."""
    return {str(p.relative_to(data)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(data.rglob("*")) if p.is_file() and p.name != "LOCK"}


def plan(data, count, seed):
    """`count` flips, every kind the same number of times."""
    dice, flips = random.Random(seed), []
    files = {kind: sorted(data.glob(pattern)) for kind, pattern in KINDS.items()}
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path = dice.choice(files[kind])
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


def is_named(flip, checked):
    return pathlib.Path(flip.path).name in checked.stdout + checked.stderr


def check_together(data, flips):
    """Those that `sluice check` does not find."""
    for flip in flips:
        apply(data, flip)
    checked = run("check", str(data))
    for flip in flips:
        apply(data, flip)
    return [flip for flip in flips if checked.returncode != 1 or not is_named(flip, checked)]


def ask_together(data, flips):
    with changeable(data):
        for flip in flips:
            apply(data, flip)
        return ask(data)


def judge_alone(data, flip, answers):
    """found, refused or harmless; else what went wrong."""
    if not check_together(data, [flip]):
        return "found"
    said = ask_together(data, [flip])
    if said == answers:
        return "harmless"
    return "refused" if said.startswith("refused: ") else f"WRONG: {said}\ninstead of\n{answers}"


def judge(folder, count, seed):
    """Counts by kind and outcome, and what went wrong. Flips of different files are tried together: what one of them hides comes out when each
    is tried alone, and that is done as soon as anything is other than it was."""
    data, answers = make_directory(folder)
    assert not answers.startswith("refused"), answers
    counts, wrong, flips, quiet = collections.Counter(), [], plan(data, count, seed), []
    for at in range(0, count, TOGETHER):
        together = flips[at:at + TOGETHER]
        unnamed = check_together(data, together)
        quiet += unnamed
        counts.update((flip.kind, "found") for flip in together if flip not in unnamed)
    while quiet:
        together = []
        for flip in list(quiet):
            if len(together) < TOGETHER and flip.path not in {other.path for other in together}:
                together.append(flip)
                quiet.remove(flip)
        if ask_together(data, together) == answers:
            counts.update((flip.kind, "harmless") for flip in together)
            continue
        for flip in together:
            outcome = judge_alone(data, flip, answers)
            counts[flip.kind, outcome.split(":")[0]] += 1
            if outcome.startswith("WRONG"):
                wrong.append(f"{flip}: {outcome}")
    return counts, wrong
