# SPDX-License-Identifier: Apache-2.0
"""What is computed from measurements, and how it is written."""
import statistics


class WrongResult(SystemExit):
    """A figure of wrong answers is no figure: the whole run ends."""


def check(good, sentence):
    if not good:
        raise WrongResult(f"a wrong result is no figure: {sentence}")


def value(figure, *path):
    """figure["a"]["b"] for the path a, b; None where it was not measured."""
    for word in path:
        if figure is None or word not in figure:
            return None
        figure = figure[word]
    return figure


def median(figures, *path):
    """Of all that were measured; None: nothing was."""
    values = [v for f in figures if (v := value(f, *path)) is not None]
    return statistics.median(values) if values else None


def ratios(first, second, *path):
    """Of figures that were measured beside each other."""
    pairs = ((value(a, *path), value(b, *path)) for a, b in zip(first, second))
    return [a / b for a, b in pairs if a is not None and b]


def quantile(values, q):
    """The nearest-rank quantile: a value that was measured."""
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def slope_per_hour(seconds, values):
    """By least squares: how much the values grow in an hour, as a part of their mean."""
    line = statistics.linear_regression(seconds, values)
    return line.slope * 3600 / statistics.mean(values)


def thousands(number):
    if number is None:
        return ""
    if number >= 10_000_000:
        return f"{number / 1e6:,.1f} M"
    return f"{number / 1000:,.0f} k" if number >= 10_000 else f"{number:,.0f}"


def mebibytes(number):
    return "" if number is None else f"{number / 2**20:,.0f} MiB"


def gigabytes(number):
    return "" if number is None else f"{number / 1e9:.2f} GB/s"


def milliseconds(us):
    return "" if us is None else f"{us / 1000:.2f} ms"


def plain(number, form="{:.2f}"):
    return "" if number is None else form.format(number)


def span(values, form="{:.2f}"):
    """Median, and from least to most in brackets."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})" if values else ""
