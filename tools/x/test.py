# SPDX-License-Identifier: Apache-2.0
"""./x test: the tree's own rules, every unit test, the simulator, the real binary, and how it bears faults. Ends with 'N passed, N failed'.

Apart: `./x test engines`, where other engines read tables of the real binary (it needs Java and some 700 MB more in .deps), and
`./x test --sanitize thread|address`, which is in sanitize.py.
"""
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

from x import build, console, fetch, machine, paths, sanitize

UNIT_SECONDS_MAX = 300   # for one test binary or program
E2E_SECONDS_MAX = 900    # for all of tests/e2e, or of tests/engines
SANITIZED_SECONDS_MAX = 3600  # for either, with a sanitizer
JAVA_HOME = "/usr/lib/jvm/java-17-openjdk-amd64"  # of Debian's openjdk-17-jre-headless; Spark 3.5 knows no newer one
REPORTS = paths.BUILD / "reports"
SCRATCH = paths.BUILD / "tmp"  # TMPDIR of the tests: on a real disk, inside the clone


class Score:
    """Test cases, whoever ran them. A skipped case counts as failed: there is no reason to skip in this project."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, passed, failed):
        self.passed += passed
        self.failed += failed
        return f"{passed} passed, {failed} failed"


def run(command, arguments):
    offline = "--offline" in arguments
    words = [a for a in arguments if a != "--offline"] or ["all"]
    chosen = sanitize.choose(words[1:]) if words[0] == "--sanitize" else None
    if not chosen and words not in (["all"], ["fast"], ["engines"]):
        raise console.Failure(f"usage: ./x {command} [all|fast|engines|{sanitize.USAGE}] [--offline]", exit_code=2)
    fetch.ensure(offline, engines=words == ["engines"])
    score = Score()
    for folder in (REPORTS, SCRATCH):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    if chosen:
        _sanitized(score, chosen, offline)
    elif words == ["engines"]:
        engines = paths.DEPS / "engines"
        _real_binary(score, "engines", build.build("release", ("sluice",), offline), JAVA_HOME=JAVA_HOME, PYTHONPATH=str(engines / "python"), SLUICE_ENGINES=str(engines))
    else:
        _rules(score)
        debug = build.build("debug", offline=offline)
        _unit_tests(score, debug)
    if words == ["all"]:
        release = build.build("release", offline=offline)  # all of it: the programs of the benchmarks have to build, too
        _simulator(score, release)
        _real_binary(score, "e2e", release)
        _real_binary(score, "faults", release)
    print(f"{score.passed} passed, {score.failed} failed", flush=True)
    return 1 if score.failed > 0 or score.passed == 0 else 0


def _sanitized(score, chosen, offline):
    """The same tests in an instrumented build, several times slower. A report counts as failed, even if its test passed."""
    built = build.build(chosen.preset, chosen.targets, offline)
    if chosen.folders:
        _unit_tests(score, built, ["-R", chosen.pattern], SANITIZED_SECONDS_MAX, **chosen.unit_environment(REPORTS))
    if chosen.suites:
        _real_binary(score, "e2e", built, chosen.arguments, SANITIZED_SECONDS_MAX, **chosen.environment(REPORTS))
    score.add(0, chosen.tell_reports(REPORTS))


def _rules(score):
    """The tidy test, its own test, and that of ./x: each is a program whose last line is 'N passed, N failed'."""
    tests = paths.ROOT / "tests"
    for program in sorted([*(tests / "tidy").glob("*_main.py"), *(tests / "tools").glob("*_main.py")]):
        with console.phase(str(program.relative_to(paths.ROOT))) as progress:
            try:
                output = subprocess.run([sys.executable, program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=UNIT_SECONDS_MAX).stdout
            except subprocess.TimeoutExpired:
                output = f"it took longer than {UNIT_SECONDS_MAX} s and was stopped\n0 passed, 1 failed"
            *lines, last = output.splitlines() or ["0 passed, 1 failed"]
            console.say("\n".join(lines)) if lines else None
            words = last.split()
            counted = len(words) == 4 and words[0].isdigit() and words[2].isdigit()
            progress.detail = score.add(int(words[0]), int(words[2])) if counted else score.add(0, 1)


def _unit_tests(score, built, only=(), seconds_max=UNIT_SECONDS_MAX, **more):
    """CTest runs the binaries side by side and prints the output of those that fail; GoogleTest's reports have the cases."""
    with console.phase("unit tests") as progress:
        reports, summary = REPORTS / "unit", REPORTS / "ctest.xml"
        reports.mkdir()
        command = ["ctest", "--test-dir", built, "--output-on-failure", "--no-tests=ignore", "--timeout", str(seconds_max),
                   "-j", str(machine.jobs()), "--output-junit", summary, *only]
        result = subprocess.run(command, env=_environment(GTEST_OUTPUT=f"xml:{reports}/", **more), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if result.returncode != 0:
            console.say(result.stdout)
        progress.detail = score.add(*_unit_cases(reports, summary))


def _unit_cases(reports, summary):
    """(passed, failed): the cases of each binary; a binary that crashed, hung or reports no cases counts as one."""
    if not summary.exists():
        return 0, 1
    passed = failed = 0
    for program in xml.parse(summary).iter("testcase"):
        good, bad = _cases(reports / f"{program.get('name')}_test.xml")
        ended_well = program.get("status") == "run"
        passed += good + (ended_well and good + bad == 0)
        failed += bad + (not ended_well and bad == 0)
    return passed, failed


def _simulator(score, built):
    """Hundreds of seeds of the simulator; `./x sim` runs more. Of the release build: the same runs, several times as fast."""
    program = built / "sluice_sim"
    with console.phase("simulator") as progress:
        good = subprocess.run([program, "--smoke"], env=_environment(), stdin=subprocess.DEVNULL, timeout=E2E_SECONDS_MAX).returncode == 0
        progress.detail = score.add(int(good), int(not good))


def _real_binary(score, suite, built, only=(), seconds_max=E2E_SECONDS_MAX, **more):
    """Drives the binary of `built` from Python: crashes, clients, independent readers. `only`: pytest's arguments, instead of the whole suite."""
    folder = paths.ROOT / "tests" / suite
    with console.phase(f"tests/{suite}") as progress:
        report = REPORTS / f"{suite}.xml"
        environment = _environment(SLUICE_BINARY=str(built / "sluice"), SLUICE_DATASETS=str(paths.DEPS / "datasets"), PYTHONDONTWRITEBYTECODE="1", **more)
        command = [paths.VENV_PYTHON, "-m", "pytest", *(only or [folder]), "-q", "--rootdir", folder, "-p", "no:cacheprovider",
                   "--basetemp", REPORTS / suite, f"--junitxml={report}"]
        code = _run_bounded(command, environment, suite, seconds_max)
        passed, failed = _cases(report)
        if code != 0 and failed == 0:
            failed = 1
        progress.detail = score.add(passed, failed)


def _environment(**more):
    return {**os.environ, "TMPDIR": str(SCRATCH), "TZ": "UTC", **more}


def _run_bounded(command, environment, suite, seconds_max):
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd=paths.ROOT, start_new_session=True)
    try:
        return process.wait(timeout=seconds_max)
    except (subprocess.TimeoutExpired, KeyboardInterrupt) as reason:
        os.killpg(process.pid, 9)
        process.wait()
        if isinstance(reason, KeyboardInterrupt):
            raise
        console.say(f"    tests/{suite} took longer than {seconds_max} s and was stopped")
        return 1


def _cases(reports):
    """(passed, failed) over JUnit-shaped reports: one file, or all of a folder."""
    files = sorted(reports.glob("*.xml")) if reports.is_dir() else [reports] if reports.exists() else []
    passed = failed = 0
    for file in files:
        for case in xml.parse(file).iter("testcase"):
            if case.get("status") == "notrun" or any(case.find(kind) is not None for kind in ("failure", "error", "skipped")):
                failed += 1
            else:
                passed += 1
    return passed, failed
