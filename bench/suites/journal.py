# SPDX-License-Identifier: Apache-2.0
"""B2: the durable log, and how fast it is read again after a crash."""
import measure
from figures import gigabytes, milliseconds, plain, span, thousands
from machine import PROGRAMS
from peers.kafka import Kafka
from peers.nats import Nats
from peers.postgresql import PostgreSQL
from peers.redis import Redis
from picture import Bar
from report import Table
from rounds import Contestant, compare

LOG = "Sluice's log, requests of 200"
LARGE = "Sluice's log, events of 1 KiB"
JOURNAL = "Sluice's journal alone, commits of 1 MiB"
PACED = "Sluice's log at 100 k/s"


def sluice(*arguments):
    folder = measure.fresh_folder("append")
    return measure.run_json(PROGRAMS / "sluice_append", "--directory", folder / "log", *arguments)


def on(server, seconds, **how):
    with server:
        return server.append(seconds, **how)


def journal(options):
    seconds = options.seconds
    durable = "durable: written synchronously (O_DIRECT, O_DSYNC)"
    contestants = {
        Contestant(LOG, lambda: sluice("--with", "log", "--seconds", seconds), is_peer=False): durable + "; duplicates removed",
        Contestant(LARGE, lambda: sluice("--with", "log", "--event-bytes", 1188, "--seconds", seconds), is_peer=False): durable + "; duplicates removed",
        Contestant(JOURNAL, lambda: sluice("--with", "journal"), is_peer=False): durable,
        Contestant(PACED, lambda: sluice("--with", "log", "--rate", 100_000, "--seconds", seconds), is_peer=False): durable + "; duplicates removed",
        Contestant("Kafka, synced (flush.messages=1)", lambda: on(Kafka(synced=True), seconds)): "log file synced",
        Contestant("Kafka as it comes", lambda: on(Kafka(synced=False), seconds)): "in the page cache: lost when the machine stops",
        Contestant("NATS JetStream, sync always", lambda: on(Nats(), seconds)): "stream file synced, once a batch of 1,000",
        Contestant("PostgreSQL, 200 rows a statement", lambda: on(PostgreSQL(), seconds)): "write-ahead log synced; duplicates removed",
        Contestant("Redis stream, 50 pipelined", lambda: on(Redis(), seconds, pipelined=50)): Redis.KEEPS.split(";")[0],
    }
    result = compare(options, list(contestants), ["disk_1m", "disk_64k"])
    table = Table("B2. Events of 564 bytes become durable. Sluice: one thread that calls the log (no HTTP). Peers: their own clients over loopback, in their best "
                  "batches, on the same cores; their latencies count from the client's send.",
                  ["log", "what an acknowledgement means", "events/s", "bytes to disk", "p50", "p99", "CPU-s per 1 M events", "Sluice's log against it"])
    bars = []
    for contestant, means in contestants.items():
        name = contestant.name
        rate = result.median(name, "events_per_second")
        if rate is None:
            table.row(name, means, "not run: " + result.not_run[name])
        else:
            cpu = result.median(name, "server_cpu_seconds_per_million") or result.median(name, "cpu_seconds_per_million")
            table.row(name, means, thousands(rate), gigabytes(result.median(name, "bytes_per_second")), milliseconds(result.median(name, "latency_us", "p50")),
                      milliseconds(result.median(name, "latency_us", "p99")), plain(cpu),
                      span(result.ratios(LOG, name, "events_per_second"), "{:.1f}") if contestant.is_peer else "")
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "peer" if contestant.is_peer else "ours"))
    disk = result.probe("disk_1m", "bytes_per_second")
    for name in (JOURNAL, LOG, LARGE):
        table.row(f"{name} / disk probe (writes of 1 MiB, the same way)", "", "", f"{result.median(name, 'bytes_per_second') / disk:.2f}")
    for name in (LOG, LARGE):
        recovered, read = (result.median(name, key) for key in ("recovery_bytes_per_second", "segment_read_bytes_per_second"))
        table.row(f"{name}: read again after a kill, {result.median(name, 'recovered_bytes') / 1e9:.1f} GB, nothing of it in a checkpoint", "", "", gigabytes(recovered))
        table.row("the same segments, read directly by somebody who does nothing with them, just before and behind", "", "", gigabytes(read))
    table.note(result.circumstances())
    table.picture("Durable events a second", bars)
    return table
