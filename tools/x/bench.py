# SPDX-License-Identifier: Apache-2.0
"""./x bench: builds release, then becomes bench/run.py, which starts servers, loads them and prints ratios."""
import os

from x import build, paths

PROGRAMS = ("sluice", "sluice_load", "sluice_disk_probe", "sluice_freshness")


def run(_, arguments):
    if not {"-h", "--help"} & set(arguments):
        build.build("release", PROGRAMS)
    os.execv(paths.VENV_PYTHON, [str(paths.VENV_PYTHON), str(paths.ROOT / "bench" / "run.py"), *arguments])
