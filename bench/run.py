# SPDX-License-Identifier: Apache-2.0
"""./x bench: measures Sluice beside peers and physical probes in the same run, and prints ratios. Figures of different runs are not
comparable: the disk alone moves by an order of magnitude between two quiet minutes."""
import argparse
import dataclasses
import datetime
import importlib
import pathlib
import sys

import machine
from report import Report


@dataclasses.dataclass(frozen=True)
class Benchmark:
    name: str
    meaning: str
    module: str  # suites.<module>.<name>(options) -> report.Table


BENCHMARKS = {b.name: b for b in (
    Benchmark("ingest", "B1: HTTP, 200 events a request, beside nginx", "ingest"),
    Benchmark("topics", "B1: the same to five topics", "ingest"),
    Benchmark("single", "B1: HTTP, one event a request, beside nginx and Redis", "ingest"),
    Benchmark("latency", "B1: open loop at fixed rates, beside nginx", "latency"),
    Benchmark("neighbours", "B1: the same beside CPU hogs and endless SQL", "latency"),
    Benchmark("journal", "B2: the durable log, and reading it again, beside Kafka, NATS, PostgreSQL, Redis", "journal"),
    Benchmark("tiering", "B4: log to Iceberg table, restart, beside DuckDB's COPY", "tiering"),
    Benchmark("streams", "B4: from a log into an Iceberg table, beside Spark with Kafka, PyIceberg, DuckDB", "streams"),
    Benchmark("freshness", "B5: acknowledged to visible in SQL", "freshness"),
    Benchmark("parse", "B6: JSON to columns, beside simdjson, DuckDB, pyarrow", "parsing"),
    Benchmark("parquet", "B7: rows to Parquet, beside DuckDB and pyarrow", "parquet"),
    Benchmark("duplicates", "B8: insert if absent, beside RocksDB and std::unordered_set", "duplicates"),
    Benchmark("queries", "B11: a dashboard over hot and cold rows under 100 k events/s, verified by DuckDB", "queries"),
    Benchmark("crashes", "B15: kill -9 in the middle of everything, verified by DuckDB against the acknowledged ids", "crashes"),
    Benchmark("soak", "B15: a long run at 60 % (24 times --seconds): memory and refusals", "crashes"),
)}


def list_all():
    width = max(map(len, BENCHMARKS))
    return "\n".join(f"  {b.name:{width}}  {b.meaning}" for b in BENCHMARKS.values())


def main():
    parser = argparse.ArgumentParser(prog="./x bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run (--list); default: all")
    parser.add_argument("--rounds", type=int, default=3, help="of all contestants forwards and backwards (default 3)")
    parser.add_argument("--seconds", type=float, default=5, help="of one measurement (default 5)")
    parser.add_argument("--probe-seconds", type=float, default=1, help="of each physical probe, twice a round (default 1)")
    parser.add_argument("--again", type=int, default=2, help="how many rounds are measured again when the machine moved (default 2)")
    parser.add_argument("--report", type=pathlib.Path, help="write the tables into this page, between its markers, and pictures beside it")
    parser.add_argument("--list", action="store_true", help="say what there is, and end")
    options = parser.parse_args()
    if options.list:
        print(list_all())
        return 0
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f'there is no benchmark "{unknown[0]}"; there are:\n{list_all()}')
    names = options.names or list(BENCHMARKS)
    report = Report(f"{machine.describe()}; commit {machine.commit()}; {datetime.date.today()}; `./x bench "
                    f"{' '.join([*options.names, '--rounds', str(options.rounds), '--seconds', format(options.seconds, 'g')])}`")
    for name in names:
        print(f"==> {name}", file=sys.stderr, flush=True)
        module = importlib.import_module(f"suites.{BENCHMARKS[name].module}")
        report.add(name, getattr(module, name)(options))
        if options.report:
            report.write(options.report)  # each as it comes: a later one may fail
    return 0


if __name__ == "__main__":
    sys.exit(main())
