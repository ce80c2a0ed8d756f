# SPDX-License-Identifier: Apache-2.0
"""B8: keys looked up and put in if they are new."""
import measure
from figures import mebibytes, span, thousands
from machine import PROGRAMS
from picture import Bar
from report import Table
from rounds import Contestant, compare

KEYS = {"sluice": 10_000_000, "unordered_set": 10_000_000, "rocksdb": 1_000_000}  # RocksDB would take a minute for ten
NAMES = {"sluice": "Sluice: table of 1 M keys and runs on disk", "unordered_set": "std::unordered_set, in memory", "rocksdb": "RocksDB, get then put"}


def duplicates(options):
    """Sluice's upkeep (writing runs) is another thread's in a server; a column says what it costs on top."""
    table = Table("B8. Deduplication: requests of 200 keys of 128 bits, 5 % duplicates, a fifth of them of any age; one core. 10 M keys, RocksDB 1 M (Bloom filter of "
                  "10 bits, no write-ahead log). Every answer is checked: as many keys must be taken as are different.",
                  ["by", "keys a CPU-second", "keys/s", "keys/s with the writing of runs on the same core", "memory", "disk", "Sluice against it"])

    def kernel(way):
        folder = measure.fresh_folder("duplicates")
        return measure.run_json(PROGRAMS / "sluice_duplicates", "--with", way, "--keys", KEYS[way], "--directory", folder)
    contestants = [Contestant(name, lambda way=way: kernel(way), is_peer=way != "sluice") for way, name in NAMES.items()]
    result = compare(options, contestants, ["memory"])
    ours, bars = NAMES["sluice"], []
    for name in NAMES.values():
        rate = result.median(name, "keys_per_cpu_second")
        if rate is None:
            table.row(name, "not run: " + result.not_run[name])
        else:
            table.row(name, thousands(rate), thousands(result.median(name, "keys_per_second")), thousands(result.median(name, "keys_per_second_with_upkeep")),
                      mebibytes(result.median(name, "memory_bytes")), mebibytes(result.median(name, "disk_bytes")),
                      "" if name == ours else span(result.ratios(ours, name, "keys_per_cpu_second"), "{:.1f}"))
        bars.append(Bar(name, rate, f"{thousands(rate)}/s", "ours" if name == ours else "peer"))
    table.note(result.circumstances())
    table.picture("Keys looked up and put in a CPU-second, one core", bars)
    return table
