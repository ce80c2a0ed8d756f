# SPDX-License-Identifier: Apache-2.0
"""Files that cannot hold a wanted row are not read: by partition, by bounds, by Bloom filter. Counted exactly."""

import hashlib
import json
import pathlib

import duckdb
import pytest

from lake import load_table
from sluice_server import Server, event

TYPES, DAYS, HOURS, EACH = ("shop.cart", "shop.order", "zoo.visit"), (14, 15, 16), (3, 15), 5
FILES = len(TYPES) * len(DAYS) * len(HOURS)  # one file a type and hour


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """18 files: three types, three days, two hours a day; three commits, one a day, so that there are three manifests."""
    with Server(tmp_path_factory.mktemp("pruning") / "data") as server:
        for day in DAYS:
            events = [event(0, id=f"{kind}-{day}-{hour:02d}-{n}", type=kind, time=f"2026-01-{day:02d}T{hour:02d}:30:00Z", source=f"/day/{day}",
                            **({"subject": "said"} if kind == "zoo.visit" else {}))
                      for kind in TYPES for hour in HOURS for n in range(EACH)]
            assert server.send(events).json()["accepted"] == len(events)
            server.flush()
        yield server


# condition, files that have to be read
CONDITIONS = [
    ("true", 18),
    ("type = 'shop.cart'", 6),
    ("event_type = 'shop.cart'", 6),
    ("type IN ('shop.cart', 'zoo.visit', 'none')", 12),
    ("type = 'shop.cart' OR type = 'zoo.visit'", 12),
    ("type LIKE 'shop.%'", 12),
    ("type LIKE 'shop.c%'", 6),
    ("starts_with(type, 'zoo')", 6),
    ("type ^@ 'shop'", 12),
    ("type IN (SELECT 'zoo.visit')", 6),
    ("type = lower('SHOP.CART')", 6),
    ("type = 'none'", 0),
    ("time >= '2026-01-16T00:00:00Z'", 6),
    ("time > '2026-01-15T03:30:00Z'", 9),  # the hour of the constant may hold later rows; the bounds tell that it does not
    ("time = '2026-01-15T03:30:00Z'", 3),
    ("time = '2026-01-15T03:29:59Z'", 0),
    ("time BETWEEN '2026-01-15T00:00:00Z' AND '2026-01-15T12:00:00Z'", 3),
    ("time::DATE = DATE '2026-01-15'", 6),
    ("time::DATE = '2026-01-15'", 6),
    ("DATE '2026-01-15' < time::DATE", 6),
    ("CAST(time AS DATE) <= '2026-01-15'", 12),
    ("time::DATE <> '2026-01-15'", 18),
    ("time::DATE BETWEEN '2026-01-15' AND '2026-01-16'", 12),
    ("time::DATE IN ('2026-01-15', '2026-01-16')", 12),
    ("event_timestamp::DATE = '2026-01-15'", 6),
    ("time::DATE = '2026-01-15' AND type = 'zoo.visit'", 2),
    ("date_trunc('day', time) = '2026-01-15'", 6),
    ("date_trunc('day', time::TIMESTAMP) = TIMESTAMP '2026-01-15'", 6),
    ("date_trunc('hour', time) > '2026-01-15T03:00:00Z'", 9),
    ("date_trunc('month', time) = '2026-01-01'", 18),
    ("date_trunc('month', time) > '2026-01-01'", 0),
    ("date_trunc('week', time) < '2026-01-12'", 0),
    ("date_trunc('year', time) <= '2025-06-01'", 0),
    ("time::TIMESTAMP >= TIMESTAMP '2026-01-16'", 6),
    ("time >= now() + INTERVAL 1 DAY", 0),
    ("subject IS NOT NULL", 6),
    ("subject IS NULL", 12),
    ("source = '/day/14'", 6),
    ("id = 'shop.cart-14-03-0'", 1),
    ("id = 'nowhere'", 0),
    ("id > 'zoo'", 6),
    ("data IS NULL", 0),
]


@pytest.mark.parametrize("condition, files", CONDITIONS)
def test_only_files_that_may_match_are_read(condition, files, shop):
    columns = "id, type, time, subject"
    answer = shop.post("/v1/sql", json.dumps({"sql": f"SELECT {columns} FROM bronze.events WHERE {condition} ORDER BY id"})).json()
    stats = answer["stats"]
    assert (stats["files_read"], stats["files_pruned"]) == (files, FILES - files)
    # The same rows as with a condition that nothing can be pruned by.
    everything = shop.sql(f"SELECT {columns} FROM (SELECT *, row_number() OVER () FROM bronze.events) WHERE {condition.replace('event_type', 'type').replace('event_timestamp', 'time')} ORDER BY id")
    assert answer["rows"] == everything


# Two scans of one table in one statement, each with conditions of its own: none may be answered with the files of the other.
SHAPES = [
    "SELECT (SELECT count(*) FROM {t} WHERE {a}), (SELECT count(*) FROM {t} WHERE {b}), (SELECT count(*) FROM {t})",
    "SELECT count(*), min(id), max(id) FROM (SELECT id FROM {t} WHERE {a} UNION ALL SELECT id FROM {t} WHERE {b})",
    "SELECT count(*), sum(l), sum(r) FROM (SELECT DISTINCT id, 1 AS l FROM {t} WHERE {a}) x FULL JOIN (SELECT DISTINCT id, 1 AS r FROM {t} WHERE {b}) y USING (id)",
    "SELECT count(*), count(y.id) FROM (SELECT * FROM {t} WHERE {a}) x LEFT JOIN (SELECT * FROM {t} WHERE {b}) y ON x.id = y.id AND y.type <> 'none'",
    "SELECT count(*) FROM {t} WHERE {a} AND id NOT IN (SELECT id FROM {t} WHERE {b})",
    "SELECT count(*) FROM {t} o WHERE {a} AND EXISTS (SELECT 1 FROM {t} i WHERE i.id = o.id AND i.source <> 'x' AND {b})",
    "WITH c AS MATERIALIZED (SELECT * FROM {t} WHERE {a}) SELECT count(*), (SELECT count(*) FROM c WHERE {b}) FROM c",
    "WITH c AS (SELECT * FROM {t}) SELECT (SELECT count(*) FROM c WHERE {a}), (SELECT count(*) FROM c WHERE {b}), count(*) FROM c",
    "SELECT count(*) FILTER ({a}), count(*) FILTER ({b}), count(*) FROM {t}",
    "SELECT id FROM {t} WHERE {a} OR {b} ORDER BY time DESC, id LIMIT 7",
]
PAIRS = [("time::DATE = '2026-01-14'", "time::DATE = '2026-01-15'"), ("date_trunc('day', time) = '2026-01-14'", "starts_with(type, 'zoo')"),
         ("subject IS NOT NULL", "subject IS NULL"), ("type = 'shop.cart'", "time::TIMESTAMP >= TIMESTAMP '2026-01-16'")]


@pytest.mark.parametrize("shape", SHAPES)
def test_scans_of_one_statement_do_not_share_their_conditions(shape, shop):
    unpruned = "(SELECT * EXCLUDE (r) FROM (SELECT *, row_number() OVER () AS r FROM bronze.events))"
    for a, b in [*PAIRS, *((b, a) for a, b in PAIRS)]:
        assert shop.sql(shape.format(t="bronze.events", a=a, b=b)) == shop.sql(shape.format(t=unpruned, a=a, b=b)), (a, b)


def test_parameters_prune_as_constants_do(shop):
    answer = shop.post("/v1/sql", json.dumps({"sql": "SELECT count(DISTINCT id) FROM bronze.events WHERE type = $1 AND time::DATE = $2", "params": ["zoo.visit", "2026-01-16"]})).json()
    assert answer["rows"] == [[2 * EACH]] and answer["stats"]["files_read"] == 2


def test_bytes_of_pruned_files_are_counted(shop):
    stats = [shop.post("/v1/sql", f"SELECT max(id) FROM bronze.events WHERE {condition}").json()["stats"] for condition in ("true", "type = 'shop.cart'")]
    assert stats[0]["bytes_pruned"] == 0
    assert stats[1]["bytes_read"] + stats[1]["bytes_pruned"] == stats[0]["bytes_read"]


ROWS, ROW_GROUP = 20_000, 1_000


def scattered_id(number):
    """Spread over all values, so that no row group's bounds leave it out."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def bytes_read_by_workers(server):
    """What all worker processes have read so far, from files and sockets."""
    children = [child for task in pathlib.Path(f"/proc/{server.process.pid}/task").iterdir() for child in (task / "children").read_text().split()]
    assert children
    return sum(int(pathlib.Path(f"/proc/{child}/io").read_text().split("rchar: ")[1].split()[0]) for child in children)


def test_a_bloom_filter_leaves_row_groups_unread(data):
    with Server(data, "--set", f"parquet.row_group_rows_max={ROW_GROUP}") as server:
        for first in range(0, ROWS, 5000):
            events = [event(0, id=scattered_id(n), data={"text": scattered_id(-n) * 4}) for n in range(first, first + 5000)]
            assert server.send(events, headers={"prefer": "return=minimal"}).json()["accepted"] == 5000
        server.flush()

        def cost(condition):
            before = bytes_read_by_workers(server)
            rows = server.sql(f"SELECT data FROM bronze.events WHERE {condition}")
            return rows, bytes_read_by_workers(server) - before

        wanted = scattered_id(4711)
        cost("true")  # footers are read once and kept
        cost("true")
        found, with_filter = cost(f"id = '{wanted}'")
        same, without = cost(f"id || '' = '{wanted}'")
        nothing, absent = cost("id = '" + "5" * 64 + "'")
        assert found == same and len(found) == 1 and nothing == []
        assert with_filter * 4 < without and absent < with_filter
    file = next(pathlib.Path(data / "warehouse/bronze/events/data").rglob("*.parquet"))
    excluded = [row[0] for row in duckdb.execute("SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, 'id', ?)", [str(file), wanted]).fetchall()]
    assert len(excluded) == ROWS // ROW_GROUP and excluded.count(False) <= 3, "one row group has it, about one in a hundred seems to"


def test_bounds_in_the_manifest_are_true_and_short(data):
    long = "a" * 15 + "é"
    with Server(data) as server:
        server.send([event(0, id=long + "1", subject="\ud7ff" * 16 + "b", source="/s", sequence="x" * 100),
                     event(0, id=long + "2", subject="\U0010fffd" * 20, data={"n": 1}, sequence="y" * 16)])
        server.flush()
    table = load_table(data)
    columns = {field.name: field.field_id for field in table.schema().fields}
    [file] = table.inspect.files().to_pylist()
    bounds = {name: (dict(file["lower_bounds"]).get(field), dict(file["upper_bounds"]).get(field)) for name, field in columns.items()}
    assert bounds["id"] == (long.encode(), ("a" * 15 + "ê").encode()), "cut after 16 characters, the last one counted up"
    assert bounds["subject"] == (("\ud7ff" * 16).encode(), ("\U0010fffd" * 15 + "\U0010fffe").encode())
    assert bounds["source"] == (b"/s", b"/tests/e2e"), "short ones stay whole"
    assert bounds["sequence"] == (b"x" * 16, b"y" * 16)
    assert bounds["data"] == bounds["data_binary"] == bounds["producer"] == (None, None)
    assert bounds["log_offset"][0] == (0).to_bytes(8, "little") and bounds["is_late_arrival"] == (b"\0", b"\0")
    counts, nulls = dict(file["value_counts"]), dict(file["null_value_counts"])
    assert all(counts[columns[name]] == 2 for name in ("id", "data", "producer"))
    assert nulls[columns["data"]] == 0 and nulls[columns["data_binary"]] == nulls[columns["producer"]] == 2
    assert file["record_count"] == 2 and file["file_size_in_bytes"] == pathlib.Path(file["file_path"].removeprefix("file://")).stat().st_size
