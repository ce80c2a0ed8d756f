# SPDX-License-Identifier: Apache-2.0
"""./x clean: removes what ./x made. Data folders of a server are never touched."""
import shutil

from x import console, paths


def run(command, arguments):
    if arguments not in ([], ["--all"]):
        raise console.Failure(f"usage: ./x {command} [--all]", exit_code=2)
    for folder in [paths.BUILD] + ([paths.DEPS] if arguments else []):
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    for folder in (paths.ROOT / "tools").rglob("__pycache__"):
        shutil.rmtree(folder)
    return 0
