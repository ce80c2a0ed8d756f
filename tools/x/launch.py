# SPDX-License-Identifier: Apache-2.0
"""./x run, ./x sim, ./x faults: builds release, then becomes the program, with the caller's folder and arguments."""
import os
import subprocess

from x import build, console, paths

PROGRAMS = {"run": "sluice", "sim": "sluice_sim"}


def print_help_of(command):
    """The ARGUMENTs of a program that is there."""
    program = paths.BUILD / "release" / PROGRAMS[command]
    if program.exists():
        print(flush=True)
        subprocess.run([program, "--help"])
    else:
        print(f"\n  Its ARGUMENTs are told once it is built: ./x build release, then ./x {command} --help")


def run(command, arguments):
    built = build.build("release")
    if command == "faults":
        os.environ["SLUICE_BINARY"] = str(built / "sluice")
        os.execv(paths.VENV_PYTHON, [str(paths.VENV_PYTHON), str(paths.ROOT / "tests/faults/faults_main.py"), *arguments])
    program = built / PROGRAMS[command]
    if not program.exists():
        raise console.Failure(f"{program.name} is not part of the build yet; ./x test runs what there is.")
    os.execv(program, [str(program), *arguments])
