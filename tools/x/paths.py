# SPDX-License-Identifier: Apache-2.0
"""Where things are. ./x writes below ROOT only."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "tools"
DEPS = ROOT / ".deps"
DOWNLOADS = DEPS / "downloads"   # finished artefacts, each with the right checksum
CACHE = DEPS / "cache"           # of npm, Maven and ccache
PARTS = CACHE / "parts"          # what came of a file so far; whole files of pip, too
SCRATCH = DEPS / "tmp"
VENV = DEPS / "venv"
VENV_PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
