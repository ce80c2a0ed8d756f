#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks compute: turns, ratios, slopes, tables, pictures. Nothing is measured."""
import contextlib
import io
import pathlib
import sys
import tempfile
import types
import unittest
import xml.etree.ElementTree

sys.dont_write_bytecode = True
from clone import ROOT, main

sys.path.insert(0, str(ROOT / "bench"))

import figures
import picture
import report
import rounds

OPTIONS = types.SimpleNamespace(rounds=2, probe_seconds=0, again=2)


def compare(contestants, probes=(), probe=None):
    rounds.measure.probe, kept = probe, rounds.measure.probe
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return rounds.compare(OPTIONS, contestants, probes)
    finally:
        rounds.measure.probe = kept


class Rounds(unittest.TestCase):
    def test_a_round_goes_forwards_and_backwards(self):
        order = []
        compare([rounds.Contestant(name, lambda name=name: order.append(name) or {}) for name in "ABC"])
        self.assertEqual("".join(order), "ABCCBA" * 2)

    def test_ratios_are_of_figures_that_stood_beside_each_other(self):
        first, second = iter([10, 20, 30, 40]), iter([1, 2, 3, 4])
        result = compare([rounds.Contestant("A", lambda: {"rate": next(first)}), rounds.Contestant("B", lambda: {"rate": next(second)})])
        self.assertEqual(result.ratios("A", "B", "rate"), [10] * 4)

    def test_a_peer_that_fails_is_left_out_with_its_reason_and_the_others_go_on(self):
        def fail():
            raise rounds.NotRun("it is\n  not there")
        result = compare([rounds.Contestant("A", lambda: {"rate": 1}, is_peer=False), rounds.Contestant("B", fail)])
        self.assertEqual(result.not_run, {"B": "it is not there"})
        self.assertEqual(len(result.of("A")), 4)
        self.assertIsNone(result.median("B", "rate"))

    def test_what_is_no_peer_must_run(self):
        def fail():
            raise RuntimeError("gone")
        with self.assertRaises(RuntimeError):
            compare([rounds.Contestant("A", fail, is_peer=False)])

    def test_a_round_of_a_machine_that_moved_is_measured_again_as_often_as_asked(self):
        speeds = iter([100, 120] * 3 + [100, 120])
        taken = []
        result = compare([rounds.Contestant("A", lambda: taken.append(1) or {})], ["disk"],
                         lambda names, seconds: {"disk": {"bytes_per_second": next(speeds)}})
        self.assertEqual(len(taken), 8)  # two rounds, and two more
        self.assertEqual(len(result.of("A")), 4)
        self.assertEqual(result.restless, 2)
        self.assertIn("in 2 rounds", result.circumstances())


class Figures(unittest.TestCase):
    def test_quantiles_are_values_that_were_measured(self):
        self.assertEqual(figures.quantile(range(1, 101), 0.99), 100)
        self.assertEqual(figures.quantile([3, 1, 2], 0.5), 2)
        self.assertEqual(figures.quantile([7], 1.0), 7)

    def test_medians_leave_out_what_was_not_measured(self):
        self.assertEqual(figures.median([{"a": {"b": 1}}, {"a": None}, {}, {"a": {"b": 3}}], "a", "b"), 2)
        self.assertIsNone(figures.median([{}], "a"))

    def test_a_slope_is_a_part_of_the_mean_an_hour(self):
        self.assertAlmostEqual(figures.slope_per_hour([0, 1800, 3600], [90, 100, 110]), 0.2)

    def test_a_wrong_result_ends_the_run(self):
        with self.assertRaises(SystemExit):
            figures.check(False, "two and two are five")


class Pictures(unittest.TestCase):
    def drawn(self, *bars):
        return xml.etree.ElementTree.fromstring(picture.bars("Events & more", list(bars)))

    def widths(self, image):
        return [float(r.get("width")) for r in image.iter("{http://www.w3.org/2000/svg}rect")]

    def test_bars_are_as_long_as_their_values(self):
        half, whole = self.widths(self.drawn(picture.Bar("a", 50, "50"), picture.Bar("b", 100, "100", "ours")))
        self.assertAlmostEqual(half * 2, whole)

    def test_a_peer_that_did_not_run_has_a_name_and_no_bar(self):
        image = self.drawn(picture.Bar("<a>", None, ""), picture.Bar("b", 1, "1"))
        self.assertEqual(len(self.widths(image)), 1)
        self.assertIn("not run", [t.text for t in image.iter("{http://www.w3.org/2000/svg}text")])

    def test_there_are_colours_for_dark_pages(self):
        self.assertIn("prefers-color-scheme:dark", picture.bars("t", []))


class Pages(unittest.TestCase):
    def test_a_table_and_its_picture_replace_what_stood_between_the_markers(self):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            page = pathlib.Path(folder) / "page.md"
            page.write_text("before\n<!-- bench one -->\nold\n<!-- end -->\nafter\n")
            table = report.Table("What.", ["a", "b"])
            table.row("x")
            table.picture("Title", [picture.Bar("x", 1, "1")])
            written = report.Report("a machine")
            written.add("one", table)
            written.write(page)
            text = page.read_text()
            self.assertIn("![Title](pictures/bench-one.svg)\n\nWhat.", text)
            self.assertIn("| x |  |", text)
            self.assertNotIn("old", text)
            self.assertTrue(text.startswith("before\n") and text.endswith("after\n"))
            self.assertTrue((page.parent / "pictures" / "bench-one.svg").exists())


if __name__ == "__main__":
    main()
