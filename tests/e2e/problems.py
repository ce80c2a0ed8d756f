# SPDX-License-Identifier: Apache-2.0
"""What every refusal over HTTP looks like."""


def assert_problem(answer, status, slug, words=()):
    """A problem document (RFC 9457) of that kind whose sentences hold `words`; answers it."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:sluice:problem:{slug}" and problem["status"] == status and problem["title"], problem
    assert ("Retry-After" in answer.headers) == (status in (429, 503, 507)), answer.headers
    told = problem["detail"] + " " + problem.get("hint", "")
    assert all(word in told for word in words), f"{words} in {told!r}"
    return problem
