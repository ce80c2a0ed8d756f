# SPDX-License-Identifier: Apache-2.0
"""./x build: CMake and Ninja, with as many compilers as the memory bears."""
import os
import re
import subprocess
import sys

from x import console, fetch, machine, paths

PRESETS = ("release", "debug", "asan", "tsan")


def run(command, arguments):
    offline = "--offline" in arguments
    presets = [a for a in arguments if a != "--offline"] or ["release"]
    if len(presets) != 1 or presets[0] not in PRESETS:
        raise console.Failure(f"usage: ./x {command} [{'|'.join(PRESETS)}] [--offline]", exit_code=2)
    build(presets[0], offline=offline)
    return 0


def build(preset, targets=(), offline=False):
    """Configures and builds. Returns the build folder. Raises console.Failure when something does not compile."""
    folder = configured(preset, offline)
    jobs = machine.jobs()
    with console.phase(f"build {preset}") as progress, machine.alone(folder):
        if _ninja(["-C", folder, "-j", str(jobs), *targets], progress) != 0:
            raise console.Failure(f"the {preset} build failed; the compiler's words are above.")
        progress.detail = f"{jobs} jobs"
    return folder


def configured(preset, offline=False):
    """Fetches what is missing and lets CMake write build.ninja and compile_commands.json. Returns the build folder."""
    fetch.ensure(offline)
    folder = paths.BUILD / preset
    made, presets = folder / "build.ninja", paths.ROOT / "CMakePresets.json"
    with machine.alone(folder):
        if not made.exists() or made.stat().st_mtime < presets.stat().st_mtime:  # ninja itself sees to all other changes
            with console.phase(f"configure {preset}"):
                _configure(preset, folder)
    return folder


def _ninja(arguments, progress):
    """On a terminal ninja shows its own status line; a log gets the compiler's words and a sign of life now and then."""
    if sys.stderr.isatty():
        return subprocess.run(["ninja", *arguments], env=environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr,
                              preexec_fn=machine.die_with_parent).returncode
    process = subprocess.Popen(["ninja", *arguments], env=environment(), stdin=subprocess.DEVNULL, text=True, errors="replace",
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=machine.die_with_parent)
    for line in process.stdout:
        step = re.match(r"\[(\d+)/(\d+) ", line)
        if step:
            progress.show(f"{step[1]} of {step[2]}")
        elif not line.startswith(("ninja: Entering", "ninja: no work", "-- ")):
            console.say(line.rstrip())
    return process.wait()


def environment():
    """The user's environment, with the compiler's temporary files inside the clone, and ccache's folder unless the user has chosen another."""
    scratch = paths.BUILD / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    return {"CCACHE_DIR": str(paths.CACHE / "ccache"), **os.environ, "TMPDIR": str(scratch), "NINJA_STATUS": "[%f/%t %es] "}


def _configure(preset, folder):
    """CMake says only what is wrong; the rest is in CMakeFiles/CMakeOutput.log."""
    result = subprocess.run(["cmake", "--preset", preset, "-S", paths.ROOT], env=environment(), cwd=paths.ROOT, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode != 0:
        (folder / "build.ninja").unlink(missing_ok=True)
        console.say(result.stdout)
        raise console.Failure("CMake could not configure; its words are above. After a change of Debian packages, ./x clean helps.")
