# SPDX-License-Identifier: Apache-2.0
"""Many chains: which faults they meet, and what came of it. A campaign belongs to its seed and count; chains run side by side."""

import concurrent.futures
import dataclasses
import multiprocessing
import os
import pathlib
import random

from chain import Chain, Life

EDGES = pathlib.Path(__file__).with_name("edges.txt")
LIVES = 8  # of a chain


@dataclasses.dataclass(frozen=True)
class Edge:
    name: str
    when: str  # made: only while a directory is made; always: a second of load comes to it; seldom: it takes a crash, or luck

    @property
    def operation(self):
        return self.name.split(" ")[0]


def edges():
    """The committed list: every call that can change a file or a name, by operation and kind of file, and the reads."""
    lines = [line.split("\t") for line in EDGES.read_text().splitlines() if not line.startswith("#")]
    return [Edge(name, when) for when, name in lines]


def actions(edge):
    """By family: what can happen to a call at this edge."""
    if edge.operation == "read":
        return {"fail": ["fail:EIO", "short"]}
    half = edge.operation == "write"
    return {
        "kill": ["kill", "kill-after"] + ["kill-half"] * half,
        "cut": ["cut", "cut-after"] + ["cut-half"] * half,
        "fail": ["fail:EIO", "fail:ENOSPC", "fail-after:EIO"] + ["short"] * half + ["delay:30"],
    }


def matrix(seed, everything=False):
    """Lives, one for each edge and family (`everything`: for each action, three times), by the kind of chain that they need."""
    dice = random.Random(seed)
    lives = {"process": [], "power": []}
    for edge in edges():
        for family, names in actions(edge).items():
            for action in names * 3 if everything else [dice.choice(names)]:
                occurrence = 1 if edge.when != "always" else dice.choice([1, 2, 3, 5, 9, 17, 33] if everything else [1, 1, 2])
                plan = f"{edge.name}@{occurrence}={action}"
                if family == "fail" and edge.operation == "sync":
                    plan += f";change@{dice.randrange(50, 500)}=cut"  # what a failed sync did not write is lost behind it
                life = Life(plan, calls_fail=family == "fail")
                lives["power" if "cut" in plan else "process"].append((edge.when == "made", life))
    return lives


def chains_of(lives, seed):
    """Each begins with a fault while its directory is made, as long as there are such."""
    dice = random.Random(seed)
    first, rest = [life for made, life in lives if made], [life for made, life in lives if not made]
    dice.shuffle(first)
    dice.shuffle(rest)
    chains = [[life] for life in first] or [[]]
    while len(rest) > len(chains) * (LIVES - 1):
        chains.append([])
    for number, life in enumerate(rest):
        chains[number % len(chains)].append(life)
    return chains


def kills(count, seed):
    """SIGKILL from outside, a moment after some request was acknowledged; some while the load has only begun, some with its end."""
    dice = random.Random(seed)
    lives = [Life(kill_after_requests=dice.choice([0, dice.randrange(1, 8), dice.randrange(8, 24)]), kill_after_s=dice.choice([0, dice.uniform(0, 0.02), dice.uniform(0, 0.1)]))
             for _ in range(count)]
    return [lives[at:at + 2 * LIVES] for at in range(0, count, 2 * LIVES)]


def cuts(count, seed):
    """Power fails at any call that is not a read."""
    dice = random.Random(seed)
    lives = [Life(f"change@{dice.choice([dice.randrange(1, 60), dice.randrange(1, 400)])}={dice.choice(['cut', 'cut-after', 'cut-half'])}") for _ in range(count)]
    return [lives[at:at + LIVES] for at in range(0, count, LIVES)]


def errors(count, seed):
    """Calls fail, at every edge, with some probability: sometimes for good, sometimes only said."""
    dice = random.Random(seed)
    kinds = ["fail:EIO", "fail:ENOSPC", "fail:EMFILE", "fail:ENOMEM", "fail:EINTR", "fail-after:EIO", "short"]
    lives = [Life(";".join(f"*@p{dice.choice([0.0005, 0.002, 0.008])}={dice.choice(kinds)}" for _ in range(2)), calls_fail=True) for _ in range(count)]
    return [lives[at:at + LIVES] for at in range(0, count, LIVES)]


def libfiu(count, seed):
    """Calls fail as Debian's libfiu lets them: other hooks than ours, errnos of its own choice, sockets too."""
    dice = random.Random(seed)
    points = [("posix/io/rw/pwrite", 0.002), ("posix/io/rw/pwrite/reduce", 0.01), ("posix/io/rw/pread", 0.005), ("posix/io/rw/pread/reduce", 0.02), ("posix/io/sync/*", 0.002),
              ("posix/io/rw/ftruncate", 0.02), ("posix/io/oc/open", 0.01), ("posix/io/dir/*", 0.02), ("posix/io/net/*", 0.002), ("posix/mm/mmap", 0.002)]
    lives = [Life(libfiu="\n".join(f"enable_random name={name},probability={often}" for name, often in dice.sample(points, 2)), calls_fail=True) for _ in range(count)]
    return [lives[at:at + LIVES] for at in range(0, count, LIVES)]


def _run_chain(folder, seed, lives, power):
    chain = Chain(folder, seed, power)
    for life in lives:
        chain.live(life)
        if chain.verdict.problems:
            break
    return chain.finish()


def run(folder, chains, seed, power=False, tell=None):
    """Runs `chains`, lists of lives; answers their verdicts. `tell` hears each as it comes."""
    verdicts = []
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), mp_context=multiprocessing.get_context("fork")) as pool:
        running = [pool.submit(_run_chain, f"{folder}/{seed}-{number}", seed * 1_000 + number, lives, power) for number, lives in enumerate(chains)]
        for one in concurrent.futures.as_completed(running):
            verdicts.append(one.result())
            if tell:
                tell(verdicts)
    return verdicts
