# SPDX-License-Identifier: Apache-2.0
"""Getting peers from package registries, through their own clients, into .deps/peers. Versions are pinned in the files beside this one and
every file is compared with its checksum; a second run only looks at stamps. Debian's packages are installed by ./x (tools/packages.txt)."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from machine import ROOT
from rounds import NotRun

HERE = pathlib.Path(__file__).parent
FOLDER = ROOT / ".deps" / "peers"
_MAVEN_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"


def debian(command, package, *folders):
    """The path of a command that a Debian package brings."""
    found = shutil.which(command, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))
    if found is None:
        raise NotRun(f"{command} is missing (Debian's package {package}; ./x bench installs it)")
    return found


def jars(name):
    """A folder with the jars of <name>.pom.xml and all that they need. <name>.sha256 lists them."""
    def fill(folder):
        repository = FOLDER / "maven"
        _client("mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={repository}", "-f", HERE / f"{name}.pom.xml",
                f"{_MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}")
        _compare(folder, HERE / f"{name}.sha256")
    return _filled(name, [HERE / f"{name}.pom.xml", HERE / f"{name}.sha256"], fill)


def python(name):
    """A folder for PYTHONPATH with the packages of <name>.txt, hashes in it."""
    requirements = HERE / f"{name}.txt"
    return _filled(name, [requirements], lambda folder: _client(
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--target", folder, "-r", requirements))


def go_program(name):
    """The program in the Go module <name>_go/, or one that it requires. go.sum has the checksums."""
    module = HERE / f"{name}_go"
    def fill(folder):
        environment = {"GOBIN": str(folder), "GOFLAGS": "-mod=readonly", "GOPATH": str(FOLDER / "go"), "GOCACHE": str(FOLDER / "go-cache")}
        _client("go", "install", ".", *(module / "programs.txt").read_text().split(), cwd=module, **environment)
        _client("go", "clean", "-modcache", **environment)
        shutil.rmtree(FOLDER / "go-cache", ignore_errors=True)
    return _filled(name, sorted(module.iterdir()), fill)


def _filled(name, recipe, fill):
    """The folder of that name, filled anew when its recipe changed."""
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in recipe)).hexdigest()
    folder = FOLDER / name
    if (folder / ".stamp").exists() and (folder / ".stamp").read_text() == stamp:
        return folder
    print(f"    installing {name}", file=sys.stderr, flush=True)
    fresh = FOLDER / f"{name}.new"
    for old in (fresh, folder):
        shutil.rmtree(old, ignore_errors=True)
    fresh.mkdir(parents=True)
    fill(fresh)
    (fresh / ".stamp").write_text(stamp)
    fresh.rename(folder)
    return folder


def _compare(folder, sums):
    wanted = dict(reversed(line.split()) for line in sums.read_text().splitlines() if line)
    found = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("*.jar")}
    if wanted != found:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise NotRun(f"{', '.join(wrong[:3])} is not what {sums.name} says")


def _client(*command, cwd=None, **environment):
    try:
        subprocess.run([str(c) for c in command], check=True, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=1800)
    except FileNotFoundError as missing:
        raise NotRun(f"{command[0]} is not installed") from missing
    except subprocess.CalledProcessError as failed:
        words = [line for line in failed.stdout.splitlines() if line.strip()]
        raise NotRun(f"{command[0]}: {words[-1] if words else failed.returncode}") from failed
