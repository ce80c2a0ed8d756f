# SPDX-License-Identifier: Apache-2.0
"""Preflight: can this machine build and run Sluice? Every refusal says what to do."""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import platform
import shutil
import signal

from x import console, paths

CPU_FLAGS = ["avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"]  # of x86-64-v3, as /proc/cpuinfo spells them
GLIBC_MIN = (2, 36)
PYTHON = (3, 11)
JOB_BYTES = 1.5 * 2**30      # what one compiler may take: duckdb.hpp with optimization
MEMORY_BYTES_MIN = 2 * 2**30
DISK_BYTES_MIN = 3 * 10**9   # .deps 0.8 GB, one build 1-2 GB


def check():
    """Raises console.Failure with the first thing that is wrong."""
    _check_cpu()
    _check_libraries()
    _check_memory()
    _check_disk()


def jobs():
    """How many compilers may run at once: one a core, one per 1.5 GiB of memory."""
    return max(1, min(len(os.sched_getaffinity(0)), int(memory_bytes() / JOB_BYTES)))


def memory_bytes():
    """Memory of the machine or of the container, whichever is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = pathlib.Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None)


def die_with_parent():
    """For preexec_fn: the child ends when ./x does, also by kill -9, and does not go on writing where the next ./x writes."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@contextlib.contextmanager
def alone(folder):
    """One ./x at a time writes into `folder`; another one waits, and says so."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.say(f"    waiting for another ./x, which writes into {folder.relative_to(paths.ROOT)}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_cpu():
    if platform.machine() != "x86_64":
        raise console.Failure(f"this CPU is {platform.machine()}; Sluice needs x86-64 (its prebuilt Arrow and DuckDB are x86-64). Use such a machine.")
    flags = pathlib.Path("/proc/cpuinfo").read_text().partition("flags")[2].partition("\n")[0].split()
    missing = [flag for flag in CPU_FLAGS if flag not in flags]
    if missing:
        raise console.Failure(
            f"this CPU lacks {', '.join(missing)}; Sluice is compiled for x86-64-v3 (AVX2, 2013 and later). "
            "In a virtual machine, pass the host's CPU through (QEMU: -cpu host); otherwise use a newer machine.")


def _check_libraries():
    found = os.confstr("CS_GNU_LIBC_VERSION") or "no glibc"
    version = tuple(int(n) for n in found.split()[-1].split(".")[:2]) if found.startswith("glibc ") else (0, 0)
    if version < GLIBC_MIN:
        raise console.Failure(f"the C library is {found}; Sluice needs glibc 2.36 or newer. Use Debian 12, or a container of debian:12.")
    if platform.python_version_tuple()[:2] != tuple(str(n) for n in PYTHON):
        raise console.Failure(f"/usr/bin/python3 is {platform.python_version()}; the pinned packages are for Python 3.11. Use Debian 12, or a container of debian:12.")


def _check_memory():
    if memory_bytes() < MEMORY_BYTES_MIN:
        raise console.Failure(f"{memory_bytes() / 2**30:.1f} GiB of memory; one compiler needs up to 1.5 GiB. Give the machine 2 GiB or more (4 GiB builds well).")


def _check_disk():
    free = shutil.disk_usage(paths.ROOT).free
    built = paths.BUILD.exists() and paths.DEPS.exists()  # then the space is spent already
    if free < DISK_BYTES_MIN and not built:
        raise console.Failure(f"{console.size(free)} free on the disk of {paths.ROOT}; dependencies and one build take about 3 GB. Free some, or clone elsewhere.")
