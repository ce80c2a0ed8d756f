# SPDX-License-Identifier: Apache-2.0
"""Tables: on the terminal as they come, and into a page between the markers `<!-- bench NAME -->` and `<!-- end -->`."""
import re


class Table:
    """A title sentence, a header, rows of text."""

    def __init__(self, sentence, header):
        self.sentence, self.header, self.rows = sentence, header, []

    def row(self, *cells):
        self.rows.append([str(c) for c in cells])

    def markdown(self):
        lines = [self.sentence, "", "| " + " | ".join(self.header) + " |", "|" + "---|" * len(self.header)]
        return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in self.rows])


class Report:
    def __init__(self, circumstances):
        self.circumstances, self.tables = circumstances, {}
        print(circumstances)

    def add(self, name, table):
        self.tables[name] = table
        print(f"\n{table.markdown()}\n", flush=True)

    def write(self, page):
        """Replaces what stands between the markers of each benchmark that ran."""
        text = page.read_text()
        for name, table in self.tables.items():
            block = f"<!-- bench {name} -->\n{table.markdown()}\n\nMeasured on: {self.circumstances}.\n<!-- end -->"
            text, count = re.subn(rf"<!-- bench {name} -->.*?<!-- end -->", lambda _: block, text, flags=re.S)
            if count != 1:
                raise SystemExit(f"{page} has no place for the benchmark {name}: add the lines <!-- bench {name} --> and <!-- end -->")
        page.write_text(text)


def thousands(value):
    return f"{value / 1000:,.0f} k" if value >= 10_000 else f"{value:,.0f}"


def mebibytes(value):
    return f"{value / 2**20:,.0f} MiB"


def milliseconds(us):
    return f"{us / 1000:.2f} ms"


def span(values, form="{:.2f}"):
    """Median, and from least to most in brackets."""
    values = sorted(values)
    middle = values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
    return f"{form.format(middle)} ({form.format(values[0])} to {form.format(values[-1])})"
