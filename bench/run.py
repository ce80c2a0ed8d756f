# SPDX-License-Identifier: Apache-2.0
"""./x bench: measures Sluice beside a peer or a physical probe in the same run, and prints ratios. Figures of different runs are not
comparable: the disk alone moves by an order of magnitude between two quiet minutes."""
import argparse
import datetime
import pathlib
import sys

import machine
import suite
from report import Report


def main():
    parser = argparse.ArgumentParser(prog="./x bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run: " + ", ".join(suite.BENCHMARKS) + "; default: all")
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A each (default 3)")
    parser.add_argument("--seconds", type=float, default=5, help="of one measurement (default 5)")
    parser.add_argument("--report", type=pathlib.Path, help="write the tables into this page, between its markers")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in suite.BENCHMARKS]
    if unknown:
        parser.error(f'there is no benchmark "{unknown[0]}"; there are {", ".join(suite.BENCHMARKS)}')
    report = Report(f"{machine.describe()}; commit {machine.commit()}; {datetime.date.today()}; "
                    f"`./x bench {' '.join(options.names)} --rounds {options.rounds} --seconds {options.seconds:g}`".replace("bench  ", "bench "))
    for name in options.names or suite.BENCHMARKS:
        print(f"==> {name}", file=sys.stderr, flush=True)
        report.add(name, suite.BENCHMARKS[name](options))
    if options.report:
        report.write(options.report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
