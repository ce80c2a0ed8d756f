# SPDX-License-Identifier: Apache-2.0
"""What the tests of ./x share: a clone to write into, stand-ins for programs, and how a test program ends."""
import contextlib
import pathlib
import shutil
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from x import console, download, paths  # noqa: E402


def program(folder, name, script):
    """A program of that name, for PATH."""
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/bash\n{script}\n")
    file.chmod(0o755)
    return folder


class WithClone(unittest.TestCase):
    """`self.clone`: a folder with ./x and tools/ in it, which x.paths points into; the venv is the real one. `self.said`: lines to the user."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.clone = pathlib.Path(folder.name) / "clone"
        self.clone.mkdir()
        shutil.copy(ROOT / "x", self.clone)
        shutil.copytree(ROOT / "tools", self.clone / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        deps = self.clone / ".deps"
        moved = {"ROOT": self.clone, "TOOLS": self.clone / "tools", "DEPS": deps, "DOWNLOADS": deps / "downloads", "CACHE": deps / "cache",
                 "PARTS": deps / "cache" / "parts", "SCRATCH": deps / "tmp", "VENV": deps / "venv", "BUILD": self.clone / "build"}
        for name, value in moved.items():
            self.patch(paths, name, value)
        self.patch(download, "LOG", deps / "client.log")
        self.said = []
        self.patch(console, "say", self.said.append)

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    @contextlib.contextmanager
    def fails(self, *words):
        with self.assertRaises(console.Failure) as caught:
            yield
        for word in words:
            self.assertIn(word, str(caught.exception))


def main():
    """Runs the tests of the program. ./x test reads the last line."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.skipped)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return 1 if failed else 0
