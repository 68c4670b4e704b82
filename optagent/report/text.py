"""What a person reads."""

from __future__ import annotations

import re

from optagent.core.verdict import (
    CannotCompare,
    Evidence,
    Faster,
    Inconclusive,
    Incorrect,
    Rejected,
    Slower,
    Speedup,
    Verdict,
)

CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def safe(text: str) -> str:
    """The text without control characters (tabs and newlines stay) and without halves of surrogate pairs.

    >>> safe("a\\x1b[31mb\\x07c")
    'abc'
    """
    return CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str, most: int = 160) -> str:
    """The text on one line, shortened in the middle of nothing.

    >>> one_line("a\\n  b")
    'a b'
    """
    joined = " ".join(text.split())
    return joined if len(joined) <= most else joined[: most - 3] + "..."


def idea_line(idea: str) -> str:
    """What a candidate is about, for one line with a colon behind it.

    >>> idea_line("Keep a running\\nsum.")
    'Keep a running sum'
    """
    return safe(one_line(idea)).rstrip(". ")


def ratio(value: float) -> str:
    """Three significant digits, as a factor.

    >>> ratio(1.0234), ratio(12.345), ratio(123.4)
    ('1.02x', '12.3x', '123x')
    """
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}x"


def speedup_line(shown: Speedup) -> str:
    """The number the way a scientist would give it.

    >>> speedup_line(Speedup(2.312, 2.24, 2.38, 0.992, 30, 8, 0.008, "cpu", 1, 1, 2.3))
    '2.31x faster (99 % 2.24x to 2.38x, 30 pairs in 8 launches, noise 0.8 %, CPU clock)'
    """
    word = "faster" if shown.ratio >= 1 else "of the speed"
    first = ", first calls only: later ones profit from them" if shown.first_call else ""
    return (
        f"{ratio(shown.ratio)} {word} ({int(100 * shown.confidence)} % {ratio(shown.low)} to {ratio(shown.high)}, "
        f"{shown.pairs} pairs in {shown.launches} launches, noise {100 * shown.noise:.1f} %, "
        f"{'CPU' if shown.clock == 'cpu' else 'wall'} clock{first})"
    )


def evidence_line(evidence: Evidence) -> str:
    """
    >>> evidence_line(Evidence(3, 20, 6))
    '3 tests pass, 20 inputs give the same (6 of them held out)'
    >>> evidence_line(Evidence(3, 20, varied=24))
    '3 tests pass, 20 inputs give the same, and so do 24 near them'
    """
    tests = f"{evidence.tests} test{'' if evidence.tests == 1 else 's'} pass"
    inputs = f"{evidence.inputs} input{'' if evidence.inputs == 1 else 's'} give the same"
    held = f" ({evidence.held_out} of them held out)" if evidence.held_out else ""
    near = f", and so do {evidence.varied} near them" if evidence.varied else ""
    return f"{tests}, {inputs}{held}{near}"


def verdict_line(verdict: Verdict) -> str:
    """One line for one verdict, safe to print."""
    match verdict:
        case Rejected():
            text = f"rejected: {verdict.reason}" + (f" ({verdict.detail})" if verdict.detail else "")
        case Incorrect():
            text = f"incorrect: {verdict.reason}"
        case CannotCompare():
            text = f"cannot compare: {verdict.reason}"
        case Slower():
            text = f"slower: {ratio(verdict.speedup.ratio)}"
        case Inconclusive():
            text = f"inconclusive: {verdict.reason}"
        case Faster():
            text = f"faster: about {ratio(verdict.speedup.ratio)}"
    return safe(one_line(text, 300))
