# SPDX-License-Identifier: Apache-2.0
"""./x coverage: which lines of log/, table/, tier/ and iceberg/ the simulator reaches, and which it does not.

Those folders are built without optimisation and count their lines (CMakePresets.json, "coverage"); `gcov`, which comes with gcc, reads what
was counted. Tests, fuzz targets and benchmarks are not part of the program and do not count; lines of headers do.
"""
import collections
import concurrent.futures
import gzip
import json
import os
import pathlib
import subprocess
import tempfile

from x import build, console, machine, paths

FOLDERS = ("log", "table", "tier", "iceberg")
# Without arguments: seeds, disks and catalogs that lie, and crashes along the two scripted runs.
PROGRAM = (["--seed", "1", "--runs", "600"], ["--lies", "--seed", "1", "--runs", "300"], ["--catalog-lies", "--seed", "1", "--runs", "200"],
           ["--sweep", "--step", "20"], ["--sweep", "--seed", "2", "--step", "30"])


def run(command, arguments):
    """`--lines`: also the text of each line that was not reached. `--keep`: adds to what was counted before. The rest are arguments of sluice_sim."""
    arguments = list(arguments)
    flags = {flag for flag in ("--lines", "--keep") if flag in arguments}
    words = [argument for argument in arguments if argument not in flags]
    folder = build.build("coverage", ("sluice_sim",))
    if "--keep" not in flags:
        for old in folder.rglob("*.gcda"):
            old.unlink()
    code = 0
    for program in [words] if words else PROGRAM:
        code = max(code, subprocess.run([folder / "sluice_sim", *program], stdin=subprocess.DEVNULL).returncode)
    tell(read(folder), "--lines" in flags)
    return code


def read(folder):
    """{file: {line: how often it ran}}, files as in the repository."""
    counted = sorted(folder.rglob("*.gcno"))
    if not counted:
        raise console.Failure(f"{folder} counts nothing; ./x clean, then again.")
    out = collections.defaultdict(collections.Counter)
    with concurrent.futures.ThreadPoolExecutor(machine.jobs()) as pool:
        for files in pool.map(_read_one, counted):
            for file in files:
                name = in_repository(file["file"])
                for line in file["lines"] if name else ():
                    out[name][line["line_number"]] += line["count"]
    return out


def _read_one(notes):
    with tempfile.TemporaryDirectory(dir=paths.BUILD) as scratch:
        subprocess.run(["gcov", "--json-format", "--object-file", notes, notes], cwd=scratch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return [file for made in pathlib.Path(scratch).glob("*.gz") for file in json.loads(gzip.decompress(made.read_bytes()))["files"]]


def in_repository(name):
    """The name of a file that counts, from the repository's root; None: it does not count."""
    name = os.path.normpath(name).removeprefix(f"{paths.ROOT}/").removeprefix("../../")  # from build/coverage
    parts = name.split("/")
    counts = len(parts) > 2 and parts[0] == "src" and parts[1] in FOLDERS and not name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc"))
    return name if counts else None


def tell(reached, with_lines):
    for folder in FOLDERS:
        files = {name: counts for name, counts in sorted(reached.items()) if name.startswith(f"src/{folder}/")}
        lines = sum(len(counts) for counts in files.values())
        hit = sum(1 for counts in files.values() for count in counts.values() if count)
        print(f"{folder}: {hit} of {lines} lines reached, {100 * hit / max(1, lines):.1f} %")
        for name, counts in files.items():
            missing = sorted(line for line, count in counts.items() if not count)
            if missing:
                print(f"  {name.removeprefix('src/')}: {len(counts) - len(missing)} of {len(counts)}")
            if with_lines:
                text = (paths.ROOT / name).read_text().splitlines()
                for line in missing:
                    print(f"    {line:4}  {text[line - 1].strip()}")
