# SPDX-License-Identifier: Apache-2.0
"""One bit of any file is another one: it is found and named, or makes no difference; no answer is wrong. More by hand: ./x faults --flips."""

import damage

SEED = 1
FLIPS = 2_000
# Every byte of these has a checksum and is in use. The others have older versions, free space, and text that nobody needs.
ALWAYS_FOUND = ["data file", "manifest", "manifest list", "topic file", "dedup run"]


def test_a_flipped_bit_is_found_or_harmless_and_no_answer_is_wrong(tmp_path):
    counts, wrong = damage.judge(tmp_path, FLIPS, SEED)
    assert not wrong, "\n\n".join(wrong)
    assert sum(counts.values()) == FLIPS
    for kind in damage.KINDS:
        tried = sum(number for (one, _), number in counts.items() if one == kind)
        assert tried >= (60 if kind in damage.ENDS_A_CHECK else 170), counts
        assert kind not in ALWAYS_FOUND or counts[kind, "found"] == tried, (kind, counts)
    assert sum(number for (_, outcome), number in counts.items() if outcome == "found") > FLIPS * 0.6, counts
