# SPDX-License-Identifier: Apache-2.0
"""The shell on a real terminal: what a person types, and what comes back."""

import os
import signal

import pytest

from sluice_server import event
from terminal import CTRL_C, CTRL_D, UP, Terminal

PROMPT, MORE = "sluice> ", "   ...> "
FOREVER = "SELECT count(*) FROM range(100000000000) a, range(1000) b"


def open_shell(server, home):
    return Terminal("sql", "--url", server.url, home=home)


@pytest.fixture
def shell(server, tmp_path):
    assert server.send([event(1), event(2)]).status == 200
    with open_shell(server, tmp_path) as opened:
        opened.read_until(PROMPT)
        yield opened


def test_statements_may_have_many_lines_and_null_is_not_the_empty_string(shell):
    shell.ask("SELECT NULL AS nothing,", MORE)
    answer = shell.ask("'' AS empty, 'x' AS one;", "(1 row)")
    row = [line for line in answer.splitlines() if "NULL" in line and "x" in line and "SELECT" not in line]
    assert len(row) == 1 and row[0].count("NULL") == 1, answer


def test_commands_of_the_shell(shell):
    assert "bronze.events" in shell.ask("\\d", "raw-events")
    columns = [[cell.strip() for cell in line.split("│")] for line in shell.ask("\\d bronze.events", "rows)").splitlines()]
    assert ["column", "type", "nullable", "partition"] in columns
    assert ["time", "TIMESTAMP WITH TIME ZONE", "no", "hour"] in columns and ["subject", "VARCHAR", "yes", ""] in columns
    assert "file_path" in shell.ask("\\d bronze.events__files;", "rows)")
    assert "line 1: DESCRIBE bronze.nothing" in shell.ask("\\d bronze.nothing", "^")
    shell.ask("\\timing", "timing is on")
    assert " ms, " in shell.ask("SELECT count(*) FROM bronze.events;", "pruned)")
    shell.ask("\\timing", "timing is off")
    shell.ask("\\x", "a block a row")
    shell.ask("\\nonsense", "there is no command \\nonsense")
    assert "\\timing" in shell.ask("\\?", "this")


def test_interrupt_cancels_the_statement_and_not_the_shell(shell, server):
    shell.wait_until_it_reads()
    shell.type(FOREVER + ";\n")
    shell.wait_until_it_works()
    shell.type(CTRL_C)
    shell.read_until("cancelled")
    assert "42" in shell.ask("SELECT 6 * 7 AS answer;", "(1 row)")
    shell.type("SELECT 'half of a")
    shell.read_until("half of a")
    shell.type(CTRL_C)
    shell.read_until(PROMPT)
    assert "43" in shell.ask("SELECT 43;", "(1 row)"), "what was half typed is forgotten"
    shell.ask("SELEC 1;", "^")
    assert "44" in shell.ask("SELECT 44;", "(1 row)"), "an error is not the end"


def test_a_table_wider_than_the_terminal_leaves_columns_out(shell):
    answer = shell.ask("SELECT * FROM bronze.events;", "shows all")
    table = [line for line in answer.splitlines() if "│" in line or "┼" in line]
    assert len(table) == 4 and max(map(len, table)) <= 120, answer
    assert table[0].startswith("id ") and table[0].endswith("producer") and "…" in table[0], answer
    assert "(2 rows)  " in answer and " columns left out; a block a row (\\x, -x)" in answer
    shell.ask("\\x", "a block a row")
    assert "ingested_at" in shell.ask("SELECT * FROM bronze.events;", "(2 rows)")


def test_interrupt_ends_a_long_answer_and_not_the_shell(shell):
    shell.type("SELECT * FROM range(1000000);\n")
    shell.read_until(" 10\n")
    shell.type(CTRL_C)
    shell.read_until("cancelled")
    assert "45" in shell.ask("SELECT 45;", "(1 row)")


def test_commands_work_in_the_middle_of_a_statement_and_not_in_a_quote(shell):
    shell.ask("SELECT 1,", MORE)
    shell.ask("\\timing", "timing is on")
    shell.ask("'", MORE)
    shell.ask("\\q", MORE)
    assert "│ \\n\\q\\n" in shell.ask("' AS text;", "(1 row)")
    shell.ask("SELECT 1,", MORE)
    shell.type("\\q\n")
    assert shell.wait() == 0


def test_history_is_kept_for_the_next_shell(server, tmp_path):
    with open_shell(server, tmp_path) as first:
        first.read_until(PROMPT)
        first.ask("SELECT 123456 AS n;", "(1 row)")
        first.type("\\q\n")
        assert first.wait() == 0
    with open_shell(server, tmp_path) as second:
        second.read_until(PROMPT)
        second.type(UP + UP)  # the last was \q
        second.read_until("SELECT 123456 AS n;")
        second.type("\n")
        assert "123456" in second.read_until("(1 row)")
        second.read_until(PROMPT)
        second.type(CTRL_D)
        assert second.wait() == 0
    assert os.stat(tmp_path / ".local/state/sluice/sql_history").st_mode & 0o077 == 0, "statements are nobody else's business"


def test_termination_ends_the_shell(shell):
    shell.process.send_signal(signal.SIGTERM)
    assert shell.wait() == 0
