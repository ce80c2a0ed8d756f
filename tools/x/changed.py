# SPDX-License-Identifier: Apache-2.0
"""Which files changed: against the commit where this branch left the main one, plus what git does not know yet."""
import pathlib
import subprocess

from x import paths

CPP = (".h", ".cc")
CPP_FOLDERS = ("src", "tests", "bench", "sdk", "fuzz")


def cpp_files(arguments):
    """The C++ files named in `arguments`, or all with --all, or those that changed."""
    if "--all" in arguments:
        return [p for f in CPP_FOLDERS for p in sorted((paths.ROOT / f).rglob("*")) if p.suffix in CPP]
    named = [pathlib.Path(a).resolve() for a in arguments]
    if named:
        return [p for p in named if p.suffix in CPP]
    listed = _git("diff", "--name-only", "--diff-filter=d", _base()) + _git("ls-files", "--others", "--exclude-standard")
    return sorted({paths.ROOT / p for p in listed if p.endswith(CPP) and p.split("/")[0] in CPP_FOLDERS})


def _base():
    """On the main branch: HEAD. On another: where it left origin/main or main."""
    for main in ("origin/main", "main", "origin/master", "master"):
        base = subprocess.run(["git", "-c", "safe.directory=*", "merge-base", "HEAD", main], cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if base.returncode == 0:
            return base.stdout.strip()
    return "HEAD"


def _git(*arguments):
    return subprocess.run(["git", "-c", "safe.directory=*", *arguments], cwd=paths.ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
