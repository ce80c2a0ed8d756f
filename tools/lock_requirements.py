#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tools/requirements.txt and engines.txt from the files *.in: every package, its exact version, the hash of its wheel.

Needs the network and .deps/venv (`./x fetch`). Look at the difference before you commit it.
"""
import json
import pathlib
import subprocess

TOOLS = pathlib.Path(__file__).resolve().parent
PIP = TOOLS.parent / ".deps" / "venv" / "bin" / "pip"
HEAD = "# Made by tools/lock_requirements.py from {}.in; do not edit. Wheels for Python 3.11 on x86-64 Linux.\n"


def lock(what, *options):
    command = [PIP, "install", "--quiet", "--dry-run", "--ignore-installed", "--only-binary", ":all:", *options, "--report", "-", "-r", TOOLS / f"{what}.in"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    lines = []
    for package in report["install"]:
        name, version = package["metadata"]["name"].lower(), package["metadata"]["version"]
        lines.append(f"{name}=={version} --hash=sha256:{package['download_info']['archive_info']['hashes']['sha256']}\n")
    (TOOLS / f"{what}.txt").write_text(HEAD.format(what) + "".join(sorted(lines)))


if __name__ == "__main__":
    lock("requirements")
    lock("engines", "--no-deps")  # duckdb is in requirements.in
