# SPDX-License-Identifier: Apache-2.0
"""One bit, in any file: found and named, refused, or no difference to any answer. Never a wrong answer."""

import concurrent.futures
import multiprocessing
import os

import damage

FLIPS = 2_000
SEED = 1


def test_no_flipped_bit_makes_a_wrong_answer(tmp_path):
    parts = os.cpu_count()
    with concurrent.futures.ProcessPoolExecutor(parts, mp_context=multiprocessing.get_context("fork")) as pool:
        running = [pool.submit(damage.judge, tmp_path / str(part), FLIPS // parts, SEED * 100 + part) for part in range(parts)]
        results = [one.result() for one in running]
    wrong = [sentence for _, sentences in results for sentence in sentences]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:10])
    counts = sum((counts for counts, _ in results), start=type(results[0][0])())
    print({f"{kind}, {outcome}": n for (kind, outcome), n in sorted(counts.items())})
    assert sum(counts.values()) >= FLIPS - parts
    for kind in damage.KINDS:
        assert any(n for (k, outcome), n in counts.items() if k == kind and outcome in ("found", "refused")), f"no flip in a {kind} was noticed"
