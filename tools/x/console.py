# SPDX-License-Identifier: Apache-2.0
"""What the user sees: one line when a phase begins, one when it ends, with its seconds."""
import contextlib
import sys
import time


class Failure(Exception):
    """Ends the command with one sentence that says what is wrong and what to do. `exit_code` 2 = wrong usage."""

    def __init__(self, sentence, exit_code=1):
        super().__init__(sentence)
        self.exit_code = exit_code


def say(line):
    print(line, file=sys.stderr, flush=True)


class Progress:
    """What a phase has to tell: `detail` goes into its last line; Show() rewrites one line on a terminal."""

    TERMINAL_SECONDS = 0.5
    LOG_SECONDS = 15

    def __init__(self, name):
        self.name = name
        self.detail = ""
        self.started = time.monotonic()
        self._shown = self.started

    def seconds(self):
        return time.monotonic() - self.started

    def show(self, text):
        """Says how far it is: often on a terminal, seldom in a log."""
        terminal = sys.stderr.isatty()
        if time.monotonic() - self._shown < (self.TERMINAL_SECONDS if terminal else self.LOG_SECONDS):
            return
        self._shown = time.monotonic()
        line = f"    {self.name}: {text}, {self.seconds():.0f} s"
        if terminal:
            print(f"\r{line}\033[K", end="", file=sys.stderr, flush=True)
        else:
            say(line)


@contextlib.contextmanager
def phase(name):
    """Prints `name` at the start and `name: detail, seconds` at the end; a Failure passes through unadorned."""
    say(f"==> {name}")
    progress = Progress(name)
    yield progress
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    detail = f"{progress.detail}, " if progress.detail else ""
    say(f"{clear}    {name}: {detail}{progress.seconds():.1f} s")


def size(count):
    """4 kB, 55.0 MB: decimal, as apt and pip print."""
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1e6:.1f} MB"
    return f"{count / 1e9:.1f} GB"
