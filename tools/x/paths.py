# SPDX-License-Identifier: Apache-2.0
"""Where things are. ./x writes below ROOT only."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / "tools"
DEPS = ROOT / ".deps"
DOWNLOADS = DEPS / "downloads"   # finished artefacts, each with the right checksum
CACHE = DEPS / "cache"           # of pip, npm and ccache
SCRATCH = DEPS / "tmp"
VENV = DEPS / "venv"
VENV_PYTHON = VENV / "bin" / "python"
BUILD = ROOT / "build"
