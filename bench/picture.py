# SPDX-License-Identifier: Apache-2.0
"""Bars as SVG: one for each contestant, with its value beside it. Readable on light and on dark pages; the same figures make the same
bytes."""
import html

WIDTH, NAME_WIDTH, VALUE_WIDTH, BAR_HEIGHT, GAP, TOP = 800, 270, 130, 20, 10, 40

_STYLE = """text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:14px}.value{fill:#59636e}
.ours{fill:#0969da}.peer{fill:#9aa4af}.limit{fill:#d4a72c}.span{stroke:#59636e;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.value{fill:#9198a1}.ours{fill:#4493f8}.peer{fill:#656c76}.limit{fill:#bb8009}.span{stroke:#9198a1}}"""


class Bar:
    """`kind`: ours, peer or limit. `low` and `high`: the span of the measurements, if it is to be seen. No value: not run."""

    def __init__(self, name, value, text, kind="peer", low=None, high=None):
        self.name, self.value, self.text, self.kind, self.low, self.high = name, value, text, kind, low, high


def bars(title, entries):
    """An SVG document. The longest bar takes the whole width."""
    largest = max((e.high or e.value for e in entries if e.value), default=0) or 1
    room = WIDTH - NAME_WIDTH - VALUE_WIDTH
    height = TOP + len(entries) * (BAR_HEIGHT + GAP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
             f"<title>{html.escape(title)}</title><style>{_STYLE}</style>", f'<text class="title" x="0" y="18">{html.escape(title)}</text>']
    for number, entry in enumerate(entries):
        top = TOP + number * (BAR_HEIGHT + GAP)
        middle, end = top + BAR_HEIGHT / 2, NAME_WIDTH + (entry.value or 0) / largest * room
        lines.append(f'<text x="{NAME_WIDTH - 10}" y="{middle + 4.5:g}" text-anchor="end">{html.escape(entry.name)}</text>')
        if entry.value is not None:
            lines.append(f'<rect class="{entry.kind}" x="{NAME_WIDTH}" y="{top}" width="{max(1, end - NAME_WIDTH):.1f}" height="{BAR_HEIGHT}" rx="2"/>')
        if entry.value is not None and entry.low is not None and entry.high > entry.low:
            low, high = (NAME_WIDTH + v / largest * room for v in (entry.low, entry.high))
            lines.append(f'<path class="span" fill="none" d="M{low:.1f} {middle - 4:g}v8m0-4H{high:.1f}m0-4v8"/>')
            end = max(end, high)
        lines.append(f'<text class="value" x="{end + 8:.1f}" y="{middle + 4.5:g}">{html.escape(entry.text if entry.value is not None else "not run")}</text>')
    return "\n".join(lines) + "\n</svg>\n"
