# SPDX-License-Identifier: Apache-2.0
"""./x run, ./x sim, ./x faults: builds release, then becomes the program, with the caller's folder and arguments."""
import os

from x import build, console, paths

PROGRAMS = {"run": "sluice", "sim": "sluice_sim"}


FAULTS = [paths.VENV_PYTHON, paths.ROOT / "tests" / "faults" / "faults_main.py"]


def helper(command):
    return FAULTS if command == "faults" else [paths.BUILD / "release" / PROGRAMS[command]]


def run(command, arguments):
    built = build.build("release")
    if command == "faults":
        os.environ["SLUICE_BINARY"] = str(built / "sluice")
        os.execv(paths.VENV_PYTHON, [*map(str, FAULTS), *arguments])
    program = built / PROGRAMS[command]
    if not program.exists():
        raise console.Failure(f"{program.name} is not part of the build yet; ./x test runs what there is.")
    os.execv(program, [str(program), *arguments])
