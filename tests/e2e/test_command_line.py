# SPDX-License-Identifier: Apache-2.0
"""The command line as a person meets it: typos, pipes, time zones, exit codes."""

import json
import os
import subprocess

import pytest

from sluice_server import BINARY, event, run


@pytest.mark.parametrize("typed, nearest", [
    (["tabel"], 'there is no command "tabel" (did you mean `sluice table`?)'),
    (["table", "lst"], 'there is no command "lst" (did you mean `sluice table list`?)'),
    (["topic", "describ", "raw-events"], 'there is no command "describ" (did you mean `sluice topic describe`?)'),
    (["table", "flush", "bronze.events", "--timeot", "5"], "there is no flag --timeot (did you mean `--timeout`?)"),
    (["sql", "--comand=SELECT 1"], "there is no flag --comand (did you mean `--command`?)"),
    (["serve", "--lisen", "127.0.0.1:0"], "there is no flag --lisen (did you mean `--listen`?)"),
    (["serve", "--set", "tier.intervall_ms=5"], "did you mean tier.interval_ms=...?"),
    (["table", "zzzzzzzz"], 'there is no command "zzzzzzzz" (`sluice table --help` tells more)'),
    (["table"], "say which: list, describe, files, flush, resume, snapshots"), (["table", "list", "--url"], "--url"), (["send"], "--help"), (["sql", "--timeout", "0", "-c", "SELECT 1"], "--help"),
])
def test_typo_is_answered_with_the_nearest_name_and_exit_code_2(typed, nearest):
    done = run(*typed)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert nearest in done.stderr and done.stderr.startswith("sluice") and done.stderr.count("\n") == 1, done.stderr


def test_bare_sluice_says_what_to_type_next():
    done = run()
    assert done.returncode == 0 and done.stderr == ""
    for part in ("sluice serve", "sluice send -", "SELECT id, type, data FROM bronze.events"):
        assert part in done.stdout


def test_help_and_version_succeed():
    for arguments in (["help"], ["--help"], ["help", "table"], ["table", "--help"], ["table", "resume", "--help"], ["version"], ["--version"]):
        done = run(*arguments)
        assert done.returncode == 0 and done.stdout and not done.stderr, arguments


def test_a_table_that_is_not_there_is_said_by_every_verb(server):
    server.send([event(1)])
    for verb in ("describe", "snapshots", "files", "flush", "resume"):
        done = run("table", verb, "bronze.evnts", "--url", server.url)
        assert done.returncode == 1 and done.stdout == "" and "there is no table bronze.evnts (did you mean bronze.events?)" in done.stderr, (verb, done)


def test_no_server_is_one_sentence_and_exit_code_1():
    nowhere = "http://127.0.0.1:1"
    for arguments in (["status"], ["table", "list"], ["sql", "-c", "SELECT 1"], ["send", "-"]):
        done = run(*arguments, "--url", nowhere, stdin=json.dumps(event(1)) + "\n")
        assert done.returncode == 1 and f"no server at {nowhere}" in done.stderr and "sluice serve" in done.stderr, done


@pytest.mark.parametrize("command", ["docs cli", "table files bronze.events -o json", "sql -o csv -c 'SELECT * FROM range(300000)'", "sql -c 'SELECT * FROM range(20000)'"])
def test_a_reader_that_has_seen_enough_ends_the_command_quietly(command, server):
    server.send([event(1)])
    server.flush()
    environment = {**os.environ, "SLUICE_URL": server.url}
    done = subprocess.run(["bash", "-c", f"{BINARY} {command} | head -1; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, timeout=60, env=environment, check=True)
    assert done.stderr == "" and done.stdout.splitlines()[-1] == "0", done


def test_times_are_utc_whatever_tz_says(server):
    server.send([event(3661)])  # 2026-01-15T01:01:01Z
    for zone in ("America/New_York", "Asia/Tokyo", ""):
        environment = {"TZ": zone, "SLUICE_URL": server.url}
        for shape in ("table", "json", "csv"):
            done = run("sql", "-o", shape, "-c", "SELECT time, CAST(time AS VARCHAR) AS text, date_trunc('day', time) AS day FROM bronze.events", environment=environment)
            assert done.returncode == 0 and "2026-01-15T01:01:01" in done.stdout.replace("15 01", "15T01"), done
            assert "20:01:01" not in done.stdout and "10:01:01" not in done.stdout, done.stdout
        berlin = run("sql", "-c", "SELECT time FROM bronze.events", "--timezone", "Europe/Berlin", environment=environment)
        assert "02:01:01" in berlin.stdout, berlin.stdout
    wrong = run("sql", "-c", "SELECT 1", "--timezone", "Mars/Olympus", "--url", server.url)
    assert wrong.returncode == 2 and "Mars/Olympus" in wrong.stderr


def test_compressed_events_are_the_same_events(server):
    lines = "".join(json.dumps(event(n)) + "\n" for n in range(1000))
    plain = run("send", "-", "--url", server.url, stdin=lines)
    packed = run("send", "-", "--gzip", "--url", server.url, stdin=lines)
    assert plain.returncode == packed.returncode == 0, plain.stderr + packed.stderr
    assert "1000 accepted, 0 duplicates" in plain.stdout and "0 accepted, 1000 duplicates" in packed.stdout


def test_status_shows_the_bytes_of_each_part(server):
    server.send([event(n) for n in range(100)])
    server.flush()
    done = run("status", "--url", server.url)
    assert done.returncode == 0
    shown = {line.split("  ")[0]: line for line in done.stdout.splitlines() if "  " in line}
    for part in ("journal", "topic files", "deduplication", "hot rows", "memory", "tables"):
        assert part in shown and "B" in shown[part], done.stdout
    assert "KiB in their newest snapshots" in shown["tables"]
    files = sum(file.stat().st_size for file in server.data.glob("warehouse/bronze/events/data/**/*.parquet"))
    answer = server.get("/v1/status").json()
    assert answer["tables"][0]["bytes_lake"] == files > 0
    assert all(answer["memory"][part] > 0 for part in ("private_bytes", "remembered_ids_bytes", "commits_bytes"))
    assert answer["memory"]["manifests_bytes"] == 0 and "used_heap_bytes" in answer["memory"]  # a sanitizer's heap tells nothing
    server.sql("SELECT id FROM bronze.events__lake LIMIT 1")
    assert server.get("/v1/status").json()["memory"]["manifests_bytes"] > 0
    journal = [file.stat().st_size for file in (server.data / "log/journal").iterdir() if file.name.endswith(".segment") or file.name.startswith("spare-")]
    assert answer["log"]["journal_bytes"] == sum(journal)
    assert answer["log"]["journal_segments"] + answer["log"]["spare_segments"] == len(journal)


def test_an_error_in_a_script_names_its_line(server, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text("-- three statements\nSELECT 1;\n\nSELECT\n  nope;\nSELECT 3;\n")
    done = run("sql", "-f", str(script), "--url", server.url)
    assert done.returncode == 1 and "line 5:   nope\n" in done.stderr and done.stdout.count("row)") == 1, done


@pytest.mark.parametrize("command", ["sql -o csv -c 'SELECT 1'", "sql -c 'SELECT 1'", "table list", "help", "version"])
def test_output_that_is_lost_is_said_and_exit_code_1(command, server):
    done = subprocess.run(["bash", "-c", f"{BINARY} {command} >/dev/full"], capture_output=True, text=True, timeout=60, env={**os.environ, "SLUICE_URL": server.url}, check=False)
    assert done.returncode == 1 and "the output cannot be written: No space left on device" in done.stderr, done


def test_refused_events_are_exit_code_1_and_named(server):
    lines = json.dumps(event(1)) + "\n" + json.dumps({**event(2), "id": ""}) + "\n"
    done = run("send", "-", "--url", server.url, stdin=lines)
    assert done.returncode == 1 and "record 2: /id" in done.stderr, done
    assert server.sql("SELECT 1 WHERE false") == []
    wrong = run("sql", "-c", "SELEC 1", "--url", server.url)
    assert wrong.returncode == 1 and "line 1: SELEC 1" in wrong.stderr and "^" in wrong.stderr, wrong.stderr
