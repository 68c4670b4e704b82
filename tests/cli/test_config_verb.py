"""`optagent config` and the verbs that read the configuration, from the outside."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from config_samples import git_top, project
from typed import typed

from optagent.cli.run.workshop import place_of
from optagent.cli.settings.table import KNOWN, VARIABLES


def optagent(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return typed([*map(str, words)], {**clean, **env})


def test_every_setting_is_printed_with_its_value_and_on_request_with_its_origin(tmp_path):
    repo = project(tmp_path, 'target = "m:f"\nmax_trials = 3\n')
    plain = optagent("config", repo, "--speedup", "2", OPTAGENT_SEED="7")
    assert (plain.returncode, plain.stderr) == (0, "")
    rows = dict(line.split(maxsplit=1) for line in plain.stdout.splitlines())
    assert rows.keys() == KNOWN.keys()
    assert rows["target"] == '["m:f"]'
    assert rows["python"] == "-"
    shown = optagent("config", repo, "--speedup", "2", "--origin", OPTAGENT_SEED="7")
    origins = {line.split()[0]: line.split()[-1] for line in shown.stdout.splitlines()}
    assert origins["target"] == f"{repo}/pyproject.toml:2"
    assert origins["max_trials"] == f"{repo}/pyproject.toml:3"
    assert (origins["speedup"], origins["seed"], origins["scope"]) == ("--speedup", "OPTAGENT_SEED", "default")


def test_with_json_it_is_one_document(tmp_path):
    repo = project(tmp_path, "seed = 3\n[tool.optagent.command]\nrun = 'a'\nsince = 2020-01-01\n")
    shown = json.loads(optagent("config", repo, "--json").stdout)
    assert (shown["schema"], shown["verb"], shown["files"]) == (1, "config", [f"{repo}/pyproject.toml"])
    assert shown["settings"].keys() == KNOWN.keys()
    assert shown["settings"]["seed"] == {"value": 3, "origin": f"{repo}/pyproject.toml:2"}
    assert shown["settings"]["speedup"] == {"value": None, "origin": "default"}
    assert shown["command"] == {"run": "a", "since": "2020-01-01"}


@pytest.mark.parametrize("verb", ["config", "run"])
def test_a_fault_is_two_sentences_or_one_document(verb, tmp_path):
    repo = project(tmp_path, "speedup = 'fast'\n")
    told = optagent(verb, repo)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == (
        f"optagent: speedup = 'fast' in {repo}/pyproject.toml:2 means nothing\nGive a number of at least 1.\n"
    )
    document = json.loads(optagent(verb, repo, "--json").stdout)
    assert document["verb"] == verb
    assert document["error"]["slug"] == "bad-setting"


def test_no_other_variable_is_shown_and_no_control_character_gets_out(tmp_path):
    repo = project(tmp_path, 'tests = "pytest -k \\u001b[31m\\u202e"\n')
    for words in (("--origin",), ("--json",), ()):
        shown = optagent("config", repo, *words, OPENAI_API_KEY="sk-PLANTED", AWS_SECRET="sk-PLANTED")
        assert shown.returncode == 0
        assert "PLANTED" not in shown.stdout + shown.stderr
        assert "\x1b" not in shown.stdout
        assert "\u202e" not in shown.stdout
    assert "PLANTED" not in optagent("config", repo, OPTAGENT_KEY="sk-PLANTED").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no target"),
        (("--target", "f", "--target", "g"), "f, g: 2 targets"),
        (("--top", "3"), "top is 3 (--top)"),
    ],
)
def test_a_verb_about_one_target_needs_exactly_one(words, said, tmp_path):
    refused = optagent("verify", tmp_path, *words)
    assert refused.returncode == 2
    assert said in refused.stderr


def test_all_verbs_look_for_runs_where_the_settings_keep_them(tmp_path, monkeypatch):
    monkeypatch.delenv("OPTAGENT_STATE")
    repo = project(git_top(tmp_path / "repo"), 'state = ".optagent"\n')
    (repo / "sub").mkdir()
    for folder in (repo, repo / "sub"):
        assert place_of(folder, None).parent == repo / ".optagent"
    assert place_of(repo, tmp_path / "flag").parent == tmp_path / "flag"
    monkeypatch.setenv("OPTAGENT_STATE", str(tmp_path / "variable"))
    assert place_of(repo, None).parent == tmp_path / "variable"
