# SPDX-License-Identifier: Apache-2.0
"""./x run, ./x sim: builds release, then becomes the program, with the caller's folder and arguments."""
import os

from x import build, console

PROGRAMS = {"run": "sluice", "sim": "sluice_sim"}


def run(command, arguments):
    program = build.build("release") / PROGRAMS[command]
    if not program.exists():
        raise console.Failure(f"{program.name} is not part of the build yet; ./x test runs what there is.")
    os.execv(program, [str(program), *arguments])
