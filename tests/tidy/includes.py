# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: ranks, doors, heavy libraries, cycles."""
import re

from tree import Violation

_DOOR = re.compile(r"^(#+ .*\bdoor\b|other folders (may )?include)", re.IGNORECASE)
_HEADER = re.compile(r"`([\w/]+\.h)`")


def ranks(tree):
    """A folder includes itself, the folder it lies in, and lower ranks; siblings never include each other."""
    for file, line, name, own, other in _between_folders(tree):
        if other == "query/worker" and file.path != "src/cli/main.cc":
            yield Violation(file.path, line, f"includes {name}: only src/cli/main.cc may see query/worker")
        elif tree.ranks[other] >= tree.ranks[own] and not own.startswith(other + "/") and other != "query/worker":
            yield Violation(file.path, line, f"{own} (rank {tree.ranks[own]}) includes {name} of {other} (rank {tree.ranks[other]}): see src/folders.txt")


def doors(tree):
    """Other folders see nothing of internal/, and only the headers that a folder's README lists, if it lists any."""
    listed = {folder: _door_of(tree, folder) for folder in tree.ranks}
    for file, line, name, own, other in _between_folders(tree):
        inside = name.removeprefix(other + "/")
        if inside.startswith("internal/"):
            yield Violation(file.path, line, f"includes {name}, which is internal to {other}")
        elif listed[other] and inside not in listed[other] and not own.startswith(other + "/"):
            yield Violation(file.path, line, f"includes {name}, which src/{other}/README.md does not list for other folders")


def banned(tree):
    """Headers that cost too much, or that make a second way to do a thing."""
    for file in tree.sources:
        for line, name in file.includes:
            if name == "regex":
                yield Violation(file.path, line, "includes <regex>: slow to compile and to run; write the few lines by hand")
            elif name == "iostream" and not file.path.startswith("src/cli/"):
                yield Violation(file.path, line, "includes <iostream>: only cli/ talks to a terminal; use io::Logger")
            elif name.startswith("spdlog"):
                yield Violation(file.path, line, "includes spdlog: the one logger is io::Logger")


def heavy(tree):
    """DuckDB is seen by query/worker alone; Arrow and Parquet by no header of ours that others include."""
    for file in tree.sources:
        worker = file.path.startswith("src/query/worker/")
        for line, name in file.includes:
            if name.startswith(("duckdb.h", "duckdb/")) and not worker:
                yield Violation(file.path, line, f"includes {name}: only query/worker may see DuckDB")
            elif name.startswith(("arrow/", "parquet/")) and file.path.endswith(".h") and not worker and "/iceberg/internal/" not in file.path:
                yield Violation(file.path, line, f"includes {name} in a header: 3 s for each file that includes it; move it to a .cc")


def cycles(tree):
    """No header includes itself by a detour."""
    graph = {f.path.removeprefix("src/"): f for f in tree.sources if f.path.endswith(".h")}
    done = set()

    def visit(name, trail):
        if name in trail:
            yield Violation("src/" + name, 1, "includes itself: " + " -> ".join(trail[trail.index(name):] + [name]))
        elif name in graph and name not in done:
            for _, other in graph[name].includes:
                yield from visit(other, trail + [name])
            done.add(name)

    for name in graph:
        yield from visit(name, [])


def _between_folders(tree):
    """(file, line, included name, own folder, other folder) of each include that crosses a border inside src/."""
    for file in tree.sources:
        own = tree.folder_of(file.path.removeprefix("src/"))
        for line, name in file.includes:
            other = tree.folder_of(name)
            if own is not None and other is not None and own != other and "src/" + name in tree.by_path:
                yield file, line, name, own, other


def _door_of(tree, folder):
    """The headers in backticks in the list or table behind a heading 'Door' or the words 'Other folders include'."""
    readme = tree.by_path.get(f"src/{folder}/README.md")
    listed, reading = set(), False
    for line in readme.lines if readme else []:
        if _DOOR.match(line):
            reading = True
        elif line.strip() and not line.lstrip().startswith(("-", "*", "|")) and not line.startswith("  "):
            reading = False
        if reading:
            listed.update(name.removeprefix(folder + "/") for name in _HEADER.findall(line))
    return listed
