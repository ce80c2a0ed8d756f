# SPDX-License-Identifier: Apache-2.0
"""Single measurements: each runs one program against one server and returns a dictionary of figures."""
import contextlib
import functools
import json
import os
import shutil
import subprocess
import time

from machine import PROGRAMS, SCRATCH
from server import Sampler

EVENT_BYTES = 564  # of the peers that do not take events


def run_json(*command, first=None):
    """What a program says as JSON. `first`: called in its process before it begins."""
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True, preexec_fn=first)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]}: {result.stderr.strip() or result.stdout.strip()}")
    return json.loads(result.stdout)


@contextlib.contextmanager
def used_by(server, events):
    """Adds what a server used while the block runs to the dictionary that it yields. `events()`: how many it took meanwhile."""
    figures, cpu, written = {}, server.cpu_seconds(), server.written_bytes()
    with Sampler(server) as memory:
        yield figures
    count = max(events(), 1)
    figures["server_cpu_seconds_per_million"] = (server.cpu_seconds() - cpu) / count * 1e6
    figures["bytes_written_per_event"] = (server.written_bytes() - written) / count
    figures["memory"] = memory.largest


def become_real_time():
    """A client that counts latencies stands for one on another machine: it does not wait for the cores that it shares with the server and others."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


@contextlib.contextmanager
def pauses(seconds):
    """Adds for how long the machine ran nobody, at the longest, to the dictionary that it yields; nothing, where nobody may look."""
    figures = {}
    with subprocess.Popen([PROGRAMS / "sluice_probe", "pauses", "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True) as probe:
        yield figures
        figures |= {f"pause_{key}": value for key, value in json.loads(probe.communicate()[0])["pauses"].items()}


def load(server, batch, seconds, rate=0, connections=64, spread="one", warmup=1.0):
    """Sends events to a server; adds what the server used meanwhile, and, at a rate, how long the machine paused."""
    out = {}
    with used_by(server, lambda: out["events_answered"]) as used, pauses(warmup + seconds) if rate else contextlib.nullcontext({}) as paused:
        out |= run_json(PROGRAMS / "sluice_load", "--port", server.port, "--batch", batch, "--connections", connections, "--seconds", seconds,
                        "--warmup", warmup, "--rate", rate, "--spread", spread, "--requests", max(connections, min(4000, 200_000 // batch)),
                        first=become_real_time if rate else None)
    return out | used | paused


def probe(names, seconds):
    """The machine now: bytes a second of each; of disks also the time of one write."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    return run_json(PROGRAMS / "sluice_probe", *names, "--directory", SCRATCH, "--seconds", seconds)


def fresh_folder(name):
    """An empty folder for one measurement."""
    folder = SCRATCH / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@functools.cache
def events_file(count=200_000):
    """Events of the load, one a line, for whoever reads files."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    file = SCRATCH / f"events-{count}.ndjson"
    subprocess.run([PROGRAMS / "sluice_load", "--write", file, "--batch", "100", "--requests", str(count // 100)], check=True)
    return file


PROBES_PER_SECOND = 40  # enough for a p99 that is not one statement


def freshness(server, rate, seconds):
    """Acknowledgement to answer of single events, while others come in at `rate`."""
    batch = 1 if rate <= 10_000 else 100
    load_program = subprocess.Popen([PROGRAMS / "sluice_load", "--port", str(server.port), "--batch", str(batch), "--rate", str(rate), "--seconds", str(seconds + 1),
                                     "--requests", "2000"], stdout=subprocess.PIPE)
    figures = run_json(PROGRAMS / "sluice_freshness", "--url", f"http://127.0.0.1:{server.port}", "--seconds", seconds, "--rate", PROBES_PER_SECOND)
    figures["load"] = json.loads(load_program.communicate()[0])
    return figures


def duckdb_copy(data, rows):
    """Rows a second of DuckDB's COPY of the table's rows from memory to one ZSTD Parquet file, on both cores."""
    import duckdb
    files = [str(f) for f in data.glob("warehouse/bronze/events/data/**/*.parquet")]
    connection = duckdb.connect()
    connection.execute("CREATE TABLE rows AS SELECT * FROM read_parquet(?)", [files])
    count = connection.execute("SELECT count(*) FROM rows").fetchone()[0]
    if count != rows:
        raise RuntimeError(f"the table holds {count} rows, {rows} were acknowledged")
    began = time.monotonic()
    connection.execute(f"COPY rows TO '{SCRATCH / 'copy.parquet'}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    return rows / (time.monotonic() - began)
