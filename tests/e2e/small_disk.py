# SPDX-License-Identifier: Apache-2.0
"""A file system of few bytes, in a mount namespace of its own: nobody else sees it, and it goes with its process.

Needs root, or a kernel that gives users namespaces of their own.
"""

import os
import pathlib
import subprocess

FILLER = "filler"
STEP = 4096


class SmallDisk:
    """`wrap` goes before a command that is to see it at `mount_point`; everybody else finds it under `path`."""

    def __init__(self, mount_point, size_bytes):
        self.mount_point = pathlib.Path(mount_point)
        self.mount_point.mkdir(parents=True, exist_ok=True)
        as_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        script = 'mount -t tmpfs -o size="$1" none "$2" && echo mounted && exec cat'
        self.process = subprocess.Popen(["unshare", *as_user, "--mount", "sh", "-c", script, "sh", str(size_bytes), str(mount_point)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line == "mounted\n", "no file system of our own (root or user namespaces are needed): " + self.process.stderr.read()
        enter_user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.wrap = ("nsenter", "--target", str(self.process.pid), *enter_user, "--mount", "--")
        self.path = pathlib.Path(f"/proc/{self.process.pid}/root{self.mount_point}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()

    def remount(self, mode):
        """"ro" or "rw"."""
        subprocess.run([*self.wrap, "mount", "-o", f"remount,{mode}", str(self.mount_point)], check=True, timeout=60)

    def fill(self, leave_bytes=0):
        """Takes all space but `leave_bytes`."""
        while (free := self.free_bytes() - leave_bytes) >= STEP:
            with open(self.path / FILLER, "ab") as file:
                file.write(bytes(min(free, 1 << 20) // STEP * STEP))

    def free_up(self):
        (self.path / FILLER).unlink()

    def free_bytes(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize
