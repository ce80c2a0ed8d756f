# SPDX-License-Identifier: Apache-2.0
"""Programs that take whatever CPU they get, for benchmarks and for tests/e2e."""
import contextlib
import subprocess
import sys


@contextlib.contextmanager
def busy_loops(count):
    """Each in a session of its own."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
