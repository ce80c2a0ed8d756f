# SPDX-License-Identifier: Apache-2.0
"""The tree as the rules see it: files with their lines, and the folders of src/ with their ranks."""
import dataclasses
import functools
import pathlib
import re
import subprocess

CPP = (".h", ".cc")
_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
_COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Violation:
    path: str
    line: int
    sentence: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.sentence}"


@dataclasses.dataclass(frozen=True)
class File:
    path: str   # from the root, with '/'
    text: str

    @functools.cached_property
    def lines(self):
        return self.text.splitlines()

    @functools.cached_property
    def code(self):
        """The lines without comments and without what is in string literals; includes lose their quoted names, too."""
        blank = _COMMENT_OR_STRING.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), self.text)
        return blank.splitlines()

    @functools.cached_property
    def includes(self):
        """[(line number, name)]"""
        return [(n, m[1]) for n, line in enumerate(self.lines, 1) if (m := _INCLUDE.match(line))]

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @property
    def is_test(self):
        return self.path.startswith("tests/") or self.path.endswith(("_test.cc", "_bench.cc", "_fuzz.cc")) or "/test_" in self.path

    def find(self, pattern, lines=None):
        """Numbers of the lines that contain `pattern`, in `lines` or else in the whole text."""
        return [n for n, line in enumerate(self.lines if lines is None else lines, 1) if re.search(pattern, line)]


class Tree:
    def __init__(self, root, paths):
        self.root = pathlib.Path(root)
        self.files = [File(p, (self.root / p).read_text(errors="replace")) for p in sorted(paths)]
        self.by_path = {f.path: f for f in self.files}
        table = self.by_path.get("src/folders.txt")
        rows = [line.split() for line in table.lines if line and not line.startswith("#")] if table else []
        self.ranks = {row[0]: int(row[1]) for row in rows}

    @property
    def sources(self):
        """The C++ files of src/."""
        return [f for f in self.files if f.is_cpp and f.path.startswith("src/")]

    def folder_of(self, name):
        """The folder of src/ that a path below it belongs to: the longest that fits. None: not ours."""
        fitting = [f for f in self.ranks if name.startswith(f + "/")]
        return max(fitting, key=len, default=None)


def of_repository(root):
    """What git tracks or would track, as far as it is text."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, stdout=subprocess.PIPE).stdout
    paths = [p for p in listed.decode().split("\0") if p and (pathlib.Path(root) / p).is_file()]
    return Tree(root, [p for p in paths if b"\0" not in (pathlib.Path(root) / p).open("rb").read(8000)])
