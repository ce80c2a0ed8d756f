# SPDX-License-Identifier: Apache-2.0
"""./x fetch: makes .deps. Each part has a stamp with the hash of its recipe, so that a second run only compares stamps.

`./x fetch engines` makes one part more: the engines that ./x test engines and the demo's last lines need.
"""
import dataclasses
import hashlib
import os
import re
import shutil
import sys
import tarfile
import time
import typing
import zipfile

from x import console, download, elf, machine, paths

# Names that libparquet.so of the wheel exports and must not: its private OpenSSL (all of its C names) and simdjson.
_BUNDLED = re.compile(r"8simdjson|19simdjson_fast_float")
_DUCKDB_HEADERS = ("src/include/", "extension/parquet/include/", "third_party/parquet/", "third_party/thrift/", "third_party/fastpforlib/")


@dataclasses.dataclass(frozen=True)
class Part:
    """A folder of .deps: what it is made of, and the function that fills it."""
    name: str
    recipe: str                      # changes whenever the content would
    fill: typing.Callable            # fill(folder)
    in_place: bool = False           # cannot be moved after it was made

    @property
    def folder(self):
        return paths.DEPS / self.name

    def is_ready(self):
        stamp = self.folder / ".stamp"
        return stamp.exists() and stamp.read_text() == self.recipe


def run(command, arguments):
    offline, engines = "--offline" in arguments, "engines" in arguments
    if set(arguments) - {"--offline", "engines"}:
        raise console.Failure(f"usage: ./x {command} [engines] [--offline]", exit_code=2)
    if not ensure(offline, engines):
        console.say("fetch: everything is there")
    return 0


def ensure(offline=False, engines=False):
    """Makes each part of .deps that is missing or of another recipe. Returns how many it made.

    With `offline`, raises console.Failure instead of using the network. With `engines`, the other engines are wanted, too.
    """
    machine.check()
    if not (missing := _missing(engines)):
        return 0
    if offline:
        again = "./x fetch engines" if any(p.name == "engines" for p in missing) else "./x fetch"
        raise console.Failure(f"--offline, but .deps lacks {', '.join(p.name for p in missing)}. Run {again} once with the network.")
    with machine.alone(paths.DEPS):
        missing = _missing(engines)  # another ./x may have made them
        if kept := download.kept():
            console.say(f"    {len(kept)} files came before, whole or in part: {console.size(sum(kept))} are not asked for again")
        for part in missing:
            _make(part)
        for folder in (paths.PARTS, paths.CACHE / "npm", paths.CACHE / "maven", paths.SCRATCH):  # they only help an interrupted fetch
            shutil.rmtree(folder, ignore_errors=True)
    return len(missing)


def _missing(engines):
    return [part for part in _parts() + (_engine_parts() if engines else []) if not part.is_ready()]


def _parts():
    pins = download.artefacts()
    requirements = (paths.TOOLS / "requirements.txt").read_text()
    return [
        Part("venv", _hash(requirements, sys.version, str(paths.VENV)), _fill_venv, in_place=True),
        Part("arrow", _hash(pins["arrow"], _BUNDLED, (paths.TOOLS / "x" / "elf.py").read_text()), lambda folder: _fill_arrow(folder, pins["arrow"])),
        Part("duckdb", _hash(pins["duckdb_source"], pins["duckdb_library"], _DUCKDB_HEADERS),
             lambda folder: _fill_duckdb(folder, pins["duckdb_source"], pins["duckdb_library"])),
        Part("datasets", _hash(pins["vega_datasets"]), lambda folder: _fill_datasets(folder, pins["vega_datasets"])),
        Part("vectors", _hash(pins["json_test_suite"]), lambda folder: _fill_vectors(folder, pins["json_test_suite"])),
    ]


def _engine_parts():
    pins = download.artefacts()
    spark, jars = pins["spark"], [pins["spark_iceberg"], pins["spark_sqlite"]]
    requirements = (paths.TOOLS / "engines.txt").read_text()
    return [Part("engines", _hash(requirements, spark, jars, sys.version), lambda folder: _fill_engines(folder, spark, jars))]


def _make(part):
    """Fills a new folder and puts it in the place of the old one; the stamp comes last."""
    paths.DEPS.mkdir(exist_ok=True)
    target = part.folder if part.in_place else paths.DEPS / f"{part.name}.new"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    part.fill(target)
    (target / ".stamp").write_text(part.recipe)
    if not part.in_place:
        shutil.rmtree(part.folder, ignore_errors=True)
        os.rename(target, part.folder)


def _fill_venv(folder):
    with console.phase("Python packages of the tests") as progress:
        made = download.client([sys.executable, "-m", "venv", folder], progress)
        if made.code != 0:
            raise console.Failure(f"Python could not make {folder.relative_to(paths.ROOT)}: {made.reason} (all it said: {download.LOG.relative_to(paths.ROOT)})")
        _pip_install(folder / "bin" / "python", paths.TOOLS / "requirements.txt", progress)
        count = len(list((folder / "lib").glob("python*/site-packages/*.dist-info")))
        progress.detail = f"{count} packages, {console.size(download.bytes_below(folder))}"


def _fill_engines(folder, spark, jars):
    """python/ goes on PYTHONPATH of .deps/venv's Python; jars/ are what Spark needs to read Iceberg tables of a SQLite catalog."""
    source, files = download.get(spark), [download.get(jar) for jar in jars]
    with console.phase("engines for ./x test engines") as progress:
        _pip_install(paths.VENV_PYTHON, paths.TOOLS / "engines.txt", progress, "--no-deps", "--target", folder / "python")
        # The checksum was compared by download.get; what builds it is in requirements.txt, hence no isolation.
        command = [*download.pip(paths.VENV_PYTHON), "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", folder / "python", source]
        result = download.client(command, progress)
        if result.code != 0:
            raise console.Failure(f"pip could not install {spark.package}: {result.reason} (all it said: {download.LOG.relative_to(paths.ROOT)})")
        (folder / "jars").mkdir()
        for file in files:
            shutil.copy(file, folder / "jars")
        progress.detail = f"{len(list((folder / 'python').glob('*.dist-info')))} packages, {len(files)} jars"


def _pip_install(python, requirements, progress, *more):
    command = [*download.pip(python), "install", "--quiet", "--require-hashes", "--only-binary", ":all:", *more, "-r", requirements]
    for attempt in range(1, download.TRIES + 1):
        result = download.client(command, progress)
        if result.code == 0:
            break
        _report_pip(result, requirements.name, last=attempt == download.TRIES)


def _report_pip(result, requirements, last):
    """Says what pip could not do; on the last attempt, ends the command."""
    wrong = re.search(r"/([^/\s#]+\.whl)\S* .*\n +Expected sha256 (\w+)", result.output)
    if wrong:
        problem = (f"{wrong[1]}: wrong checksum, so it was thrown away. tools/{requirements} says sha256 {wrong[2]}; a proxy or mirror may have "
                   f"changed the file. All that pip said: {download.LOG.relative_to(paths.ROOT)}. ./x fetch goes on where it stopped.")
    else:
        problem = f"pip: {result.reason}. {download.advice('pip', result.reason)}"
    if last or download.untrusted(result.reason):
        raise console.Failure(problem)
    console.say(f"    {problem.split('. ')[0]}; trying again")


def _fill_arrow(folder, pin):
    wheel = download.get(pin)
    with console.phase("unpack Arrow and Parquet") as progress:
        with zipfile.ZipFile(wheel) as archive:
            wanted = [n for n in archive.namelist() if n.startswith("pyarrow/include/") or re.fullmatch(r"pyarrow/lib(?!arrow_python)\w+\.so\.\d+", n)]
            for name in wanted:
                when = time.mktime(archive.getinfo(name).date_time + (0, 0, -1))
                os.utime(archive.extract(name, folder), (when, when))  # unpacked again, headers do not look changed
        parquet = next((folder / "pyarrow").glob("libparquet.so.*"))
        hidden = elf.hide(parquet, lambda name: not name.startswith("_Z") or _BUNDLED.search(name))
        progress.detail = f"{len(wanted)} files, {hidden} bundled symbols hidden"


def _fill_duckdb(folder, source, library):
    source_file, library_file = download.get(source), download.get(library)
    with console.phase("unpack DuckDB") as progress:
        inside = source.file.removesuffix(".tar.gz") + "/external/duckdb/"
        count = _untar(source_file, folder, inside, _DUCKDB_HEADERS)
        count += _untar(library_file, folder, "package/", ("libduckdb.so",))
        progress.detail = f"{count} files"


def _fill_datasets(folder, pin):
    _untar(download.get(pin), folder, "package/data/", ("earthquakes.json",))


def _fill_vectors(folder, pin):
    """json_test_suite.json: a list of {"name", "input"}."""
    _untar(download.get(pin), folder, "package/data/", ("parsing.js",))
    script = (folder / "parsing.js").read_text()
    (folder / "json_test_suite.json").write_text(script[script.index("["):script.rindex("]") + 1])
    (folder / "parsing.js").unlink()


def _untar(archive, folder, inside, wanted):
    """Extracts the files below `inside` whose path begins with one of `wanted`; returns how many."""
    count = 0
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix(inside)
            if member.isfile() and name != member.name and name.startswith(wanted):
                member.name = name
                tar.extract(member, folder)
                count += 1
    return count


def _hash(*ingredients):
    return hashlib.sha256(repr(ingredients).encode()).hexdigest()
