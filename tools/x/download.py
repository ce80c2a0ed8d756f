# SPDX-License-Identifier: Apache-2.0
"""Brings one pinned artefact into .deps/downloads through the registry's own client. A finished one is not fetched again, and what
pip or npm had got of another when it was interrupted is not asked for again (resume.py). Maven begins a file anew."""
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

from x import console, machine, paths, resume

TRIES = 3
_MAVEN_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
LOG = paths.DEPS / "client.log"  # what pip or npm said last


@dataclasses.dataclass(frozen=True)
class Artefact:
    client: str   # wheel, source, npm, maven
    package: str
    file: str
    sha256: str

    @property
    def path(self):
        return paths.DOWNLOADS / self.file


def artefacts():
    """name -> Artefact, from tools/artefacts.toml."""
    pins = tomllib.loads((paths.TOOLS / "artefacts.toml").read_text())
    return {name: Artefact(**pin) for name, pin in pins.items()}


def get(artefact):
    """Returns the path of the verified file. Raises console.Failure when it cannot be had or is not what was pinned."""
    if artefact.path.exists():
        if resume.sha256_of(artefact.path) == artefact.sha256:
            return artefact.path
        console.say(f"    {artefact.file}: not what tools/artefacts.toml says, so it was thrown away")
        artefact.path.unlink()
    paths.DOWNLOADS.mkdir(parents=True, exist_ok=True)
    with console.phase(f"download {artefact.package}") as progress:
        for attempt in range(1, TRIES + 1):
            if _try(artefact, progress, last=attempt == TRIES):
                break
        progress.detail = console.size(artefact.path.stat().st_size)
    return artefact.path


def _try(artefact, progress, last):
    """One attempt. False: it failed, try again. On the last one it raises."""
    with scratch() as folder:
        result = client(_command(artefact, folder), progress)
        found = folder / artefact.file
        if found.exists() and resume.sha256_of(found) == artefact.sha256:
            os.replace(found, artefact.path)
            return True
        if found.exists() or "DO NOT MATCH THE HASHES" in result.output:
            problem = (f"{artefact.file}: wrong checksum, so it was thrown away. It must be sha256 {artefact.sha256}"
                       f"{', it is ' + resume.sha256_of(found) if found.exists() else ''}. A proxy or mirror may have changed the file; "
                       "if not, someone changed the package: do not use it.")
        else:
            client_name = artefact.client if artefact.client in ("npm", "maven") else "pip"
            problem = f"could not download {artefact.package}: {result.reason}. {advice(client_name, result.reason)}"
    if last or untrusted(result.reason):
        raise console.Failure(problem)
    console.say(f"    {problem.split('. ')[0]}; trying again")
    return False


def _command(artefact, folder):
    if artefact.client == "npm":
        return [sys.executable, paths.TOOLS / "x" / "resuming_npm.py", paths.PARTS / artefact.file, artefact.sha256, artefact.package, folder]
    if artefact.client == "maven":
        return ["mvn", "--quiet", "--batch-mode", f"-Dmaven.repo.local={paths.CACHE / 'maven'}", f"{_MAVEN_DEPENDENCY_PLUGIN}:copy",
                f"-Dartifact={artefact.package}", f"-DoutputDirectory={folder}"]
    # pip checks the hash, too, and before it runs anything: of a source package it asks the metadata, whose makers
    # (the build backend) are in requirements.txt with their own hashes, hence no isolation.
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{artefact.package} --hash=sha256:{artefact.sha256}\n")
    kind = ["--only-binary", ":all:"] if artefact.client == "wheel" else ["--no-binary", ":all:", "--no-build-isolation"]
    return [*pip(paths.VENV_PYTHON), "download", "--quiet", "--no-deps", "--require-hashes", *kind, "--dest", folder, "-r", requirement]


def pip(python):
    """The pip of that Python, whose downloads go on where they stopped."""
    return [python, paths.TOOLS / "x" / "resuming_pip.py", paths.PARTS]


def kept():
    """The sizes of the files, whole or not, that an interrupted run has left."""
    return [file.stat().st_size for file in paths.PARTS.glob("*") if file.stat().st_size > 0]


@dataclasses.dataclass(frozen=True)
class ClientResult:
    code: int
    output: str

    @property
    def reason(self):
        """What went wrong, in the client's words. pip ends with a package that it found nowhere, Maven with where to read more; why
        stands before."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        broken = re.findall(r"connection broken by '(.*)': |\[ERROR\] (?:.*transfer failed for \S+: )?(.*) -> \[Help", self.output)
        broken = [pip_says or maven_says for pip_says, maven_says in broken]
        errors = [line for line in lines if "err" in line.lower()]
        return (broken or errors or lines or [f"it ended with exit code {self.code}"])[-1].rstrip(".")


_CERTIFICATE_SETTINGS = {"pip": "PIP_CERT=FILE", "npm": "npm_config_cafile=FILE", "maven": "MAVEN_OPTS=-Djavax.net.ssl.trustStore=FILE"}


def untrusted(reason):
    """A certificate: another try changes nothing."""
    return "certificate" in reason.lower()


def advice(client_name, reason):
    """What to do about a failed download."""
    if untrusted(reason):
        check = (f"{client_name} does not trust the server's certificate; if a proxy shows one of its own, name the file of its "
                 f"authority ({_CERTIFICATE_SETTINGS[client_name]}, or as {client_name} is configured elsewhere)")
    else:
        check = f"Check the network, or the proxy and mirror that {client_name} is configured with"
    return f"{check}. All it said: {LOG.relative_to(paths.ROOT)}. ./x fetch goes on where it stopped."


def client(command, progress):
    """Runs pip, npm or Maven with caches inside .deps and everything else (mirrors, proxies, certificates) as the user configured it."""
    environment = dict(
        os.environ, PIP_NO_CACHE_DIR="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_PROGRESS_BAR="off",
        PYTHONDONTWRITEBYTECODE="1", npm_config_cache=str(paths.CACHE / "npm"), npm_config_update_notifier="false", npm_config_loglevel="error",
        TMPDIR=str(paths.SCRATCH),
        RUSTUP_HOME=str(paths.SCRATCH),  # pip asks rustc its version, and where that is rustup's, it writes a file first
        SKBUILD_CMAKE_VERSION=">=3.25",  # asking DuckDB's source package its metadata looks for a CMake, and does not run it
        PATH=f"{paths.VENV / 'bin'}:{os.environ['PATH']}")
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile("w+", dir=paths.SCRATCH, errors="replace") as output:
        before = bytes_below(paths.DEPS)
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=paths.SCRATCH,
                                   preexec_fn=machine.die_with_parent)
        while True:
            try:
                code = process.wait(timeout=progress.TERMINAL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                progress.show(f"{console.size(max(0, bytes_below(paths.DEPS) - before))} on disk")
        output.seek(0)
        result = ClientResult(code, output.read())
    LOG.write_text(result.output)
    return result


def scratch():
    """A folder below .deps/tmp that is gone afterwards. On the same file system as the downloads, so that files can be moved."""
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    return _Scratch()


class _Scratch:
    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(dir=paths.SCRATCH))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def bytes_below(folder):
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.stat(os.path.join(where, name)).st_size
            except OSError:
                pass  # gone meanwhile
    return total
