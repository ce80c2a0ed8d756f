# SPDX-License-Identifier: Apache-2.0
"""./x test --sanitize thread|address [NAME...]: what is run, and where the sanitizers report."""
import dataclasses
import re

from x import console, paths

USAGE = "--sanitize thread|address [NAME...]"
PRESETS = {"thread": "tsan", "address": "asan"}

# Without names: the folders with threads of their own, and those that read what strangers or disks give; then the binary where most moves.
FOLDERS = {"thread": ["io", "log", "table", "ingest", "tier", "query", "front/http", "server"],
           "address": ["io", "event", "iceberg", "log", "table", "ingest", "tier", "query", "query/worker", "front/http", "server", "cli"]}
SUITES = {"thread": ["kill_under_load", "views", "duplicates", "pause_and_resume", "pressure", "stuck_table", "start", "bad_sql"],
          "address": ["bad_http", "bad_input", "bad_sql", "check", "restore"]}
# The first sees a worker run into the limit of its memory, which it has not here (query/worker/sandbox.h); the other measures the
# server's memory, most of which is the sanitizer's.
LEFT_OUT = ["test_bad_sql.py::test_statement_that_takes_all_memory_ends_alone_and_is_told_what_it_can_do",
            "test_bad_input.py::test_bomb_is_refused_in_bounded_memory"]

_TITLE = re.compile(r"(WARNING: ThreadSanitizer|ERROR: \w+Sanitizer|runtime error)")


@dataclasses.dataclass(frozen=True)
class Chosen:
    kind: str
    folders: list  # of src/: their unit tests
    suites: list   # files of tests/e2e

    @property
    def preset(self):
        return PRESETS[self.kind]

    @property
    def targets(self):
        fuzzed = [f for f in self.folders if any((paths.ROOT / "src" / f).rglob("*_fuzz.cc"))]
        return [f"{_program(f)}_test" for f in self.folders] + [f"{_program(f)}_fuzz" for f in fuzzed] + ["sluice"] * bool(self.suites)

    @property
    def pattern(self):
        """For ctest -R."""
        return "^(" + "|".join(_program(f) for f in self.folders) + ")(_fuzz)?$"

    @property
    def arguments(self):
        """For pytest."""
        return [*(str(paths.ROOT / "tests/e2e" / s) for s in self.suites), *(f"--deselect={test}" for test in LEFT_OUT)]

    def environment(self, folder):
        """Reports go to files: a server that is killed, or whose output nobody reads, has told them by then. Workers of SQL have neither
        environment nor files; their reports stand in what the server writes to stderr, which tests/e2e/conftest.py looks through."""
        to = f"log_path={folder / 'sanitizer'}"
        return {"TSAN_OPTIONS": to, "ASAN_OPTIONS": f"{to}:detect_leaks=1", "UBSAN_OPTIONS": f"{to}:print_stacktrace=1"}

    def unit_environment(self, folder):
        """The same; and ThreadSanitizer looks for orders of locks that may deadlock, which it cannot in what starts workers."""
        more = self.environment(folder)
        if "query/worker" not in self.folders:
            more["TSAN_OPTIONS"] += ":detect_deadlocks=1:second_deadlock_stack=1"
        return more

    def tell_reports(self, folder):
        """Prints the first line of each; returns how many there are."""
        count = 0
        for file in sorted(folder.glob("sanitizer.*")):
            titles = [line for line in file.read_text(errors="replace").splitlines() if _TITLE.search(line)]
            count += max(1, len(titles))
            console.say("\n".join([f"{file.relative_to(paths.ROOT)}:", *titles]))
        return count


def choose(words):
    """None: the words make no sense. Raises console.Failure for a name that is neither a folder with unit tests nor a file of tests/e2e."""
    if not words or words[0] not in PRESETS:
        return None
    kind, *names = words
    if not names:
        return Chosen(kind, FOLDERS[kind], [_file(s) for s in SUITES[kind]])
    folders = [n for n in names if any(any((paths.ROOT / "src" / n).glob(tests)) for tests in ("*_test.cc", "internal/*_test.cc"))]
    suites = [n for n in names if (paths.ROOT / "tests/e2e" / _file(n)).exists()]
    for name in names:
        if name not in folders and name not in suites:
            raise console.Failure(f"{name} is neither a folder of src/ with unit tests nor a file tests/e2e/test_{name}.py.", exit_code=2)
    return Chosen(kind, folders, [_file(s) for s in suites])


def _program(folder):
    return folder.replace("/", "_")


def _file(suite):
    return f"test_{suite}.py"
