# SPDX-License-Identifier: Apache-2.0
"""Runs the demo, and the lines that it prints for copying: each in a shell without environment."""

import contextlib
import os
import signal
import subprocess
import sys

from sluice_server import BINARY, ROOT

LINES = ("curl ", str(BINARY), str(ROOT))
QUAKES = "1707"


def start_demo(data):
    """In a process group of its own, with Ctrl-C as a terminal has it: a test run in the background of a shell inherits that it is ignored."""
    return subprocess.Popen([sys.executable, ROOT / "tools/demo.py", "--data", str(data), "--listen", "127.0.0.1:0"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "SLUICE_BINARY": str(BINARY)},
                            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


@contextlib.contextmanager
def printed_lines(data):
    """The lines, while the demo's server runs."""
    demo = start_demo(data)
    lines = []
    try:
        for line in demo.stdout:
            if line.startswith("Ctrl-C"):
                break
            lines.append(line.rstrip("\n"))
        start = next((n for n, line in enumerate(lines) if line.startswith("While this runs")), None)
        assert start is not None, "\n".join(lines) + demo.stderr.read()
        yield [line for line in lines[start:] if line.startswith(LINES)]
    finally:
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)


def output_in_clean_shell(line, folder):
    done = subprocess.run(["env", "-i", "bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout
