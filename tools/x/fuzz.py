# SPDX-License-Identifier: Apache-2.0
"""./x fuzz: looks for inputs that break a decoder, with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.

Targets stand in src/**/*_fuzz.cc, their saved inputs in tests/fuzz/corpus/<name>.txt, one a line: `./x test` runs those. What a run
adds is minimised and saved there, when it is small; an input that breaks something is kept in build/fuzz/<name>/.
"""
import os
import re
import shutil
import subprocess

from x import build, console, paths

CORPUS = paths.ROOT / "tests" / "fuzz" / "corpus"
INPUT_BYTES_MAX = 1024     # of a saved one
CORPUS_BYTES_MAX = 48_000  # of a target's file
SECONDS_MAX = 5            # for one input
MEGABYTES_MAX = 1024


def run(command, arguments):
    minutes, names = 1.0, list(arguments)
    if "--minutes" in names:
        at = names.index("--minutes")
        try:
            minutes = float(names[at + 1])
        except (IndexError, ValueError):
            raise console.Failure(f"usage: ./x {command} [NAME...] [--minutes N]", exit_code=2) from None
        del names[at:at + 2]
    if any(name.startswith("-") for name in names):  # before minutes of building
        raise console.Failure(f"usage: ./x {command} [NAME...] [--minutes N]", exit_code=2)
    targets = _build(names)
    broken = [target for target in targets if not _fuzz(*target, seconds=max(1, round(minutes * 60)))]
    for name, _ in broken:
        console.say(f"{name} broke; the input is in {(paths.BUILD / 'fuzz' / name).relative_to(paths.ROOT)}/")
    return 1 if broken else 0


def _build(names):
    """[(name, program)] of the targets that are wanted; all, when none is named."""
    folder = build.build("fuzz", _programs())
    found = {}
    for program in _programs():
        for name in subprocess.run([folder / program], check=True, text=True, stdout=subprocess.PIPE).stdout.split():
            found[name] = folder / program
    for name in names:
        if name not in found:
            raise console.Failure(f"there is no fuzz target {name}; there are {', '.join(sorted(found))}.", exit_code=2)
    return sorted((name, program) for name, program in found.items() if not names or name in names)


def _programs():
    """<folder>_fuzz of each folder that has targets."""
    folders = {file.parent.relative_to(paths.ROOT / "src") for file in (paths.ROOT / "src").rglob("*_fuzz.cc")}
    return sorted({"_".join(part for part in folder.parts if part != "internal") + "_fuzz" for folder in folders})


def _fuzz(name, program, seconds):
    """True: nothing broke. The new inputs are saved either way."""
    folder = paths.BUILD / "fuzz" / name
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SLUICE_FUZZ_TARGET": name, "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1"}
    subprocess.run([program], env={**environment, "SLUICE_FUZZ_SEEDS": str(inputs)}, check=True)
    for number, line in enumerate(_saved(name)):
        (inputs / f"saved-{number}").write_bytes(unescape(line))
    with console.phase(f"fuzz {name}") as progress:
        command = [program, inputs, f"-max_total_time={seconds}", f"-timeout={SECONDS_MAX}", f"-rss_limit_mb={MEGABYTES_MAX}", "-max_len=8192",
                   f"-artifact_prefix={folder}/", "-print_final_stats=1"]
        result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        runs = re.search(r"number_of_executed_units: (\d+)", result.stdout)
        progress.detail = f"{int(runs[1]) if runs else 0:,} runs"
    if result.returncode != 0:
        console.say("\n".join(result.stdout.splitlines()[-40:]))
    _save(name, program, inputs, environment)
    return result.returncode == 0


def _save(name, program, inputs, environment):
    """The smallest set of inputs that reaches all that these reach."""
    chosen = inputs.parent / "chosen"
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir()
    subprocess.run([program, "-set_cover_merge=1", f"-max_len={INPUT_BYTES_MAX}", f"-timeout={SECONDS_MAX}", chosen, inputs], env=environment, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lines = sorted({escape(file.read_bytes()) for file in chosen.iterdir() if file.stat().st_size <= INPUT_BYTES_MAX}, key=lambda line: (len(line), line))
    kept, total = [], 0
    for line in lines:
        total += len(line) + 1
        if total > CORPUS_BYTES_MAX:
            break
        kept.append(line)
    if kept:
        CORPUS.mkdir(parents=True, exist_ok=True)
        (CORPUS / f"{name}.txt").write_text("".join(sorted(line + "\n" for line in kept)))


def _saved(name):
    file = CORPUS / f"{name}.txt"
    return file.read_text().splitlines() if file.exists() else []


def escape(data):
    """Printable ASCII stands for itself, every other byte and the backslash as \\xNN. Read again by tests/fuzz/replay_main.cc, too."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x5C else f"\\x{byte:02x}" for byte in data)


def unescape(line):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), line.encode())
