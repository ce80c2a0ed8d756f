# SPDX-License-Identifier: Apache-2.0
"""A chain: one directory, and lives of a server on it that end badly, one after the other, under load. Then a last one in which nothing
fails, and the verdict: the checker's over all that clients saw, PyIceberg's over the tables, `sluice check`'s over the files.
"""

import dataclasses
import http.client
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time

from lake import read_rows
from load import CONFIGURATION, TOPICS, Reader, Sender, read_all
from recorder import Recorder
from sluice_server import BINARY, Server, run

LIBRARY = pathlib.Path(os.environ.get("SLUICE_FAULTS_LIBRARY", BINARY.parent / "libsluice_faults.so"))
# Small and hasty: a second of load comes to copies to topic files, recycled segments, sealed dedup runs and expired snapshots.
LIBFIU = "/usr/lib/fiu/fiu_run_preload.so /usr/lib/fiu/fiu_posix_preload.so"  # as Debian's fiu-run does it
FLAGS = ["--set", "journal.segment_bytes=1 MiB", "--set", "journal.bytes_max=4 MiB", "--set", "journal.tail_bytes_max=1 MiB", "--set", "tier.interval_ms=100",
         "--set", "tier.interval_stretch_max=1", "--set", "tier.expiry_interval_ms=1", "--set", "tier.snapshot_age_ms_max=1", "--set", "tier.snapshots_min=2",
         "--set", "dedup.run_keys_max=500", "--set", "http.body_bytes_max=512 KiB", "--set", "http.inflated_bytes_max=512 KiB"]
SENDERS = 3
REQUESTS = 16        # of each sender in a life
EXIT_SECONDS_MAX = 60
BROKEN_CONNECTION_SECONDS = 5
ENDS_ON_PURPOSE = ["journal write failed, the process ends",  # what a failed write left on the disk is unknown: nothing is answered any more
                   "no memory, the process ends",             # as `new` does it; libfiu lets calls fail that ask for some
                   "no memory for rows that were admitted"]   # nobody was answered for them: a start has them all, or none


@dataclasses.dataclass
class Life:
    """What goes wrong in one life. `plan` as in plan.h; `kill_after_s`: SIGKILL from outside, so long after so many requests were acknowledged."""
    plan: str = ""
    kill_after_s: float | None = None
    kill_after_requests: int = 0
    stops: bool = False       # nothing goes wrong, and it ends in peace
    calls_fail: bool = False  # and the process lives: a start may end with a sentence, a statement without rows
    libfiu: str = ""          # its commands, instead of a plan


@dataclasses.dataclass
class Verdict:
    problems: list
    lives: int = 0
    ended_badly: int = 0      # lives that the fault ended
    reached: list = dataclasses.field(default_factory=list)  # plans of the lives that came to their fault
    acknowledged: int = 0
    seconds: float = 0


class Chain:
    """`folder` is made anew and, when all went well, removed."""

    def __init__(self, folder, seed, power=False, record=False, flags=FLAGS):
        self.folder, self.dice, self.power, self.record = pathlib.Path(folder), random.Random(seed), power, record
        shutil.rmtree(self.folder, ignore_errors=True)
        self.data, self.graveyard, self.hits = self.folder / "data", self.folder / "graveyard", self.folder / "hits"
        self.graveyard.mkdir(parents=True)
        (self.folder / "config.yaml").write_text(CONFIGURATION)
        self.flags = [*flags, "--config", str(self.folder / "config.yaml")]
        self.recorder = Recorder(self.folder / "history.ndjson")
        self.open_requests, self.verdict, self.began = [], Verdict([]), time.monotonic()

    def environment(self, plan):
        more = {"LD_PRELOAD": str(LIBRARY), "SLUICE_FAULTS_ROOT": str(self.data), "SLUICE_FAULTS_PLAN": plan, "SLUICE_FAULTS_SEED": str(self.dice.randrange(1 << 30)),
                "SLUICE_FAULTS_HITS": str(self.hits)}
        self.hits.unlink(missing_ok=True)
        if self.power:
            shutil.rmtree(self.graveyard)
            self.graveyard.mkdir()
            more["SLUICE_FAULTS_GRAVEYARD"] = str(self.graveyard)
        if self.record:
            more["SLUICE_FAULTS_RECORD"] = str(self.folder / "edges")
        return more

    def live(self, life):
        """One life. Appends to the verdict's problems what must not be."""
        self.verdict.lives += 1
        number = self.verdict.lives
        self.recorder.mark(f"life {number}: {life}")
        try:
            environment = {"LD_PRELOAD": LIBFIU, "FIU_ENABLE": life.libfiu} if life.libfiu else self.environment(life.plan)
            server = Server(self.data, *self.flags, environment=environment)
        except RuntimeError as failed:
            code, log = Server.started[-1].process.returncode, Server.started[-1].log
            self.verdict.ended_badly += 1
            expected = {-signal.SIGKILL, *self._codes_of_a_process_that_ends_itself(log)} | ({1, 2} if life.calls_fail else set())
            if not self._came_to_it(life) or code not in expected:
                self.verdict.problems.append(f"life {number}, {life}: the start ended with {code}: {failed}")
            return
        gone = False
        try:
            self._load(server, life, number)
        except (OSError, http.client.HTTPException):
            gone = True
        except AssertionError as wrong:
            self.verdict.problems.append(f"life {number}, {life}: {wrong}")
        self._end(server, life, number, gone)

    def _load(self, server, life, number):
        strict = not life.calls_fail
        read_all(server, self.recorder, f"after start {number}", strict=strict)
        acknowledgements = threading.Semaphore(0)
        senders = [Sender(server.url, self.recorder, f"{number}-{i}", self.dice.random(), REQUESTS, self.open_requests.pop() if self.open_requests else None, acknowledgements)
                   for i in range(SENDERS)]
        reader = Reader(server, self.recorder, reads_max=8, strict=strict)
        for one in [*senders, reader]:
            one.start()
        if life.kill_after_s is not None:
            for _ in range(life.kill_after_requests):
                acknowledgements.acquire(timeout=EXIT_SECONDS_MAX)
            time.sleep(life.kill_after_s)  # the moment of the kill is the experiment, not a synchronisation
            server.process.kill()
        for sender in senders:
            sender.join(timeout=EXIT_SECONDS_MAX)
            assert not sender.is_alive(), "a request got neither an answer nor an end"
            self.verdict.acknowledged += sender.acknowledged
            if sender.open_request and self.dice.random() < 0.5:
                self.open_requests.append(sender.open_request)  # sent again in the next life: whoever got no answer does so
        reader.stopping.set()
        reader.join(timeout=EXIT_SECONDS_MAX)
        assert reader.failure is None, reader.failure
        for table in TOPICS.values():
            server.request("POST", f"/v1/tables/{table.replace('.', '/')}/flush?timeout_ms=2000", b"")
        read_all(server, self.recorder, f"before the end of {number}", strict=strict)

    def _end(self, server, life, number, gone):
        """Ends what still runs, and judges how it ended."""
        if gone:
            gone = self._has_ended(server, life)
        by_itself, killed = gone or server.process.poll() is not None, False
        if not by_itself and (life.stops or self.dice.random() < 0.7):
            code = server.stop()
        else:
            killed = not by_itself
            server.kill()
            code = server.process.returncode
        self.recorder.mark(f"life {number} ended with {code}")
        came_to_it = self._came_to_it(life)
        self.verdict.ended_badly += by_itself or code != 0 or life.kill_after_s is not None
        expected = {0, 1, -signal.SIGKILL} if came_to_it or killed or life.kill_after_s is not None else {0}
        if came_to_it:
            expected |= self._codes_of_a_process_that_ends_itself(server.log)
        if code not in expected:
            self.verdict.problems.append(f"life {number}, {life}: it ended with {code}: " + "\n".join(server.log[-5:]))

    @staticmethod
    def _has_ended(server, life):
        """A connection broke: the server is about to end, unless libfiu broke the connection only."""
        try:
            server.process.wait(timeout=BROKEN_CONNECTION_SECONDS if "/net/" in life.libfiu else EXIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            if "/net/" not in life.libfiu:
                raise
            return False
        return True

    @staticmethod
    def _codes_of_a_process_that_ends_itself(log):
        return {-signal.SIGABRT} if any(why in line for line in log for why in ENDS_ON_PURPOSE) else set()

    def _came_to_it(self, life):
        if life.libfiu:
            return True  # it does not tell
        if not life.plan or not self.hits.exists() or self.hits.stat().st_size == 0:
            return False
        self.verdict.reached.append(life.plan)
        return True

    def finish(self):
        """The life in which nothing fails, and the verdict."""
        try:
            with Server(self.data, *self.flags) as server:
                read_all(server, self.recorder, "at the end")
                there = {table["name"] for table in server.get("/v1/tables").json()["tables"]} & set(TOPICS.values())
                for table in there:
                    state = server.flush(table)
                    assert state["lag"] == 0 and state["state"] == "running", state
                read_all(server, self.recorder, "after the last flush")
                assert server.stop() == 0
            self._read_lake(there)
            checked = run("check", str(self.data))
            assert checked.returncode == 0, "sluice check: " + checked.stdout + checked.stderr
        except (RuntimeError, AssertionError, OSError) as wrong:
            self.verdict.problems.append(f"at the end: {wrong}")
        judged = self.recorder.judge()
        if judged:
            self.verdict.problems.append(judged)
        self.recorder.close()
        self.verdict.seconds = time.monotonic() - self.began
        for server in Server.started:
            if server.process.poll() is None:
                server.kill()
        Server.started.clear()
        if not self.verdict.problems:
            shutil.rmtree(self.folder)
        return self.verdict

    def _read_lake(self, there):
        at = Recorder.now()
        topics = {topic: [] for topic in TOPICS}
        for topic, table in TOPICS.items():
            if table in there:
                topics[topic] = [[row["log_partition"], row["log_offset"], row["id"], ""] for row in read_rows(self.data, table)]
        self.recorder.read(at, Recorder.now(), "PyIceberg", topics)
