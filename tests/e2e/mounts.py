# SPDX-License-Identifier: Apache-2.0
"""Mounts of our own, in a namespace: nobody else sees them, and they go with their process.

Needs root, or a kernel that gives users namespaces of their own.
"""

import errno
import os
import pathlib
import subprocess

FILLER = "filler"
STEP = 4096


class Mounts:
    """Runs `script` (sh) with `arguments` in a new namespace. `wrap` goes before a command that is to see what it mounted."""

    def __init__(self, script, *arguments):
        as_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self.process = subprocess.Popen(["unshare", *as_user, "--mount", "sh", "-c", f"set -e; {script}; echo mounted; exec cat", "sh", *map(str, arguments)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line == "mounted\n", "no mounts of our own (root or user namespaces are needed): " + self.process.stderr.read()
        enter_user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.wrap = ("nsenter", "--target", str(self.process.pid), *enter_user, "--mount", "--")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()


class SmallDisk(Mounts):
    """A file system of few bytes. Who has the namespace sees it at `mount_point`, everybody else finds it under `path`."""

    def __init__(self, mount_point, size_bytes):
        self.mount_point = pathlib.Path(mount_point)
        self.mount_point.mkdir(parents=True, exist_ok=True)
        super().__init__('mount -t tmpfs -o size="$1" none "$2"', size_bytes, mount_point)
        self.path = pathlib.Path(f"/proc/{self.process.pid}/root{self.mount_point}")

    def remount(self, mode):
        """"ro" or "rw"."""
        subprocess.run([*self.wrap, "mount", "-o", f"remount,{mode}", str(self.mount_point)], check=True, timeout=60)

    def fill(self, leave_bytes=0):
        """Takes all space but `leave_bytes`."""
        while (free := self.free_bytes() - leave_bytes) >= STEP:
            try:
                with open(self.path / FILLER, "ab", buffering=0) as file:
                    file.write(bytes(min(free, 1 << 20) // STEP * STEP))
            except OSError as error:
                if error.errno != errno.ENOSPC:  # somebody else was faster: how much is left now?
                    raise

    def free_up(self):
        (self.path / FILLER).unlink()

    def free_bytes(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize
