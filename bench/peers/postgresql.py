# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL (Debian): an event is a row with its id as primary key and its JSON as jsonb; a duplicate is left out. Driven by pgbench."""
import itertools
import os
import pathlib
import pwd
import re
import subprocess

from measure import events_file, used_by
from figures import quantile
from machine import SCRATCH
from peers import install
from peers.peer import Peer
from rounds import NotRun

CONNECTIONS = 8
_TABLE = "CREATE TABLE events (id uuid PRIMARY KEY, time timestamptz, event jsonb)"
# The script's events are always the same: their ids are made anew by the server.
_INSERT = ("INSERT INTO events SELECT gen_random_uuid(), (e ->> 'time')::timestamptz, e FROM jsonb_array_elements('[{events}]'::jsonb) e "
           "ON CONFLICT DO NOTHING;\n")


class PostgreSQL(Peer):
    """Its servers refuse to run as root: then they run as the user that Debian made for them."""

    def start(self):
        folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        self.initdb, self.postgres, self.pgbench, self.psql = (install.debian(name, "postgresql", *folders) for name in ("initdb", "postgres", "pgbench", "psql"))
        data = self.folder / "data"
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            if not os.access(SCRATCH, os.X_OK):
                raise NotRun(f"the user postgres cannot reach {SCRATCH}")
            self.as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        else:
            self.as_user = {}
        self.run(self.initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        config = self.write_config("postgresql.conf")
        with open(self.folder / "server.log", "w") as log:
            self.spawn([self.postgres, "-D", data, "-c", f"config_file={config}"], cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, **self.as_user)
        self.wait_for_port()
        self.run(self.psql, *self.address(), "-c", _TABLE)

    def address(self):
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", "postgres"]

    def run(self, *command):
        result = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=self.folder, **self.as_user)
        if result.returncode != 0:
            raise NotRun(f"{pathlib.Path(command[0]).name}: {result.stderr.strip().splitlines()[-1:]}")
        return result.stdout

    def append(self, seconds, batch=200):
        """Batches of events, each one statement and one transaction."""
        with open(events_file()) as lines:
            events = ",".join(line.rstrip("\n").replace("'", "''") for line in itertools.islice(lines, batch))
        script = self.folder / "insert.sql"
        script.write_text(_INSERT.format(events=events))
        logs = self.folder / "latency"
        out = {}
        with used_by(self, lambda: out["rows"]) as used:
            said = self.run(self.pgbench, "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-n", "-M", "simple", "-f", script, "-c", CONNECTIONS, "-j", 1,
                            "-T", max(1, round(seconds)), "-l", f"--log-prefix={logs}", "postgres")
            out["rows"] = int(re.search(r"transactions actually processed: (\d+)", said)[1]) * batch
        us = [int(line.split()[2]) for file in self.folder.glob("latency.*") for line in file.read_text().splitlines()]
        rate = float(re.search(r"tps = ([\d.]+)", said)[1])
        return used | {"events_per_second": rate * batch, "latency_us": {"p50": quantile(us, 0.5), "p99": quantile(us, 0.99)}, "bytes_written_per_event": None}
