# SPDX-License-Identifier: Apache-2.0
"""Rules about single files. A rule takes the Tree and yields Violations."""
import re

import includes
from tree import Violation

LINES_MAX = 600
_CODE = (".h", ".cc", ".py", ".sh", ".cmake", "CMakeLists.txt")
_SPDX = "SPDX-License-Identifier: Apache-2.0"
_SELF = "tests/tidy/"  # the rules name what they forbid


def license_line(tree):
    """Every source file begins with its licence (scripts: behind the #! line)."""
    for file in tree.files:
        head = file.lines[1:2] if file.lines and file.lines[0].startswith("#!") else file.lines[:1]
        if file.path.endswith(_CODE) and not (head and _SPDX in head[0]):
            yield Violation(file.path, 1, f"the first line must be the comment {_SPDX}")


def pragma_once(tree):
    for file in tree.files:
        if file.path.endswith(".h") and not file.find(r"^#pragma once$"):
            yield Violation(file.path, 1, "a header needs #pragma once")


def leftovers(tree):
    """What is not done is an issue, not a comment."""
    yield from _anywhere(tree, r"\b(TODO|FIXME|XXX)\b", "a leftover: do it, or open an issue", _CODE)


def length(tree):
    for file in tree.files:
        if file.path.endswith((".h", ".cc", ".py")) and len(file.lines) > LINES_MAX:
            yield Violation(file.path, LINES_MAX + 1, f"{len(file.lines)} lines; a file has one subject and at most {LINES_MAX} lines: split it")


def sleeps(tree):
    """Waiting is for a condition, a queue or the clock in io::Env; a test that sleeps is flaky or slow."""
    yield from _in_code(tree, r"\b(sleep_for|sleep_until|(u|nano|clock_nano)?sleep\s*\()", "sleeps; wait for a condition or use io::Clock",
                        lambda file: file.path != "src/io/internal/real_clock.cc")


def effects(tree):
    """Every effect goes through io::Env, so that the simulator can run it. The worker process lives outside of it."""
    free = ("src/io/", "src/query/worker/")

    def judged(file):
        return file.path.startswith("src/") and not file.path.startswith(free) and not file.is_test
    yield from _in_code(tree, r"\bstd::j?thread\b(?!::)", "starts a thread; use io::Threads", judged)
    yield from _in_code(tree, r"(?<![\w>])::(open|openat|creat|fopen)\s*\(", "opens a file; use io::FileSystem", judged)
    yield from _in_code(tree, r"\bstd::[io]?fstream\b|\bfopen\s*\(", "opens a file; use io::FileSystem", judged)
    yield from _in_code(tree, r"\b(system_clock|steady_clock|high_resolution_clock)\b", "reads a clock; use io::Clock", judged)
    yield from _in_code(tree, r"\brandom_device\b", "asks for randomness; use io::Random", judged)


def prefetches(tree):
    """g++ 12 drops calls of functions that only prefetch."""
    yield from _in_code(tree, r"\b(__builtin|_mm)_prefetch\b", "may be compiled to nothing; use base::Prefetch", lambda file: True)


def skipped_tests(tree):
    yield from _anywhere(tree, r"\bGTEST_SKIP\b|\bDISABLED_\w|\bpytest\.(skip|xfail|importorskip)\b|\bmark\.(skip|skipif|xfail)\b|\bunittest\.skip",
                         "skips a test; a test runs or is not there", (".cc", ".h", ".py"))


def machine_paths(tree):
    """No path of the machine where it was written."""
    yield from _anywhere(tree, r"(?<![\w.])/(work|root|home)/\w", "names a folder of somebody's machine", _CODE + (".md", ".txt", ".json", ".toml", ".yaml"))
    for file in tree.sources:
        if not file.is_test:
            yield from (Violation(file.path, n, "writes into /tmp; use the data directory or io::FileSystem") for n in file.find(r'"/tmp\b'))


def markdown_titles(tree):
    """A page has one title."""
    for file in tree.files:
        if file.path.endswith(".md"):
            titles, fenced = [], False
            for n, line in enumerate(file.lines, 1):
                fenced ^= line.lstrip().startswith("```")
                if not fenced and line.startswith("# "):
                    titles.append(n)
            if len(titles) != 1:
                yield Violation(file.path, titles[1] if titles else 1, f"a page has exactly one title (# ...), this one has {len(titles)}")


def _anywhere(tree, pattern, sentence, endings):
    for file in tree.files:
        if file.path.endswith(endings) and not file.path.startswith(_SELF):
            yield from (Violation(file.path, n, sentence) for n in file.find(pattern))


def _in_code(tree, pattern, sentence, judged):
    for file in tree.files:
        if file.is_cpp and judged(file):
            yield from (Violation(file.path, n, sentence) for n in file.find(pattern, file.code))


RULES = {
    "licence line": license_line,
    "pragma once": pragma_once,
    "leftovers": leftovers,
    "file length": length,
    "sleeps": sleeps,
    "effects": effects,
    "prefetches": prefetches,
    "skipped tests": skipped_tests,
    "machine paths": machine_paths,
    "markdown titles": markdown_titles,
    "ranks": includes.ranks,
    "doors": includes.doors,
    "banned includes": includes.banned,
    "heavy includes": includes.heavy,
    "include cycles": includes.cycles,
}
