# SPDX-License-Identifier: Apache-2.0
"""The table of commands, and nothing else that is about a single command."""
import dataclasses
import difflib
import importlib
import pathlib
import subprocess

from x import console


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    arguments: str
    meaning: str
    module: str  # x.<module>.run(name, arguments: list[str]) -> exit code; helper(name) -> what tells its own options, where there is something


COMMANDS = [
    Command("build", "[release|debug|asan|tsan] [--offline]", "build everything; release leaves build/release/sluice", "build"),
    Command("test", "[all|fast|engines|--sanitize KIND] [--offline]", "run every test; fast = unit tests, tidy; engines = DuckDB, Spark; KIND = thread|address", "test"),
    Command("fmt", "[--all] [FILE...]", "format the C++ files that changed", "fmt"),
    Command("check", "[FILE...]", "tidy test, format and clang-tidy of the files that changed", "check"),
    Command("run", "[ARGUMENT...]", "build, then run sluice with the arguments", "launch"),
    Command("demo", "[--data DIR] [--listen HOST:PORT] [--once]", "from an empty machine to SQL over a week of earthquakes", "demo"),
    Command("bench", "[NAME...] [--list] [--report FILE]", "build, then measure beside peers and physical probes", "bench"),
    Command("sim", "[--seed N] [ARGUMENT...]", "build, then run the simulator", "launch"),
    Command("coverage", "[--lines] [--keep] [ARGUMENT...]", "build, then count which lines of log/, table/, tier/, iceberg/ the simulator reaches", "coverage"),
    Command("fuzz", "[NAME...] [--minutes N]", "build with libFuzzer and sanitizers, then look for inputs that break a decoder; a minute each", "fuzz"),
    Command("overload", "[NAME...] [--minutes N]", "build, then measure under more load than there should be; soak for memory", "overload"),
    Command("faults", "[--kills N] [--cuts N] [--errors N] [--flips N] [--edges] [--seed N]", "build, then kill the real binary, cut its power, fail its calls", "launch"),
    Command("fetch", "[engines] [--offline]", "download and unpack the pinned dependencies into .deps; engines = Spark, too", "fetch"),
    Command("install", "--prefix DIR", "make a tree that runs without this clone", "install"),
    Command("clean", "[--all]", "remove build/; with --all .deps/, too", "clean"),
    Command("help", "", "this list", "commands"),
]


def main(arguments):
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        return print_help()
    command = next((c for c in COMMANDS if c.name == name), None)
    if command is None:
        near = difflib.get_close_matches(name, [c.name for c in COMMANDS], n=1, cutoff=0.0)
        console.say(f'./x: there is no command "{name}"; did you mean ./x {near[0]}? ./x help lists all.')
        return 2
    try:
        module = importlib.import_module(f"x.{command.module}")
        if arguments[1:2] in (["-h"], ["--help"]):
            return print_help_of(command, module)
        return module.run(name, arguments[1:])
    except console.Failure as failure:
        console.say(f"./x {name}: {failure}")
        return failure.exit_code
    except KeyboardInterrupt:
        console.say(f"./x {name}: stopped; the same command goes on where this one ended.")
        return 130


def print_help_of(command, module):
    """Nothing is built for it: a program that is there tells its own options."""
    print(f"usage: ./x {command.name} {command.arguments}\n\n  {command.meaning}\n", flush=True)
    if not hasattr(module, "helper"):
        return 0
    program = [str(word) for word in module.helper(command.name)]
    if all(pathlib.Path(word).exists() for word in program):
        return subprocess.run([*program, "--help"]).returncode
    print(f"  More is told by ./x {command.name} --help once it is built: ./x build release")
    return 0


def print_help():
    width = max(len(c.name) + 1 + len(c.arguments) for c in COMMANDS)
    print("usage: ./x COMMAND\n")
    for c in COMMANDS:
        print(f"  {(c.name + ' ' + c.arguments):{width}}  {c.meaning}")
    return 0
