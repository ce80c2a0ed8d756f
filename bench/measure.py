# SPDX-License-Identifier: Apache-2.0
"""Single measurements: each runs one program against one server and returns a dictionary of figures."""
import csv
import json
import subprocess
import time

from machine import PROGRAMS, SCRATCH
from processes import Sampler

EVENT_BYTES = 564  # of the peers that do not take events


def run_json(*command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]}: {result.stderr.strip() or result.stdout.strip()}")
    return json.loads(result.stdout)


def load(server, batch, seconds, rate=0, connections=64, spread="one", warmup=1.0):
    """Sends events to a server; adds what the server used meanwhile."""
    cpu, written = server.cpu_seconds(), server.written_bytes()
    with Sampler(server) as memory:
        out = run_json(PROGRAMS / "sluice_load", "--port", server.port, "--batch", batch, "--connections", connections, "--seconds", seconds,
                       "--warmup", warmup, "--rate", rate, "--spread", spread, "--requests", max(connections, min(4000, 200_000 // batch)))
    millions = max(out["events_answered"], 1) / 1e6
    out["server_cpu_seconds_per_million"] = (server.cpu_seconds() - cpu) / millions
    out["bytes_written_per_event"] = (server.written_bytes() - written) / max(out["events_answered"], 1)
    out["memory"] = memory.largest
    return out


def redis_stream(server, seconds, connections=64):
    """XADD of one value as large as an event, one command at a time on each connection."""
    commands = int(30_000 * seconds)
    result = subprocess.run(["redis-benchmark", "-p", str(server.port), "-c", str(connections), "-n", str(commands), "--csv", "-q",
                             "XADD", "events", "*", "event", "x" * EVENT_BYTES], capture_output=True, text=True, check=True)
    figures = list(csv.DictReader(result.stdout.splitlines()))[-1]
    latency = {quantile: float(figures[f"{quantile}_latency_ms"]) * 1000 for quantile in ("p50", "p99")}
    return {"events_per_second": float(figures["rps"]), "latency_us": latency}


def disk(block_bytes, seconds=2):
    SCRATCH.mkdir(parents=True, exist_ok=True)
    return run_json(PROGRAMS / "sluice_disk_probe", "--directory", SCRATCH, "--block-bytes", block_bytes, "--seconds", seconds)


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
