# SPDX-License-Identifier: Apache-2.0
"""The same questions to PyIceberg, DuckDB and Spark. Each is given the data directory and reads the tables by itself; nothing asks Sluice.

A row is a dictionary of column name to None, bool, int, str, bytes, dict or an aware datetime, so that rows of all readers compare equal.
A condition is SQL that all of them understand.
"""

import datetime
import os
import pathlib
import sqlite3

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
from pyiceberg.catalog import load_catalog
from pyspark.sql import SparkSession

JARS = pathlib.Path(os.environ["SLUICE_ENGINES"]) / "jars"
UTC = datetime.timezone.utc


class PyIceberg:
    name = "PyIceberg"

    def __init__(self, data):
        self.catalog = load_catalog("sluice", type="sql", uri=f"sqlite:///{data}/catalog.db", warehouse=f"file://{data}/warehouse")

    def rows(self, table, condition=None, snapshot=None):
        scan = self.catalog.load_table(table).scan(snapshot_id=snapshot, **({"row_filter": condition} if condition else {}))
        return [_row(row) for row in scan.to_arrow().to_pylist()]

    def partitions(self, table):
        return {tuple(p["partition"].values()): p["record_count"] for p in self.catalog.load_table(table).inspect.partitions().to_pylist()}

    def snapshots(self, table):
        return [s.snapshot_id for s in self.catalog.load_table(table).metadata.snapshots]


class DuckDb:
    name = "DuckDB"

    def __init__(self, data):
        self.catalog = pathlib.Path(data) / "catalog.db"
        self.connection = duckdb.connect()
        for package, extension in ((duckdb_extension_avro, "avro"), (duckdb_extension_iceberg, "iceberg")):
            file = pathlib.Path(package.__path__[0]) / "extensions" / f"v{duckdb.__version__}" / f"{extension}.duckdb_extension"
            self.connection.execute(f"LOAD '{file}'")

    def _metadata(self, table):
        namespace, name = table.split(".")
        with sqlite3.connect(self.catalog) as catalog:
            return catalog.execute("SELECT metadata_location FROM iceberg_tables WHERE table_namespace = ? AND table_name = ?", (namespace, name)).fetchone()[0]

    def rows(self, table, condition=None, snapshot=None):
        more = f", snapshot_from_id => {snapshot}" if snapshot else ""
        relation = self.connection.sql(f"SELECT * FROM iceberg_scan('{self._metadata(table)}'{more}) WHERE {condition or 'true'}")
        names = relation.columns
        return [_row(dict(zip(names, values))) for values in relation.fetchall()]

    def files(self, table):
        """[(path, rows)] of the data files."""
        return self.connection.sql(f"SELECT file_path, record_count FROM iceberg_metadata('{self._metadata(table)}')").fetchall()

    def snapshots(self, table):
        return [row[0] for row in self.connection.sql(f"SELECT snapshot_id FROM iceberg_snapshots('{self._metadata(table)}') ORDER BY sequence_number").fetchall()]


class Spark:
    name = "Spark"

    def __init__(self, data):
        self.session = (
            SparkSession.builder.master("local[2]")
            .config(map={
                "spark.jars": ",".join(str(jar) for jar in sorted(JARS.glob("*.jar"))),
                "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
                "spark.sql.catalog.sluice": "org.apache.iceberg.spark.SparkCatalog",
                "spark.sql.catalog.sluice.type": "jdbc",
                "spark.sql.catalog.sluice.uri": f"jdbc:sqlite:{data}/catalog.db",
                "spark.sql.catalog.sluice.warehouse": f"file://{data}/warehouse",
                "spark.sql.catalog.sluice.cache-enabled": "false",
                "spark.sql.session.timeZone": "UTC",
                "spark.sql.shuffle.partitions": "2",
                "spark.ui.enabled": "false",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.host": "127.0.0.1",
                "spark.local.dir": os.environ.get("TMPDIR", "."),
            })
            .getOrCreate())
        self.session.sparkContext.setLogLevel("ERROR")

    def sql(self, statement):
        return self.session.sql(statement).collect()

    def rows(self, table, condition=None, snapshot=None):
        at = f"VERSION AS OF {snapshot}" if snapshot else ""
        return [_row(row.asDict()) for row in self.sql(f"SELECT * FROM sluice.{table} {at} WHERE {condition or 'true'}")]

    def partitions(self, table):
        return {tuple(row[0]): row[1] for row in self.sql(f"SELECT partition, record_count FROM sluice.{table}.partitions")}

    def snapshots(self, table):
        return [row[0] for row in self.sql(f"SELECT snapshot_id FROM sluice.{table}.snapshots ORDER BY committed_at")]

    def close(self):
        self.session.stop()


def _row(row):
    return {name: _value(value) for name, value in row.items()}


def _value(value):
    if isinstance(value, datetime.datetime):  # Spark's have no zone and are local time, which is UTC here
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, bytearray):
        return bytes(value)
    if isinstance(value, list):  # PyArrow's way to write a map
        return dict(value)
    return value


def by_id(rows):
    return sorted(rows, key=lambda row: (row["id"], row["log_partition"], row["log_offset"]))
