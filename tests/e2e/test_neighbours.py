# SPDX-License-Identifier: Apache-2.0
"""Programs that never sleep want all the cores: the server is real-time then, where that is allowed, and none of its other threads is. What that is
worth is measured by `./x bench neighbours`."""
import contextlib
import os
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from busy_loops import busy_loops  # noqa: E402  (the path above makes it importable)
from sluice_server import event  # noqa: E402


def policy_of(thread):
    return os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK


def policies_of_others(server):
    """Of all threads but the event loop's, which is the main one, and the journal's."""
    out = {}
    for thread in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            name = (thread / "comm").read_text().strip()
            if int(thread.name) != server.process.pid and name != "journal":
                out[f"{name} {thread.name}"] = policy_of(int(thread.name))
    return out


def may_be_real_time():
    attempt = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    is_allowed = subprocess.run([sys.executable, "-c", attempt], stderr=subprocess.DEVNULL, check=False).returncode == 0
    return is_allowed and os.sched_getscheduler(0) == os.SCHED_OTHER and os.nice(0) <= 0


def test_the_loop_is_real_time_beside_busy_loops_where_that_is_allowed(server):
    with busy_loops(os.cpu_count()):
        if may_be_real_time():
            server.wait_until(lambda: policy_of(server.process.pid) == os.SCHED_FIFO)
        assert server.send([event(1)]).status == 200
        assert server.sql("SELECT count(*) FROM bronze.events") == [[1]]
        others = policies_of_others(server)
        assert set(others.values()) == {os.sched_getscheduler(0)}, others
