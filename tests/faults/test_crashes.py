# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed, machines that lose power and calls that fail, at every edge and at random moments, under load.

Each chain ends with the verdict of the checker of tests/history, of PyIceberg and of `sluice check` (chain.py). More by hand: ./x faults.
"""

import campaign

SEED = 1
KILLS = 64
CUTS = 40
ERRORS = 24
KILLED_MIN = 200  # by signal or power, in all tests of this file


def problems(verdicts):
    return "\n\n".join(problem for verdict in verdicts for problem in verdict.problems)


def edges_of(plans, family):
    return {plan.split("@")[0] for plan in plans if plan.split("=")[1].startswith(family)}


def test_every_edge_is_survived(tmp_path):
    lives = campaign.matrix(SEED)
    reached, ended = [], 0
    for kind, power in (("process", False), ("power", True)):
        verdicts = campaign.run(tmp_path, campaign.chains_of(lives[kind], SEED), SEED, power)
        assert not problems(verdicts), problems(verdicts)
        reached += [plan for verdict in verdicts for plan in verdict.reached]
        ended += sum(verdict.ended_badly for verdict in verdicts)
    for family in ("kill", "cut", "fail"):
        wanted = {edge.name for edge in campaign.edges() if edge.when != "seldom" and any(a.startswith(family) for a in campaign.actions(edge).get(family, []))}
        missed = wanted - edges_of([p.replace("=short", "=fail").replace("=delay", "=fail") for p in reached], family)
        assert len(missed) <= len(wanted) // 10, f"{family}: the load no longer comes to {sorted(missed)}"
    assert ended >= KILLED_MIN - KILLS - CUTS, ended


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
