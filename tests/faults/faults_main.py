# SPDX-License-Identifier: Apache-2.0
"""./x faults: more of what tests/faults runs, by hand, over other seeds. Ends with 'N lives, ..., 0 problems'."""

import argparse
import pathlib
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "e2e")]

import campaign  # noqa: E402
import damage  # noqa: E402


def main():
    words = argparse.ArgumentParser(prog="./x faults", description="Kills, power cuts and failing calls against the real binary, judged by tests/history.")
    words.add_argument("--kills", type=int, default=0, metavar="N", help="SIGKILL at any moment")
    words.add_argument("--cuts", type=int, default=0, metavar="N", help="the power fails at any call")
    words.add_argument("--errors", type=int, default=0, metavar="N", help="lives in which calls fail with some probability")
    words.add_argument("--libfiu", type=int, default=0, metavar="N", help="the same by Debian's libfiu instead of our own library")
    words.add_argument("--flips", type=int, default=0, metavar="N", help="one bit of any file is another one: a wrong answer is a problem")
    words.add_argument("--edges", action="store_true", help="every edge with every action, three times")
    words.add_argument("--seed", type=int, default=int(time.time()), metavar="N", help="what decides everything (default: the time)")
    words.add_argument("--keep", metavar="DIR", help="where directories and histories of what went wrong stay (default: a temporary one)")
    asked = words.parse_args()
    if not (asked.kills or asked.cuts or asked.errors or asked.libfiu or asked.flips or asked.edges):
        words.error("say --kills N, --cuts N, --errors N, --libfiu N, --flips N or --edges")
    folder = pathlib.Path(asked.keep) if asked.keep else pathlib.Path(tempfile.mkdtemp(prefix="sluice_faults_"))
    verdicts = []
    if asked.kills:
        verdicts += go(folder / "kills", campaign.kills(asked.kills, asked.seed), asked.seed, False)
    if asked.cuts:
        verdicts += go(folder / "cuts", campaign.cuts(asked.cuts, asked.seed), asked.seed, True)
    if asked.errors:
        verdicts += go(folder / "errors", campaign.errors(asked.errors, asked.seed), asked.seed, False)
    if asked.libfiu:
        verdicts += go(folder / "libfiu", campaign.libfiu(asked.libfiu, asked.seed), asked.seed, False)
    if asked.edges:
        lives = campaign.matrix(asked.seed, everything=True)
        verdicts += go(folder / "edges", campaign.chains_of(lives["process"], asked.seed), asked.seed, False)
        verdicts += go(folder / "edges", campaign.chains_of(lives["power"], asked.seed), asked.seed, True)
    counts, wrong = damage.judge(folder / "flips", asked.flips, asked.seed, alone=1) if asked.flips else ({}, [])
    for (kind, outcome), number in sorted(counts.items()):
        print(f"{kind}: {outcome} {number}")
    for sentence in wrong:
        print(sentence)
    print(f"seed {asked.seed}: {summary(verdicts)}; {sum(counts.values())} flips, {len(wrong)} wrong answers")
    return 1 if wrong or any(verdict.problems for verdict in verdicts) else 0


def go(folder, chains, seed, power):
    folder.mkdir(parents=True, exist_ok=True)
    told = [time.monotonic()]

    def tell(verdicts):
        for problem in verdicts[-1].problems:
            print(f"{folder}: {problem}", flush=True)
        if time.monotonic() - told[0] > 10:
            told[0] = time.monotonic()
            print(f"    {folder.name}: {summary(verdicts)}", file=sys.stderr, flush=True)
    return campaign.run(folder, chains, seed, power, tell)


def summary(verdicts):
    return (f"{sum(v.lives for v in verdicts)} lives, {sum(v.ended_badly for v in verdicts)} ended badly, {sum(len(v.reached) for v in verdicts)} planned faults came, "
            f"{sum(v.acknowledged for v in verdicts)} events acknowledged, {sum(len(v.problems) for v in verdicts)} problems")


if __name__ == "__main__":
    sys.exit(main())
