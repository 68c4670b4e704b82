"""Keys and passwords that stand in source text: they never enter a prompt."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

REMOVED = "[secret removed]"
KNOWN = re.compile(
    r"""
    -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    | \b(?:sk|rk|pk)[-_](?:[A-Za-z0-9]+[-_])*[A-Za-z0-9]{16,}      # model and payment providers
    | \b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|hf|npm|pypi|xox[abprs])[-_][A-Za-z0-9_-]{16,}
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bAIza[A-Za-z0-9_-]{30,}
    | \beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}  # JSON web tokens
    """,
    re.VERBOSE | re.DOTALL,
)
STARTS = (
    *("-----BEGIN", "sk-", "sk_", "rk-", "rk_", "pk-", "pk_", "AKIA", "ASIA", "AIza", "eyJ", "xox"),
    *("ghp", "gho", "ghu", "ghs", "ghr", "github_pat", "glpat", "hf-", "hf_", "npm-", "npm_", "pypi-", "pypi_"),
)
"""One of these is in every text in which `KNOWN` finds something, and is looked for in a hundredth of its time."""

NAMED = re.compile(
    r"""(?P<name>\b\w{0,40}(?:api_?key|secret|passw(?:or)?d|token|credential|private_?key)\w{0,20}["']?\s{0,4}[:=]\s{0,4}[rbuf]{0,2})
        (?P<quote>["'])(?P<value>[^\s"'\\]{12,200})(?P=quote)""",
    re.VERBOSE | re.IGNORECASE,
)
NAMES = ("apikey", "api_key", "secret", "passw", "token", "credential", "private_key", "privatekey")
"""The same for `NAMED` in ASCII, in small letters."""

LETTERS_AND_DIGITS = re.compile(r"(?=.*[A-Za-z])(?=.*\d)")


def without_secrets(text: str, known: Collection[str] = ()) -> str:
    """The text with `[secret removed]` in place of what looks like a key, and of every one of the `known` values.

    >>> without_secrets('API_KEY = "9f8e7d6c5b4a39281706"; limit = 10')
    'API_KEY = "[secret removed]"; limit = 10'
    """
    for value in sorted(known, key=len, reverse=True):
        text = text.replace(value, REMOVED)
    return _without_shapes(text)


@lru_cache(maxsize=16)  # every question of a run begins with the same words
def _without_shapes(text: str) -> str:
    if any(start in text for start in STARTS):
        text = KNOWN.sub(REMOVED, text)
    small = text.lower()
    is_free = text.isascii() and not any(name in small for name in NAMES)  # other letters have cases of their own
    return text if is_free else NAMED.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    """Words alone are no key: `password = "please_enter_it"` stays."""
    if not LETTERS_AND_DIGITS.match(found["value"]):
        return found[0]
    return f"{found['name']}{found['quote']}{REMOVED}{found['quote']}"
