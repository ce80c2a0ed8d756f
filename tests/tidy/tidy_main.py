#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the tree against its own rules: each rule is a test case. Then prints how long files are."""
import pathlib
import statistics
import sys

sys.dont_write_bytecode = True

import rules
import tree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def main():
    repository = tree.of_repository(ROOT)
    failed = 0
    for name, rule in rules.RULES.items():
        violations = list(rule(repository))
        for violation in violations:
            print(f"{violation}  [{name}]")
        failed += bool(violations)
    print(figures(repository))
    print(f"{len(rules.RULES) - failed} passed, {failed} failed")
    return 1 if failed else 0


def figures(repository):
    lengths = sorted(len(f.lines) for f in repository.sources if not f.is_test) or [0]
    tests = sum(len(f.lines) for f in repository.files if f.is_cpp and f.is_test)
    p90 = lengths[int(len(lengths) * 0.9)] if len(lengths) > 1 else lengths[0]
    return (f"src: {len(lengths)} files, {sum(lengths)} lines; a file has {statistics.median(lengths):.0f} (median), {p90} (p90), "
            f"{lengths[-1]} (max) lines; tests in C++: {tests} lines")


if __name__ == "__main__":
    sys.exit(main())
