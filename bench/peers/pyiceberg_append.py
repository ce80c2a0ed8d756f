# SPDX-License-Identifier: Apache-2.0
"""PyIceberg's part: a file of events, parsed by DuckDB, appended to a new table as one commit. Run by suites/streams.py in a process of its own."""
import json
import pathlib
import resource
import sys
import time

import duckdb
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import HourTransform, IdentityTransform
from pyiceberg.types import NestedField, StringType, TimestamptzType

NAMES = ("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data")


def main(events, folder):
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    catalog.create_namespace("bronze")
    schema = Schema(*(NestedField(i + 1, name, TimestamptzType() if name == "time" else StringType()) for i, name in enumerate(NAMES)))
    partitions = PartitionSpec(PartitionField(4, 1000, IdentityTransform(), "type"), PartitionField(5, 1001, HourTransform(), "time_hour"))
    table = catalog.create_table("bronze.events", schema, partition_spec=partitions,
                                 properties={"write.parquet.compression-codec": "zstd", "write.parquet.compression-level": "1"})
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    began = time.monotonic()
    columns = {name: "TIMESTAMPTZ" if name == "time" else "JSON" if name == "data" else "VARCHAR" for name in NAMES}
    rows = connection.execute("SELECT * REPLACE (CAST(data AS VARCHAR) AS data) FROM read_json(?, format = 'newline_delimited', columns = ?)",
                              [events, columns]).to_arrow_table()
    table.append(rows.cast(table.schema().as_arrow()))
    seconds = time.monotonic() - began
    ids = connection.execute("SELECT count(DISTINCT id) FROM rows").fetchone()[0]
    size = sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*.parquet"))
    print(json.dumps({"rows": rows.num_rows, "ids": ids, "seconds": seconds, "bytes_per_row": size / rows.num_rows,
                      "memory": {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}}))


main(*sys.argv[1:])
