"""The parts of the room that need no litellm: what a text may show, releases not to import."""

from __future__ import annotations

import re
import time
import tomllib
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from optagent.llm import installed
from optagent.llm.failures import seconds_to_wait
from optagent.llm.secrets import scrub

ROOT = Path(__file__).parents[2]
SECRET = "abcdefgh12345678"


# --- what may be shown -----------------------------------------------------------------------------------------------


@given(st.text(), st.text(), st.integers(0, 10), st.integers(6, 16))
def test_no_six_characters_of_a_key_come_through(before, after, start, length):
    shown = scrub(f"{before}{SECRET[start : start + length]}{after}", [SECRET])
    assert not [n for n in range(len(SECRET) - 5) if SECRET[n : n + 6] in shown]


@pytest.mark.parametrize(
    "word",
    ["sk-ab***yz", "AIzaSyD-1234", "Bearer", "gsk_abcdef", "eyJhbGciOi", "q8Zr2Lm5Xw9Tt4Kb7Nc1Vd3Hf6", "12********89"],
)
def test_what_looks_like_a_key_is_hidden_though_nobody_knows_it(word):
    assert word not in scrub(f"wrong key {word}, sorry", ())


@pytest.mark.parametrize(
    "text",
    ["The model `gpt-4o-mini-2024-07-18` does not exist", "maximum context length is 8192 tokens", "retry in 20s"],
)
def test_ordinary_words_stay(text):
    assert scrub(text, [SECRET]) == text


@given(st.text())
def test_no_control_character_comes_through(text):
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", scrub(text, ()))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, None),
        ({"retry-after": formatdate(time.time() - 60, usegmt=True)}, 0.0),
        ({}, None),
    ],
)
def test_only_what_can_be_read_is_waited_for(headers, seconds):
    assert seconds_to_wait(headers) == seconds


# --- releases that steal keys ----------------------------------------------------------------------------------------


def test_the_project_file_excludes_the_poisoned_releases():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (litellm,) = (one for one in map(Requirement, listed) if one.name == "litellm")
    assert not [version for version in installed.POISONED if litellm.specifier.contains(version)]
    assert [f"!={version}" in str(litellm.specifier) for version in installed.POISONED] == [True, True]


def test_the_installed_release_is_clean_and_can_be_told():
    assert installed.dangers() == ()
    installed.require_clean()
    assert re.fullmatch(r"1\.\d+\.\d+.*", installed.litellm_version())


@pytest.mark.parametrize("version", installed.POISONED)
def test_a_poisoned_release_is_told(version, tmp_path):
    info = tmp_path / f"litellm-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n")
    assert version in installed.dangers([str(tmp_path)])[0]


def test_what_a_poisoned_release_left_behind_is_told(tmp_path):
    (tmp_path / "litellm_init.pth").write_text("")
    (danger,) = installed.dangers([str(tmp_path)])
    assert str(tmp_path / "litellm_init.pth") in danger
    assert installed.litellm_version([str(tmp_path)]) is None
