# SPDX-License-Identifier: Apache-2.0
"""./x bench: builds release, then becomes bench/run.py, which starts servers, loads them and prints ratios."""
import os
import sys

from x import build, paths

PROGRAMS = ("sluice", "sluice_load", "sluice_disk_probe", "sluice_freshness")


def run(_, arguments):
    python = sys.executable  # its help needs nothing that was fetched
    if not {"-h", "--help"} & set(arguments):
        build.build("release", PROGRAMS)
        python = str(paths.VENV_PYTHON)
    os.execv(python, [python, str(paths.ROOT / "bench" / "run.py"), *arguments])
