"""Keys in source text never enter a prompt, and code that holds none is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis.strategies import from_regex

from optagent.agents.secrets import KNOWN, NAMED, NAMES, REMOVED, STARTS, without_secrets

SECRETS = [
    "sk-proj-abcDEF123456abcDEF123456",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "xoxb-123456789012-abcdefghijkl",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_provider_s_key_is_taken_out_wherever_it_stands(secret):
    for text in (f"x = '{secret}'", f"# the key is {secret}.", f'url = "https://h/?k={secret}&b=1"'):
        assert secret not in without_secrets(text)
        assert REMOVED in without_secrets(text)


@given(from_regex(KNOWN))
def test_nothing_that_looks_like_a_key_is_missed_by_the_first_glance(text):
    assert any(start in text for start in STARTS)


@given(from_regex(NAMED))
def test_nor_is_a_telling_name(text):
    assert not text.isascii() or any(name in text.lower() for name in NAMES)


@pytest.mark.parametrize(
    "line", ['PA\N{LATIN SMALL LETTER LONG S}SWORD = "9f8e7d6c5b4a3928"', 'to\N{KELVIN SIGN}en = "9f8e7d6c5b4a3928"']
)
def test_a_telling_name_in_letters_that_count_as_others_is_one(line):
    assert REMOVED in without_secrets(line)


def test_a_private_key_is_taken_out_whole_also_when_its_end_is_missing():
    body = "MIIEpAIBAAKCAQEA\n" * 3
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----"
    assert without_secrets(f"a = '''{key}'''\nb = 1") == f"a = '''{REMOVED}'''\nb = 1"
    assert "MIIE" not in without_secrets(key[:60])


@pytest.mark.parametrize(
    "line",
    [
        'API_KEY = "9f8e7d6c5b4a3928"',
        "db_password: 'hunter2hunter2'",
        '"secret": "a1b2c3d4e5f6a7b8"',
        'Token="abc123abc123abc"',
    ],
)
def test_a_value_with_a_telling_name_is_taken_out(line):
    assert REMOVED in without_secrets(line)
    assert without_secrets(line).count('"') + without_secrets(line).count("'") == line.count('"') + line.count("'")


@pytest.mark.parametrize(
    "line",
    [
        'password = "please_enter_it"',
        "token = tokens[0]",
        'key = "name"',
        "def secret(token, key): return token + key",
        "mask = sk - x",
    ],
)
def test_ordinary_code_is_left_alone(line):
    assert without_secrets(line) == line


def test_values_that_are_known_to_be_secret_are_taken_out_longest_first():
    assert without_secrets("hush-hush-longer hush-hush", {"hush-hush", "hush-hush-longer"}) == f"{REMOVED} {REMOVED}"


def test_our_own_sources_hold_no_secret():
    for path in Path(__file__).parents[2].joinpath("optagent").rglob("*.py"):
        assert without_secrets(path.read_text()) == path.read_text() or "secrets" in path.name
