"""Keys: where they come from, and how they stay out of everything that is shown, logged or stored."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable

from optagent.errors import KeyMissing

HIDDEN = "[key]"
PLACEHOLDER = "no-key-needed"  # local servers want a header, and do not look at it
COMMAND_S = 120  # a password manager may wait for a PIN
SHORTEST = 8  # shorter values of the environment are no keys, and would blank out ordinary words
SHORTEST_END = 3  # so many first or last characters of a key are a piece of it
SHARED = 5  # so many characters in a row in common with a key is a piece of it
SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)(_ID|_FILE)?$", re.IGNORECASE)
LOOKS_SECRET = re.compile(
    r"(?i)^(sk|pk|rk|gsk|xai|key|pplx|r8|hf|ghp|github_pat)[-_]\w|^AIza|^AKIA|^ya29\.|^eyJ|^bearer$|[*\u2022\u2026]{2,}|x{6,}"
)
WORD = re.compile(r"[^\s\"'`<>()\[\]{},;:=]+")
OPAQUE = re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w\-.+/~]{24,}")
# terminal sequences and other control characters, also those that turn the direction of writing
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LONGEST = 400


def from_command(command: str) -> str:
    """What the user's command prints, without white space around it; KeyMissing when that is no key.

    The command itself is never shown: it may hold the key.
    """
    try:
        done = subprocess.run(
            command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_S
        )
    except (subprocess.TimeoutExpired, UnicodeDecodeError, OSError):
        trouble = f"did not print a key within {COMMAND_S} s"
    else:
        key = done.stdout.strip()
        if done.returncode:
            trouble = f"ended with exit code {done.returncode}"
        elif not key:
            trouble = "printed nothing"
        elif not (key.isascii() and key.isprintable() and " " not in key):
            trouble = "printed more than a key (it must print the key and nothing else)"
        else:
            return key
    raise KeyMissing(
        f"The key command {trouble}, so there is no key to send.",
        "Run the command of the setting `key_command` by hand and see what it prints.",
    )


def known_secrets(*keys: str | None) -> tuple[str, ...]:
    """These keys, and all of the environment that is named like one."""
    named = (value for name, value in os.environ.items() if SECRET_NAME.search(name) and len(value) >= SHORTEST)
    return tuple({key for key in (*keys, *named) if key and key != PLACEHOLDER})


def without_keys(text: str, secrets: Iterable[str]) -> str:
    """The text with these keys blanked out where they stand whole: for answers, whose words must stay."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def scrub(text: str, secrets: Iterable[str], keep: str = "") -> str:
    """A provider's message on one line, made safe to show: no control characters, no key and no piece of one.

    Words that look like a key go too, known or not; `keep` (the model's name) may stay.

    >>> scrub("Incorrect API key provided: sk-ab***yz. Try\\x1b[31m gpt-4", ())
    'Incorrect API key provided: [key] Try gpt-4'
    """
    known = tuple(secrets)
    text = without_keys(CONTROL.sub("", text), known)

    def shown(match: re.Match[str]) -> str:
        word = match[0]
        return HIDDEN if word.rstrip(".") not in keep and _may_be_secret(word, known) else word

    line = " ".join(WORD.sub(shown, text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def _may_be_secret(word: str, secrets: tuple[str, ...]) -> bool:
    if LOOKS_SECRET.search(word) or OPAQUE.fullmatch(word):
        return True
    end = word.strip(".-_/")  # of a key told by its last characters, as in "...wxyz"
    if len(end) >= SHORTEST_END and any(secret.startswith(end) or secret.endswith(end) for secret in secrets):
        return True
    pieces = [word[start : start + SHARED] for start in range(len(word) - SHARED + 1)]
    return any(piece in secret for secret in secrets for piece in pieces)
