# SPDX-License-Identifier: Apache-2.0
"""`npm pack` whose download goes on where it stopped: PYTHON resuming_npm.py PART SHA256 PACKAGE FOLDER

The bytes gather in PART and go to FOLDER when they are all there. npm's own parts send the requests (npm_open.cjs); where this npm
is built otherwise, `npm pack` itself does the work, from the beginning.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from x import resume  # noqa: E402

OTHERWISE_BUILT = 3  # exit code of npm_open.cjs


class UnknownNpm(Exception):
    pass


class Answer:
    def __init__(self, process, status, headers):
        self.process, self.status, self.headers = process, status, headers

    def read(self, size):
        chunk = self.process.stdout.read(size)
        if not chunk and self.process.wait() != 0:
            raise ConnectionError("npm said why")
        return chunk


def opener(package):
    """ask() of resume.into."""
    @contextlib.contextmanager
    def ask(headers):
        program = pathlib.Path(__file__).with_name("npm_open.cjs")
        try:
            process = subprocess.Popen(["node", program, shutil.which("npm"), package, json.dumps(headers)], stdout=subprocess.PIPE)
        except FileNotFoundError as error:
            raise UnknownNpm from error
        try:
            head = process.stdout.readline()
            if not head.endswith(b"\n"):
                raise UnknownNpm if process.wait() == OTHERWISE_BUILT else ConnectionError("no answer")
            yield Answer(process, **json.loads(head))
        finally:
            process.kill()
            process.wait()
    return ask


def main(part, sha256, package, folder):
    try:
        resume.into(part, opener(package), sha256.__eq__)
    except UnknownNpm:
        os.execvp("npm", ["npm", "pack", "--silent", "--pack-destination", folder, package])
    except (ConnectionError, resume.Refused):
        return 1  # npm_open.cjs wrote why to stderr
    os.replace(part, folder / part.name)
    return 0


if __name__ == "__main__":
    part, sha256, package, folder = sys.argv[1:]
    sys.exit(main(pathlib.Path(part), sha256, package, pathlib.Path(folder)))
