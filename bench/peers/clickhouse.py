# SPDX-License-Identifier: Apache-2.0
"""chdb, ClickHouse as a library (PyPI), over Parquet files. It runs in a process of its own: its allocator and DuckDB's do not meet."""
import json
import os
import re
import subprocess
import sys

from peers import install
from rounds import NotRun

# suites/queries.py in its dialect.
QUERIES = {
    "events by type, last hour": "SELECT type, count() AS n FROM $table WHERE time >= $since GROUP BY type ORDER BY type",
    "events a minute, last hour": "SELECT toStartOfMinute(time) AS minute, count() AS n FROM $table WHERE time >= $since GROUP BY minute ORDER BY minute",
    "ten busiest users, last hour": "SELECT subject, count() AS n FROM $table WHERE time >= $since GROUP BY subject ORDER BY n DESC, subject LIMIT 10",
    "revenue of orders, last hour": "SELECT count() AS n, sum(toDecimal64(JSONExtractString(assumeNotNull(data), 'amount'), 2)) AS revenue FROM $table "
                                    "WHERE type = 'shop.order.created' AND time >= $since",
    "payers, all time": "SELECT uniqExact(subject) AS n FROM $table WHERE type = 'shop.order.paid'",
    "one hour of long ago, one type": "SELECT count() AS n, min(time) AS first, max(time) AS last FROM $table WHERE type = 'shop.cart.updated' "
                                      "AND time >= $hour AND time < $hour + INTERVAL 1 HOUR",
    "one event by id": "SELECT id, type, subject, time FROM $table WHERE id = '$id'",
    "events by hour, all time": "SELECT toStartOfHour(time) AS hour, count() AS n FROM $table GROUP BY hour ORDER BY hour",
}


def queries(files, values, seconds):
    """As suites/queries.py asks DuckDB: rows of each query, and the microseconds that each took."""
    values = {name: re.sub(r"TIMESTAMPTZ '([^+']*)\+00'", r"toDateTime64('\1', 6, 'UTC')", value) for name, value in values.items()}
    texts = {}
    for name, text in QUERIES.items():
        for key, value in (values | {"table": "events"}).items():
            text = text.replace(f"${key}", value)
        texts[name] = text
    result = subprocess.run([sys.executable, install.HERE / "clickhouse_queries.py"], text=True, capture_output=True, timeout=600,
                            input=json.dumps({"files": [str(f) for f in files], "queries": texts, "seconds": seconds}),
                            env={**os.environ, "PYTHONPATH": str(install.python("chdb"))})
    if result.returncode != 0:
        raise NotRun(f"chdb: {(result.stderr.strip().splitlines() or [result.returncode])[-1]}")
    answer = json.loads(result.stdout)
    return answer["rows"], answer["us"]
