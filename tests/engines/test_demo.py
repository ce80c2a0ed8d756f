# SPDX-License-Identifier: Apache-2.0
"""The lines that the demo prints for DuckDB and Spark can be pasted."""

from demo_run import QUAKES, output_in_clean_shell, printed_lines


def test_lines_of_duckdb_and_spark_work_in_a_clean_shell(tmp_path):
    with printed_lines(tmp_path / "data") as lines:
        lines = [line for line in lines if "fetch engines" in line]
        assert len(lines) == 2
        for line in lines:
            assert output_in_clean_shell(line, tmp_path).strip() == QUAKES, line
