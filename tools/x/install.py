# SPDX-License-Identifier: Apache-2.0
"""./x install --prefix DIR: bin/sluice and, in lib/sluice, every library that it needs except glibc's own.

The tree can be moved, and runs on any Debian 12 (glibc 2.36), also after the clone is gone: the binary looks for its
libraries beside itself (CMake rewrites its run path while installing).
"""
import os
import pathlib
import re
import shutil
import subprocess

from x import build, console, paths

# The parts of glibc, which must be the machine's own. libstdc++ and libgcc_s are not: a small Debian may lack them.
GLIBC = ("libc.so", "libm.so", "libmvec.so", "libpthread.so", "libdl.so", "librt.so", "libresolv.so", "libutil.so", "libanl.so", "ld-linux-x86-64.so", "linux-vdso.so")


def run(command, arguments):
    prefix = _prefix(command, arguments)
    binary = build.build("release") / "sluice"
    if not binary.exists():
        raise console.Failure("the sluice binary is not part of the build yet, so there is nothing to install.")
    with console.phase(f"install into {prefix}") as progress:
        libraries = prefix / "lib" / "sluice"
        try:
            libraries.mkdir(parents=True, exist_ok=True)
            result = subprocess.run(["cmake", "--install", binary.parent, "--prefix", prefix, "--strip"], stdin=subprocess.DEVNULL,
                                    text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if result.returncode != 0:
                raise console.Failure(f"CMake could not install: {result.stdout.strip()}")
            for library in _needed(binary):
                shutil.copyfile(library, libraries / library.name)
                (libraries / library.name).chmod(0o755)
        except PermissionError as error:
            raise console.Failure(f"{error.filename} cannot be written: choose another --prefix, or run ./x install as a user who may.")
        _verify(prefix)
        count = len(list(libraries.iterdir()))
        progress.detail = f"{count} libraries, {console.size(sum(f.stat().st_size for f in prefix.glob('*/**/*') if f.is_file()))}"
    console.say(f"    run it with {prefix / 'bin' / 'sluice'}")
    return 0


def _prefix(command, arguments):
    words = [w for a in arguments for w in (a.split("=", 1) if a.startswith("--prefix=") else [a])]
    if len(words) != 2 or words[0] != "--prefix" or not words[1]:
        raise console.Failure(f"usage: ./x {command} --prefix DIR", exit_code=2)
    return pathlib.Path(words[1]).absolute()


def _needed(binary):
    """The files of all libraries that the dynamic linker would load, indirect ones included, under the names it looks for."""
    output = subprocess.run(["ldd", binary], check=True, text=True, stdout=subprocess.PIPE).stdout
    missing = re.findall(r"(\S+) => not found", output)
    if missing:
        raise console.Failure(f"{', '.join(missing)} cannot be found; ./x fetch, then ./x build again.")
    found = {name: pathlib.Path(path) for name, path in re.findall(r"(\S+) => (/\S+)", output) if not name.startswith(GLIBC)}
    return [path.with_name(name) for name, path in sorted(found.items())]


def _verify(prefix):
    """The tree must not know this clone, and must find every library inside itself or in glibc."""
    clone = os.fsencode(paths.ROOT) + b"/"
    for file in [prefix / "bin" / "sluice", *sorted((prefix / "lib" / "sluice").iterdir())]:
        if clone in file.read_bytes():
            raise console.Failure(f"{file} contains the path of this clone ({paths.ROOT}); this is a defect of ./x install, please report it.")
    output = subprocess.run(["ldd", prefix / "bin" / "sluice"], check=True, text=True, stdout=subprocess.PIPE).stdout
    outside = [path for name, path in re.findall(r"(\S+) => (\S+)", output)
               if not name.startswith(GLIBC) and not os.path.realpath(path).startswith(os.path.realpath(prefix) + "/")]
    if outside:
        raise console.Failure(f"the installed binary would load {', '.join(outside)}; this is a defect of ./x install, please report it.")
