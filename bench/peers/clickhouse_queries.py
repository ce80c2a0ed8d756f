# SPDX-License-Identifier: Apache-2.0
"""chdb's part: the queries on stdin in turn, over a view of the files, until the time is over. Run by clickhouse.py in a process of its own."""
import json
import os
import sys
import time

from chdb import session

SETTINGS = {
    "max_threads": "2",
    "session_timezone": "'UTC'",
    "date_time_output_format": "'iso'",
    "output_format_json_quote_decimals": "1",
    "output_format_decimal_trailing_zeros": "1",
}


def main():
    task = json.load(sys.stdin)
    chdb = session.Session()
    for name, value in SETTINGS.items():
        chdb.query(f"SET {name} = {value}")
    chdb.query("CREATE DATABASE bench ENGINE = Memory")
    chdb.query("USE bench")
    folder = os.path.commonpath(task["files"])
    names = ",".join(os.path.relpath(file, folder) for file in task["files"])
    chdb.query(f"CREATE VIEW events AS SELECT * FROM file('{folder}/{{{names}}}', 'Parquet')")
    rows, us = {}, {name: [] for name in task["queries"]}
    end = time.monotonic() + task["seconds"]
    while time.monotonic() < end:
        for name, text in task["queries"].items():
            began = time.monotonic()
            answer = chdb.query(text, "JSONCompact").bytes()
            us[name].append((time.monotonic() - began) * 1e6)
            rows[name] = json.loads(answer)["data"]
    print(json.dumps({"rows": rows, "us": us}))


main()
