# SPDX-License-Identifier: Apache-2.0
"""What the figures were measured on, and where."""
import os
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "release"
SCRATCH = ROOT / "build" / "bench"  # data directories: on the clone's disk, not in memory


def describe():
    """One line: processor, cores, memory, kernel."""
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown processor")
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return f"{model}, {os.cpu_count()} cores, {memory / 2**20:.0f} GiB, Linux {platform.release()}"


def commit():
    """The commit that was measured; with a + when the tree was changed since."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "bench", "CMakeLists.txt", "cmake")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")
