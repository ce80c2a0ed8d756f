# SPDX-License-Identifier: Apache-2.0
"""A command of the binary on a pseudo terminal of its own: what a person types, and what comes back."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from sluice_server import BINARY

SECONDS_MAX = 30
CTRL_C, CTRL_D, UP = "\x03", "\x04", "\x1b[A"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")


class Terminal:
    """Use as a context manager. `home` is where the command finds HOME and keeps its history."""

    def __init__(self, *arguments, home, columns=120, environment=None):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
        self.process = subprocess.Popen(
            [str(BINARY), *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**inherited, "TERM": "xterm", "NO_COLOR": "1", "HOME": str(home), **(environment or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))  # so that Ctrl-C is a signal
        os.close(slave)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.seen = ""  # what came and was not taken by read_until, without escape sequences

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)
        os.close(self._master)

    def type(self, keys):
        os.write(self._master, keys.encode())

    def read_until(self, text):
        """What came up to `text`, which is taken, too."""
        self._wait(lambda: text in self.seen, f"{text!r} did not come")
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def ask(self, line, until):
        self.type(line + "\n")
        return self.read_until(until)

    def wait_until_it_reads(self):
        """A prompt is seen before the line editor has the terminal; until then Ctrl-C throws away what was typed."""
        self._wait(lambda: not termios.tcgetattr(self._master)[3] & termios.ICANON, "the line editor does not read")

    def wait_until_it_works(self):
        """A line that ends in Enter was taken: the line editor gave the terminal back."""
        self._wait(lambda: termios.tcgetattr(self._master)[3] & termios.ICANON, "the line editor still reads")

    def wait(self):
        """The exit code; what it printed until then is in `seen`."""
        self._wait(lambda: self.process.poll() is not None, "it did not end")
        while self._read(0):
            pass
        return self.process.returncode

    def _wait(self, condition, complaint):
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            assert time.monotonic() < deadline, f"{complaint}:\n{self.seen}"
            self._read(0.05)

    def _read(self, seconds):
        try:
            if not select.select([self._master], [], [], seconds)[0]:
                return False
            self.seen += _ESCAPES.sub("", self._decoder.decode(os.read(self._master, 65536)))
            return True
        except OSError:  # EIO: the command is gone
            return False
