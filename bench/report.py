# SPDX-License-Identifier: Apache-2.0
"""Tables and pictures: on the terminal as they come, and into a page between the markers `<!-- bench NAME -->` and `<!-- end -->`, the
pictures beside it."""
import re

import picture

PICTURES = "pictures"  # the folder, beside the page


class Table:
    """A title sentence, a header, rows of text, a picture, last words."""

    def __init__(self, sentence, header):
        self.sentence, self.header, self.rows, self.notes = sentence, header, [], []
        self.title, self.bars = "", []

    def row(self, *cells):
        self.rows.append([str(c) for c in cells] + [""] * (len(self.header) - len(cells)))

    def note(self, words):
        if words:
            self.notes.append(words)

    def picture(self, title, bars):
        self.title, self.bars = title, bars

    def markdown(self):
        lines = [self.sentence, "", "| " + " | ".join(self.header) + " |", "|" + "---|" * len(self.header)]
        lines += ["| " + " | ".join(r) + " |" for r in self.rows]
        return "\n".join(lines + (["", *self.notes] if self.notes else []))


class Report:
    def __init__(self, circumstances):
        self.circumstances, self.tables = circumstances, {}
        print(circumstances)

    def add(self, name, table):
        self.tables[name] = table
        print(f"\n{table.markdown()}\n", flush=True)

    def write(self, page):
        """Replaces what stands between the markers of each benchmark that ran, and its picture."""
        text = page.read_text()
        for name, table in self.tables.items():
            image = ""
            if table.bars:
                file = page.parent / PICTURES / f"bench-{name}.svg"
                file.parent.mkdir(exist_ok=True)
                file.write_text(picture.bars(table.title, table.bars))
                image = f"![{table.title}]({PICTURES}/{file.name})\n\n"
            block = f"<!-- bench {name} -->\n{image}{table.markdown()}\n\nMeasured on: {self.circumstances}.\n<!-- end -->"
            text, count = re.subn(rf"<!-- bench {name} -->.*?<!-- end -->", lambda _: block, text, flags=re.S)
            if count != 1:
                raise SystemExit(f"{page} has no place for the benchmark {name}: add the lines <!-- bench {name} --> and <!-- end -->")
        page.write_text(text)
