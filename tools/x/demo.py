# SPDX-License-Identifier: Apache-2.0
"""./x demo: builds release, then becomes tools/demo.py, which is told where the binary and the data are."""
import os

from x import build, console, paths


def run(command, arguments):
    program = build.build("release", ("sluice",)) / "sluice"
    script = paths.TOOLS / "demo.py"
    if not script.exists() or not program.exists():
        raise console.Failure("the demo is not part of this version yet; ./x test runs what there is.")
    environment = {**os.environ, "SLUICE_BINARY": str(program), "SLUICE_DATASETS": str(paths.DEPS / "datasets")}
    os.execve(paths.VENV_PYTHON, [str(paths.VENV_PYTHON), str(script), *arguments], environment)
