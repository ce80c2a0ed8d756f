# SPDX-License-Identifier: Apache-2.0
"""./x bench: builds release, then becomes bench/run.py, which starts servers, loads them and prints ratios."""
import os
import sys

from x import build, paths

PROGRAMS = ("sluice", "sluice_load", "sluice_probe", "sluice_freshness", "sluice_append", "sluice_parse", "sluice_parquet", "sluice_duplicates")
MAIN = paths.ROOT / "bench" / "run.py"


def helper(_):
    return [sys.executable, MAIN]  # its help needs nothing that was fetched


def run(_, arguments):
    python = sys.executable
    if "--list" not in arguments:
        _look_again_for_peers()
        build.build("release", PROGRAMS)
        python = str(paths.VENV_PYTHON)
    os.execv(python, [python, str(MAIN), *arguments])


def _look_again_for_peers():
    """./x has installed Debian's packages; a folder that was configured before them does not know of RocksDB."""
    cache = paths.BUILD / "release" / "CMakeCache.txt"
    if cache.exists() and "RocksDB_DIR-NOTFOUND" in cache.read_text():
        (cache.parent / "build.ninja").unlink(missing_ok=True)
