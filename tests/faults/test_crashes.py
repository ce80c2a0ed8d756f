# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed, machines that lose power and calls that fail, at random moments and edges, under load.

Each chain ends with the verdict of the checker of tests/history, of PyIceberg and of `sluice check` (chain.py). More by hand: ./x faults, with
--edges for every edge in turn.
"""

import campaign

SEED = 1
KILLS = 200
CUTS = 40
ERRORS = 24
LIBFIU = 16


def problems(verdicts):
    return "\n\n".join(problem for verdict in verdicts for problem in verdict.problems)


def test_kills_at_any_moment_are_survived(tmp_path):
    verdicts = campaign.run(tmp_path, campaign.kills(KILLS, SEED), SEED)
    assert not problems(verdicts), problems(verdicts)
    assert sum(verdict.ended_badly for verdict in verdicts) == KILLS
    assert sum(verdict.acknowledged for verdict in verdicts) > 20 * KILLS, "the load was too small to prove anything"


def test_power_cuts_at_any_call_are_survived(tmp_path):
    verdicts = campaign.run(tmp_path, campaign.cuts(CUTS, SEED), SEED, power=True)
    assert not problems(verdicts), problems(verdicts)
    assert sum(verdict.ended_badly for verdict in verdicts) > CUTS // 2
    assert sum(verdict.acknowledged for verdict in verdicts) > 20 * CUTS, "the load was too small to prove anything"


def test_calls_that_fail_anywhere_are_errors_or_nothing(tmp_path):
    verdicts = campaign.run(tmp_path, campaign.errors(ERRORS, SEED), SEED)
    assert not problems(verdicts), problems(verdicts)
    assert sum(len(verdict.reached) for verdict in verdicts) > ERRORS // 2


def test_calls_that_fail_as_libfiu_lets_them_are_errors_or_nothing(tmp_path):
    verdicts = campaign.run(tmp_path, campaign.libfiu(LIBFIU, SEED), SEED)
    assert not problems(verdicts), problems(verdicts)
    assert sum(verdict.ended_badly for verdict in verdicts) > LIBFIU // 4, "it did not do anything"
    assert sum(verdict.acknowledged for verdict in verdicts) > 20 * LIBFIU, "the load was too small to prove anything"
