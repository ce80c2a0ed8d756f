# SPDX-License-Identifier: Apache-2.0
"""What the demo prints can be pasted. Its lines for DuckDB and Spark are run by tests/engines."""

from demo_run import QUAKES, output_in_clean_shell, printed_lines


def test_printed_lines_work_in_a_clean_shell(data, tmp_path):
    with printed_lines(data) as lines:
        lines = [line for line in lines if "fetch engines" not in line]
        assert len(lines) == 3
        for line in lines:
            assert QUAKES in output_in_clean_shell(line, tmp_path), line
