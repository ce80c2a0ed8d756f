# SPDX-License-Identifier: Apache-2.0
"""PyIceberg, DuckDB's Iceberg extension and Spark read the tables of the real binary: same rows, every value, same counts."""

import collections
import datetime

import duckdb
import pytest

from lake import load_table
from lake_content import LAST
from readers import DuckDb, PyIceberg, by_id
from sluice_server import event

UTC = datetime.timezone.utc
COLUMNS = ["id", "source", "type", "specversion", "time", "subject", "datacontenttype", "dataschema", "data", "data_binary", "extensions", "traceparent",
           "tracestate", "partitionkey", "sequence", "correlationid", "causationid", "schema_version", "schema_id", "tenant", "ingested_at",
           "is_late_arrival", "log_partition", "log_offset", "producer"]


def test_every_reader_sees_every_value_that_was_sent(events, every_reader):
    want = by_id(events)
    seen = []
    for reader in every_reader:
        rows = by_id(reader.rows("bronze.events"))
        assert [list(row) for row in rows] == [COLUMNS] * len(want), reader.name
        seen.append(rows)
        for row, expectation in zip(rows, want, strict=True):
            assert {name: row[name] for name in expectation} == expectation, reader.name
    assert seen[0] == seen[1] == seen[2]  # ingested_at included, which only the server knows
    assert all(row["ingested_at"].tzinfo and row["ingested_at"].year >= 2024 for row in seen[0])


def test_every_reader_sees_every_earthquake(quakes, every_reader):
    want = sorted(quakes, key=lambda row: row["id"])
    seen = []
    for reader in every_reader:
        rows = by_id(reader.rows("bronze.quakes"))
        assert [{name: row[name] for name in want[0]} for row in rows] == want, reader.name
        seen.append(rows)
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("table, unit", [("bronze.events", datetime.timedelta(hours=1)), ("bronze.quakes", datetime.timedelta(days=1))])
def test_every_partition_has_the_rows_that_belong_there(table, unit, events, quakes, data, spark):
    epoch = datetime.datetime(1970, 1, 1, tzinfo=UTC)
    rows = events if table == "bronze.events" else quakes
    want = collections.Counter((row["type"], (row["time"] - epoch) // unit) for row in rows)
    days = {(kind, epoch.date() + datetime.timedelta(days=number) if unit.days else number): count for (kind, number), count in want.items()}
    assert _numbers(spark.partitions(table), epoch) == want
    assert _numbers(PyIceberg(data).partitions(table), epoch) == want
    files = DuckDb(data).files(table)
    assert sum(count for _, count in files) == len(rows)
    assert collections.Counter(count for _, count in files) == collections.Counter(days.values()), "one file a partition, as none was written twice"


def _numbers(partitions, epoch):
    """Days are dates in some readers and numbers in others."""
    return {(kind, (when - epoch.date()).days if isinstance(when, datetime.date) else when): count for (kind, when), count in partitions.items()}


CONDITIONS = [
    ("bronze.events", "id = 'full'"),
    ("bronze.events", "id > 'hour-060'"),
    ("bronze.events", f"id >= '{LAST}'"),
    ("bronze.events", f"subject >= '{LAST * 20}'"),
    ("bronze.events", "subject > 'aaaaaaaaaaaaaaaa'"),
    ("bronze.events", "subject <= 'aaaaaaaaaaaaaaaa'"),
    ("bronze.events", "subject > 'éééééééééééééééé'"),
    ("bronze.events", "subject is null"),
    ("bronze.events", "subject is not null"),
    ("bronze.events", "source = '/süd/東京'"),
    ("bronze.events", "type = 'engine.t1'"),
    ("bronze.events", "type in ('engine.t2', 'engine.bare', 'engine.none')"),
    ("bronze.events", "type like 'engine.t%'"),
    ("bronze.events", "time < '1970-01-01T00:00:00+00:00'"),
    ("bronze.events", "time >= '2026-01-17T05:59:59.999999+00:00' and time < '2026-01-17T07:59:59.999999+00:00'"),
    ("bronze.events", "is_late_arrival = true"),
    ("bronze.events", "log_offset < 3"),
    ("bronze.events", "data is null"),
    ("bronze.quakes", "type <> 'gov.usgs.earthquake' and time >= '2018-02-05T00:00:00+00:00'"),
    ("bronze.quakes", "id < 'ak2'"),
]


@pytest.mark.parametrize("table, condition", CONDITIONS)
def test_no_condition_prunes_a_row_that_matches(table, condition, data, server, every_reader):
    """Readers skip partitions, files, row groups and pages by what we wrote about them; a wrong bound would lose rows."""
    everything = load_table(data, table).scan().to_arrow()
    want = sorted(row[0] for row in duckdb.sql(f"SELECT id FROM everything WHERE {condition}").fetchall())
    assert 0 < len(want) < len(everything), "a condition that nothing or everything matches proves nothing"
    assert sorted(row[0] for row in server.sql(f"SELECT id FROM {table} WHERE {condition}")) == want, "Sluice"
    for reader in every_reader:
        assert sorted(row["id"] for row in reader.rows(table, condition)) == want, reader.name


def test_old_snapshots_stay_readable(events, server, every_reader):
    snapshots = [row[0] for row in server.sql("SELECT snapshot_id FROM bronze.events__snapshots ORDER BY committed_at")]
    assert len(snapshots) >= 2
    for reader in every_reader:
        assert reader.snapshots("bronze.events") == snapshots, reader.name
        for snapshot in snapshots:
            want = sorted(row[0] for row in server.sql(f"SELECT id FROM bronze.events AT (VERSION => {snapshot})"))
            assert sorted(row["id"] for row in reader.rows("bronze.events", snapshot=snapshot)) == want, reader.name


# Spark rewrites the file of the deleted event (copy on write) and adds one; the topic's progress lives through both commits.
def test_sluice_goes_on_after_another_engine_has_written(server, data, spark):
    path = "/v1/topics/raw-shared/events"
    assert server.send([event(n, partitionkey="one") for n in range(10)], path=path).status == 200
    server.flush("bronze.shared")
    spark.sql("DELETE FROM sluice.bronze.shared WHERE id = 'id-00000003'")
    spark.sql(f"INSERT INTO sluice.bronze.shared SELECT 'from spark', {', '.join(COLUMNS[1:])} FROM sluice.bronze.shared WHERE id = 'id-00000004'")
    want = {f"id-{n:08d}" for n in range(10)} - {"id-00000003"} | {"from spark"}
    assert {row["id"] for row in spark.rows("bronze.shared")} == want
    answer = server.send([event(n, partitionkey="one") for n in range(20)], path=path).json()
    assert (answer["accepted"], answer["duplicates"]) == (10, 10)
    server.flush("bronze.shared")
    want = sorted(want | {f"id-{n:08d}" for n in range(10, 20)})
    assert sorted(row[0] for row in server.sql("SELECT id FROM bronze.shared")) == want
    for reader in (PyIceberg(data), DuckDb(data), spark):
        assert sorted(row["id"] for row in reader.rows("bronze.shared")) == want, reader.name


def test_our_sql_gives_what_the_readers_give(events, server, data):
    answer = server.post("/v1/sql", '{"sql": "SELECT id, time, data, subject, ingested_at FROM bronze.events"}').json()["rows"]
    ours = sorted((r[0], datetime.datetime.fromisoformat(r[1]), r[2], r[3], datetime.datetime.fromisoformat(r[4])) for r in answer)
    theirs = sorted((r["id"], r["time"], r["data"], r["subject"], r["ingested_at"]) for r in PyIceberg(data).rows("bronze.events"))
    assert ours == theirs
