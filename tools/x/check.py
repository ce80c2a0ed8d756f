# SPDX-License-Identifier: Apache-2.0
"""./x check: what a reviewer's machine can see: the tidy test, the format and clang-tidy of what changed."""
import concurrent.futures
import subprocess
import sys

from x import build, changed, console, machine, paths


def run(command, arguments):
    files = changed.cpp_files(arguments)
    failures = _tidy() + _format(files) + _clang_tidy([f for f in files if f.suffix == ".cc"])
    console.say("check: nothing to say" if failures == 0 else f"check: {failures} of 3 parts found something")
    return 1 if failures else 0


def _tidy():
    with console.phase("tidy test"):
        return int(subprocess.run([sys.executable, paths.ROOT / "tests" / "tidy" / "tidy_main.py"], stdin=subprocess.DEVNULL).returncode != 0)


def _format(files):
    with console.phase(f"clang-format, {len(files)} files"):
        if not files:
            return 0
        bad = subprocess.run(["clang-format", "--dry-run", "--Werror", *files], stdin=subprocess.DEVNULL).returncode != 0
        if bad:
            console.say("    ./x fmt does it")
        return int(bad)


def _clang_tidy(files):
    folder = build.configured("debug") if files else None
    with console.phase(f"clang-tidy, {len(files)} files"):
        def one(file):
            return subprocess.run(["clang-tidy", "--quiet", "-p", folder, file], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with concurrent.futures.ThreadPoolExecutor(machine.jobs()) as pool:
            results = list(pool.map(one, files))
        for result in results:
            if result.returncode != 0 or result.stdout.strip():
                console.say(result.stdout.rstrip())
        return int(any(r.returncode != 0 for r in results))
