# SPDX-License-Identifier: Apache-2.0
"""Everything wrong that a client can send as SQL: the status, the slug, the kind, a sentence that names what is wrong."""

import json
import os
import pathlib
import threading
import time

import pytest

from problems import assert_problem
from raw_http import exchange, head
from sluice_server import Server, event

MIB = 1 << 20
STATEMENT_BYTES_MAX, PARAMETERS_MAX, TIMEOUT_MS_MAX = MIB, 1_000, 3_600_000
ROWS = 100


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("bad-sql") / "data") as server:
        server.send([event(n) for n in range(ROWS // 2)])
        server.flush()
        server.send([event(n) for n in range(ROWS // 2, ROWS)])
        yield server


def ask(server, sql, **more):
    return server.post("/v1/sql", json.dumps({"sql": sql, **more}))


def assert_answers(server):
    assert server.sql("SELECT count(*), count(DISTINCT id) FROM bronze.events") == [[ROWS, ROWS]]


# ---- requests -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ['{"sql": ', '{"sql": "SELECT 1"} x', '{"sql": "SELECT 1",}', "{'sql': 'SELECT 1'}", '{"sql": "SELECT 1", "sql": "SELECT 2"}',
                                  '{"a":' + "[" * 200 + "]" * 200 + "}", b'{"sql": "SELECT \xff"}'])
def test_body_that_is_no_json_is_refused(shared, body):
    assert_problem(shared.post("/v1/sql", body), 400, "malformed-body", ["not JSON", '{"sql":"..."}'])
    assert_answers(shared)


@pytest.mark.parametrize("members, words", [
    ({}, ["sql", "missing"]), ({"sql": 5}, ["sql", "string"]), ({"sql": None}, ["sql", "string"]),
    ({"sql": "SELECT 1", "parameters": []}, ["parameters", "params"]), ({"statement": "SELECT 1"}, ["statement"]),
    ({"sql": "SELECT 1", "params": {"a": 1}}, ["params", "array"]), ({"sql": "SELECT 1", "params": 5}, ["params", "array"]),
    ({"sql": "SELECT 1", "params": None}, ["params", "array"]),
    ({"sql": "SELECT ?", "params": [[1]]}, ["array", "params"]), ({"sql": "SELECT ?", "params": [{}]}, ["object", "params"]),
    ({"sql": "SELECT 1", "timeout_ms": 0}, ["timeout_ms", str(TIMEOUT_MS_MAX)]), ({"sql": "SELECT 1", "timeout_ms": -1}, ["timeout_ms"]),
    ({"sql": "SELECT 1", "timeout_ms": TIMEOUT_MS_MAX + 1}, ["timeout_ms"]), ({"sql": "SELECT 1", "timeout_ms": "1"}, ["timeout_ms", "integer"]),
    ({"sql": "SELECT 1", "timeout_ms": 1.5}, ["timeout_ms", "integer"]),
])
def test_wrong_members_are_named(shared, members, words):
    assert_problem(shared.post("/v1/sql", json.dumps(members)), 422, "invalid-sql", words)
    assert_answers(shared)


@pytest.mark.parametrize("sql, params", [("SELECT ?", []), ("SELECT $1 + $2", [1]), ("SELECT 1", [1]), ("SELECT $1", [1, 2])])
def test_wrong_number_of_parameters_is_refused(shared, sql, params):
    problem = assert_problem(ask(shared, sql, params=params), 422, "invalid-sql")
    assert "parameter" in problem["detail"].lower(), problem
    assert_answers(shared)


def test_size_of_a_statement(shared):
    fits = "SELECT 1 --" + "x" * (STATEMENT_BYTES_MAX - 11)
    assert shared.post("/v1/sql", fits, "text/plain").json()["rows"] == [[1]]
    assert_problem(shared.post("/v1/sql", fits + "x", "text/plain"), 413, "body-too-large", [str(STATEMENT_BYTES_MAX)])
    assert_problem(ask(shared, fits + "x"), 413, "body-too-large", [str(STATEMENT_BYTES_MAX)])
    assert_problem(exchange(shared.url, head("POST", "/v1/sql", [("content-length", 10 * MIB)])), 413, "body-too-large")
    assert_answers(shared)


def test_number_of_parameters(shared):
    marks = ", ".join("?" * PARAMETERS_MAX)
    assert len(ask(shared, f"SELECT {marks}", params=[0] * PARAMETERS_MAX).json()["rows"][0]) == PARAMETERS_MAX
    assert_problem(ask(shared, f"SELECT {marks}, ?", params=[0] * (PARAMETERS_MAX + 1)), 413, "body-too-large", [str(PARAMETERS_MAX)])


# ---- statements -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sql, position", [("SELEC 1", 1), ("SELECT 1 FROM", None), ("SELECT count(* FROM bronze.events", 16), ("SELECT id FROM bronze.events WHRE 1 = 1", 35),
                                           ("SELECT 'open", None), ("SELECT 1 1", None)])
def test_syntax_error_has_its_place(shared, sql, position):
    problem = assert_problem(ask(shared, sql), 422, "invalid-sql")
    assert problem["kind"] == "syntax" and problem["detail"]
    assert position is None or problem["position"] == position, problem
    assert_answers(shared)


@pytest.mark.parametrize("sql, wrong, nearest", [
    ("SELECT tpye FROM bronze.events", "tpye", "type"), ("SELECT e.subjct FROM bronze.events e", "subjct", "subject"),
    ("SELECT count(*) FROM bronze.evnts", "evnts", "events"), ("SELECT cuont(id) FROM bronze.events", "cuont", "count"),
])
def test_unknown_name_names_the_nearest(shared, sql, wrong, nearest):
    problem = assert_problem(ask(shared, sql), 422, "invalid-sql", [wrong])
    assert problem["kind"] == "unknown_name"
    assert nearest in problem["detail"] + problem.get("hint", ""), problem
    assert_answers(shared)


@pytest.mark.parametrize("sql", ["", "   ", ";", "-- nothing"])
def test_no_statement_is_refused(shared, sql):
    problem = assert_problem(ask(shared, sql), 422, "invalid-sql", ["no statement"])
    assert problem["kind"] == "syntax"


@pytest.mark.parametrize("sql", [
    "INSERT INTO bronze.events (id) VALUES ('x')", "DELETE FROM bronze.events", "UPDATE bronze.events SET id = 'x'", "DROP TABLE bronze.events",
    "CREATE TABLE t (a INT)", "CREATE VIEW v AS SELECT 1", "ALTER TABLE bronze.events ADD COLUMN x INT", "COPY (SELECT 1) TO '/tmp/x'", "ATTACH '/tmp/x.db'",
    "PRAGMA database_list", "SET threads = 1", "RESET threads", "INSTALL httpfs", "LOAD httpfs", "CALL duckdb_settings()", "EXPORT DATABASE '/tmp/x'", "BEGIN", "COMMIT", "VACUUM",
    "CHECKPOINT", "USE bronze", "SELECT 1; SELECT 2", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')", "SELECT * FROM parquet_scan('x.parquet')", "SELECT getenv('HOME')",
])
def test_what_is_more_than_a_question_is_refused(shared, sql):
    answer = ask(shared, sql)
    problem = assert_problem(answer, answer.status, "forbidden" if answer.status == 403 else "invalid-sql")
    assert answer.status in (403, 422) and (problem["kind"] == "forbidden") == (answer.status == 403), problem
    if not sql.startswith(("SELECT *", "SELECT getenv", "PRAGMA")):  # of those the function is not there at all
        assert answer.status == 403, problem
    assert_answers(shared)


@pytest.mark.parametrize("sql", ["SELECT CAST('x' AS INT)", "SELECT id + 1 FROM bronze.events", "SELECT sum(data) FROM bronze.events", "SELECT 1 WHERE 1 = 'a'",
                                 "SELECT error('what the statement says')", "SELECT id FROM bronze.events GROUP BY type", "SELECT 9223372036854775807 + 1"])
def test_statement_that_fails_says_why(shared, sql):
    problem = assert_problem(ask(shared, sql), 422, "invalid-sql")
    assert problem["kind"] == "invalid" and len(problem["detail"]) > 10, problem
    assert_answers(shared)


def test_statement_that_is_no_utf8_is_refused(shared):
    answer = shared.post("/v1/sql", b"SELECT '\xff'", "text/plain")
    assert_problem(answer, answer.status, "invalid-sql" if answer.status == 422 else "malformed-body", ["nicode"])
    assert_answers(shared)


ENDLESS = "SELECT count(*) FROM range(1000000000000) a, range(1000000) b"


def test_statement_ends_at_its_timeout(shared):
    began = time.monotonic()
    problem = assert_problem(ask(shared, ENDLESS, timeout_ms=300), 504, "statement-timeout", ["timeout_ms"])
    assert problem["kind"] == "timeout" and time.monotonic() - began < 20
    assert_answers(shared)


# DuckDB advises settings, which a statement cannot reach.
def test_statement_that_takes_all_memory_ends_alone_and_is_told_what_it_can_do(shared):
    problem = assert_problem(ask(shared, "SELECT length(repeat('x', 3000000000))"), 422, "invalid-sql", ["less"])
    assert problem["kind"] in ("out_of_memory", "worker_died") and "SET " not in problem["detail"], problem
    assert_answers(shared)


WORKERS = 3  # two and a spare


def policies(server):
    """Of the threads of each worker: the scheduler's policies."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((process / "stat").read_text().rsplit(")", 1)[1].split()[1]) == server.process.pid:
                found.append({os.sched_getscheduler(int(task.name)) for task in (process / "task").iterdir()})
        except OSError:  # it has ended meanwhile
            pass
    return found


def test_statement_that_takes_long_leaves_the_cores_to_the_log_and_the_next_one_does_not(server):
    all_new = [{os.SCHED_OTHER}] * WORKERS
    server.wait_until(lambda: policies(server) == all_new)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(server, ENDLESS, timeout_ms=3_000)))
    asking.start()
    server.wait_until(lambda: {os.SCHED_IDLE} in policies(server))
    assert {os.SCHED_OTHER} in policies(server), "the others stay as they are"
    asking.join()
    assert_problem(answers[0], 504, "statement-timeout", [])
    server.wait_until(lambda: policies(server) == all_new)


def test_more_statements_than_workers_wait_and_none_is_lost(shared):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(shared, ENDLESS, timeout_ms=1_000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    slugs = {answer.json()["type"].rsplit(":", 1)[1] for answer in answers}
    assert len(answers) == 8 and {a.status for a in answers} <= {429, 504} and slugs <= {"busy", "statement-timeout"}
    assert all(("Retry-After" in a.headers) == (a.status == 429) for a in answers)
    assert_answers(shared)


# A failure behind the first rows: no format may look complete.
@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"])
def test_failure_behind_the_first_rows_is_no_silent_cut(shared, accept):
    sql = "SELECT range, CASE WHEN range = 3000000 THEN error('far in') ELSE 'x' END AS x FROM range(4000000)"
    try:
        answer = shared.post("/v1/sql", json.dumps({"sql": sql}), headers={"accept": accept})
        whole = answer.body
    except Exception as cut:  # the stream broke: what a client sees as a failure
        assert "text/csv" in accept or "arrow" in accept, cut
        whole = None
    if whole is not None:
        assert answer.status == 422 or b"far in" in whole[-2000:], whole[-200:]
    assert_answers(shared)
