#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the rules: each one must find what is planted for it, and say nothing about a tree that is in order."""
import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import rules
import tree

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "#pragma once\n"

IN_ORDER = {
    "src/folders.txt": "# a table\nbase 0\nio 1\nevent 2\nschema 2\nquery 5\nquery/worker 5 duckdb\ncli 9\n",
    "src/base/result.h": HEADER + "// A header that tells of std::thread, system_clock and sleep_for( in a comment.\n",
    "src/base/internal/own.h": HEADER,
    "src/base/result.cc": SPDX + '#include "base/result.h"\n#include "base/internal/own.h"\nconst char* kWord = "sleep_for(";\n',
    "src/io/clock.cc": SPDX + '#include <chrono>\n#include "base/result.h"\nauto now = std::chrono::system_clock::now();\n',
    "src/event/README.md": "# event\n\n## Door\n\n- `event_batch.h`: the columns\n\nNot `secret.h`.\n\n```\n# no title\n```\n",
    "src/event/event_batch.h": HEADER,
    "src/event/secret.h": HEADER,
    "src/query/protocol.h": HEADER + '#include "event/event_batch.h"\n',
    "src/query/worker/scan.h": HEADER + '#include "duckdb.hpp"\n#include "query/protocol.h"\n',
    "src/cli/main.cc": SPDX + '#include <iostream>\n#include "query/worker/scan.h"\n',
    "tools/x/one.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n",
}

# rule -> plants, each a file with exactly one violation
PLANTED = {
    "licence line": [("src/base/a.h", "#pragma once\n"), ("tools/x/two.py", "import os\n"), ("src/base/b.cc", "\n" + SPDX)],
    "pragma once": [("src/base/a.h", SPDX)],
    "leftovers": [("src/base/a.cc", SPDX + "// TO" + "DO: more\n"), ("tools/x/two.py", SPDX.replace("//", "#") + "# FIX" + "ME\n")],
    "file length": [("src/base/a.cc", SPDX + "\n" * rules.LINES_MAX)],
    "sleeps": [("src/base/a_test.cc", SPDX + "std::this_thread::sleep_for(x);\n"), ("src/io/a.cc", SPDX + "usleep(5);\n")],
    "effects": [("src/event/a.cc", SPDX + body) for body in (
        "std::thread t;\n", "int f = ::open(p);\n", "std::ifstream in(p);\n", "auto t = std::chrono::system_clock::now();\n", "std::random_device r;\n")],
    "prefetches": [("src/log/a.h", HEADER + "void Prefetch(const char* at) { __builtin_prefetch(at); }\n")],
    "skipped tests": [("src/base/a_test.cc", SPDX + "GTEST_" + "SKIP();\n"), ("tests/e2e/test_a.py", SPDX.replace("//", "#") + "@pytest.mark.sk" + "ip\n")],
    "machine paths": [("docs/a.md", "# a\n\nSee /wo" + "rk/main.\n"), ("src/base/a.cc", SPDX + 'Open("/t' + 'mp/x");\n')],
    "markdown titles": [("docs/a.md", "no title\n"), ("docs/b.md", "# one\n\n# two\n")],
    "ranks": [("src/base/a.cc", SPDX + '#include "event/event_batch.h"\n'), ("src/schema/a.cc", SPDX + '#include "event/event_batch.h"\n'),
              ("src/query/a.cc", SPDX + '#include "query/worker/scan.h"\n'), ("src/cli/shell.cc", SPDX + '#include "query/worker/scan.h"\n')],
    "doors": [("src/query/a.cc", SPDX + '#include "event/secret.h"\n'), ("src/query/a.cc", SPDX + '#include "base/internal/own.h"\n')],
    "banned includes": [("src/query/a.cc", SPDX + "#include <" + name + ">\n") for name in ("regex", "iostream", "spdlog/spdlog.h")],
    "heavy includes": [("src/query/a.cc", SPDX + '#include "duckdb.hpp"\n'), ("src/query/a.cc", SPDX + '#include "duckdb/main/config.hpp"\n'),
                       ("src/query/a.h", HEADER + "#include <arrow/array.h>\n"), ("src/query/a.h", HEADER + '#include "parquet/types.h"\n')],
    "include cycles": [("src/base/result.h", HEADER + '#include "base/result.h"\n')],
}


def violations(files):
    """{rule: [Violation]} of a tree made of `files`, without the rules that have nothing to say."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            target = pathlib.Path(folder) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        planted = tree.Tree(folder, files)
        found = {name: list(rule(planted)) for name, rule in rules.RULES.items()}
    return {name: list_ for name, list_ in found.items() if list_}


def cases():
    """(what is claimed, holds)"""
    yield "a tree in order has no violation", violations(IN_ORDER) == {}
    yield "every rule has a plant", set(PLANTED) == set(rules.RULES)
    for rule, plants in PLANTED.items():
        for path, text in plants:
            found = violations(IN_ORDER | {path: text})
            yield f"{rule}: {path} {text[-40:]!r} is found, once, at its place, and by no other rule", (
                list(found) == [rule] and [v.path for v in found[rule]] == [path])


def main():
    results = list(cases())
    for claim, holds in results:
        if not holds:
            print(f"not so: {claim}")
    failed = sum(not holds for _, holds in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
