"""Seeds that depend on what they are for, never on how many were drawn before."""

from __future__ import annotations

import hashlib


def derive(run_seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose of one run; the same for the same words, whatever happened in between.

    >>> derive(1, "trial", 3, "launch", 0) == derive(1, "trial", 3, "launch", 0)
    True
    """
    text = "\0".join(str(word) for word in (run_seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
