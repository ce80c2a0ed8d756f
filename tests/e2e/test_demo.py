# SPDX-License-Identifier: Apache-2.0
"""What the demo prints can be pasted. Its lines for DuckDB and Spark are run by tests/engines. How it ends."""

import fcntl
import os
import signal

import pytest

from demo_run import QUAKES, output_in_clean_shell, printed_lines, start_demo
from sluice_server import Server


def test_printed_lines_work_in_a_clean_shell(data, tmp_path):
    with printed_lines(data) as lines:
        lines = [line for line in lines if "fetch engines" not in line]
        assert len(lines) == 3
        for line in lines:
            assert QUAKES in output_in_clean_shell(line, tmp_path), line


def demo_until(line, data):
    """The demo, which has just printed that line, in a process group of its own."""
    demo = start_demo(data)
    assert any(printed.startswith(line) for printed in demo.stdout)
    return demo


@pytest.mark.parametrize("end", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_its_end_leaves_no_process_and_a_directory_that_starts_again(data, end):
    """Ctrl-C as a terminal sends it, to the demo and to the server at once; the others to the demo alone."""
    demo = demo_until("Ctrl-C", data)
    if end == "Ctrl-C":
        os.killpg(demo.pid, signal.SIGINT)
    else:
        demo.send_signal(signal.Signals[end])
    output, errors = demo.communicate(timeout=60)
    assert demo.returncode == 0 and "Traceback" not in errors, output + errors
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)  # neither server nor worker is left
    with Server(data) as again:
        assert again.sql("SELECT count(*) FROM bronze.quakes") == [[int(QUAKES)]]


def test_ctrl_c_before_anything_was_sent_leaves_no_process(data):
    demo = demo_until("sluice ready", data)
    os.killpg(demo.pid, signal.SIGINT)
    output, errors = demo.communicate(timeout=60)
    assert "Traceback" not in errors, output + errors
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)
    with Server(data):
        pass


def test_a_killed_demo_leaves_no_server(data):
    demo = demo_until("Ctrl-C", data)
    demo.kill()
    demo.wait()
    with open(data / "LOCK") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the server holds it to its end
    with Server(data) as again:
        assert again.sql("SELECT count(*) FROM bronze.quakes") == [[int(QUAKES)]]
