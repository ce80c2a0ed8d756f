# SPDX-License-Identifier: Apache-2.0
"""Measurements in turn: A B C C B A is one round, with probes of the machine before each half. What is compared was measured beside each
other; a round in which the machine itself moved is measured again."""
import dataclasses
import subprocess
import sys
import typing

import figures
import measure

PROBES_APART_MAX = 1.15  # between the two halves of a round


class NotRun(Exception):
    """Why a peer could not be installed, started or measured. It is shown in its row; the others go on."""


@dataclasses.dataclass(frozen=True)
class Contestant:
    name: str
    measure: typing.Callable   # one measurement: a dictionary of figures
    is_peer: bool = True       # what is not must run


class Comparison:
    """Figures of all contestants: a[i] was measured beside b[i]."""

    def __init__(self, names):
        self.figures = {name: [] for name in names}
        self.not_run = {}
        self.probes = []
        self.restless = 0  # rounds that count although the machine moved

    def of(self, name):
        return [f for f in self.figures[name] if f is not None]

    def median(self, name, *path):
        return figures.median(self.of(name), *path)

    def ratios(self, first, second, *path):
        return figures.ratios(self.figures[first], self.figures[second], *path)

    def probe(self, name, *path):
        return figures.median(self.probes, name, *path)

    def circumstances(self):
        """The last words below a table."""
        words = ", ".join(f"{name} {figures.gigabytes(self.probe(name, 'bytes_per_second'))}" for name in (self.probes[0] if self.probes else {}))
        restless = f"; in {self.restless} rounds the probes moved by more than 15 %" if self.restless else ""
        return f"Probes of the machine in the same rounds: {words}{restless}." if words else ""


def compare(options, contestants, probes=()):
    comparison = Comparison([c.name for c in contestants])
    again = options.again
    for _ in range(options.rounds):
        while True:
            taken, probed = _round(comparison, contestants, probes, options)
            restless = _moved(probed)
            if not restless or again == 0:
                break
            again -= 1
            print("    the probes moved by more than 15 %: once more", file=sys.stderr, flush=True)
        comparison.restless += restless
        comparison.probes += probed
        for name, pair in taken.items():
            comparison.figures[name] += pair
    return comparison


def _round(comparison, contestants, probes, options):
    taken, probed = {c.name: [None, None] for c in contestants}, []
    for half, order in enumerate((contestants, contestants[::-1])):
        if probes:
            probed.append(measure.probe(probes, options.probe_seconds))
        for contestant in order:
            if contestant.name not in comparison.not_run:
                taken[contestant.name][half] = _measured(comparison, contestant)
    return taken, probed


def _measured(comparison, contestant):
    print(f"    {contestant.name}", file=sys.stderr, flush=True)
    try:
        return contestant.measure()
    except (NotRun, OSError, RuntimeError, subprocess.SubprocessError) as problem:
        if not contestant.is_peer:
            raise
        comparison.not_run[contestant.name] = reason = " ".join(str(problem).split())[:200]
        print(f"    {contestant.name} is not run: {reason}", file=sys.stderr, flush=True)
        return None


def _moved(probed):
    """Whether the halves of a round saw different machines."""
    if len(probed) < 2:
        return False
    first, second = (p for p in probed)
    return any(max(first[n]["bytes_per_second"], second[n]["bytes_per_second"]) >
               PROBES_APART_MAX * min(first[n]["bytes_per_second"], second[n]["bytes_per_second"]) for n in first)
