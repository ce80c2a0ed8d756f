# SPDX-License-Identifier: Apache-2.0
"""The Iceberg tables of a Sluice directory as others see them: PyIceberg finds the files, DuckDB reads them."""
import duckdb
from pyiceberg.catalog import load_catalog


def data_files(data, table="bronze.events"):
    """Paths of the table's current snapshot."""
    catalog = load_catalog("sluice", type="sql", uri=f"sqlite:///{data}/catalog.db", warehouse=f"file://{data}/warehouse")
    tasks = list(catalog.load_table(table).scan().plan_files())
    assert not any(task.delete_files for task in tasks), "DuckDB would show deleted rows"
    return [task.file.file_path.removeprefix("file://") for task in tasks]


def open_files(files, name="events", threads=2):
    """DuckDB with a view of that name over the files."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("SET TimeZone = 'UTC'")
    names = ", ".join(f"'{f}'" for f in files)
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{names}], hive_partitioning = false, union_by_name = true)")
    return connection
