# SPDX-License-Identifier: Apache-2.0
"""Runs one command of ./x. `python3 tools/x COMMAND ARGUMENTS...`"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from x import commands  # noqa: E402  (the path above makes it importable)

sys.exit(commands.main(sys.argv[1:]))
