# SPDX-License-Identifier: Apache-2.0
"""./x overload: builds the release binary and runs tests/overload/overload_main.py with it."""
import os
import subprocess

from x import build, paths


MAIN = [paths.VENV_PYTHON, paths.ROOT / "tests" / "overload" / "overload_main.py"]


def helper(_):
    return MAIN


def run(command, arguments):
    built = build.build("release", ("sluice",))
    scratch = paths.BUILD / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SLUICE_BINARY": str(built / "sluice"), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*MAIN, *arguments], env=environment).returncode
