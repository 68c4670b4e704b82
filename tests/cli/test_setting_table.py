"""One table says what can be set; the flags, the page in docs/ and the checks agree with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from optagent.cli.app import app
from optagent.cli.settings.run_settings import FIELDS, RunSettings
from optagent.cli.settings.table import KNOWN, OTHER_VARIABLES, SETTINGS, SWITCHES, VARIABLES, Setting, typed
from optagent.errors import BadSetting

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "configuration.md"


@pytest.mark.parametrize("verb", ["run", "config"])
def test_the_flags_of_a_verb_are_the_settings_and_none_has_a_default_of_its_own(verb):
    parameters = get_command(app).commands[verb].params
    flags = {one.name: one for one in parameters if one.name in KNOWN}
    assert flags.keys() == KNOWN.keys()
    assert {name: one.opts for name, one in flags.items()} == {name: [one.flag] for name, one in KNOWN.items()}
    assert {one.default for one in flags.values()} == {None}
    assert {one.name: one.default for one in parameters if one.name in SWITCHES} == dict.fromkeys(SWITCHES)
    assert {one.name for one in parameters} - KNOWN.keys() - SWITCHES.keys() == {
        "run": {"repo", "json", "dry_run", "write"},
        "config": {"repo", "origin", "json"},
    }[verb]


def row(setting: Setting) -> str:
    """The line of the page for one setting."""
    default = "" if setting.default in (None, ()) else f"`{setting.default}`"
    help = setting.help.replace("|", "\\|")
    return f"| `{setting.name}` | `{setting.flag}` | `{setting.variable}` | {setting.wanted} | {default} | {help} |"


def test_the_page_lists_exactly_the_settings():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert rows == [row(setting) for setting in SETTINGS]


def test_the_page_shows_files_that_work(tmp_path):
    from optagent.cli.settings.config import read

    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(example)
    found = read(tmp_path, {}, {})
    assert found.project_file == tmp_path / "pyproject.toml"
    assert [name for name, one in found.found.items() if one.file]


def test_defaults_are_values_that_the_settings_accept_and_those_of_run_settings():
    asked = RunSettings("r", "t")
    for setting in SETTINGS:
        assert setting.default is None or typed(setting, setting.default) == setting.default
    assert {field: getattr(asked, field) for field in FIELDS} == {
        field: KNOWN[name].default for field, name in FIELDS.items()
    }


def test_every_variable_that_the_source_names_is_known():
    named = {
        name
        for path in (ROOT / "optagent").rglob("*.py")
        for name in re.findall(r"\bOPTAGENT_[A-Z_]+\b", path.read_text("utf-8"))
    }
    assert named - {"OPTAGENT_"} <= VARIABLES.keys() | set(OTHER_VARIABLES)
    assert set(OTHER_VARIABLES) <= named


def test_settings_come_back_from_a_ledger_and_old_ledgers_are_understood(tmp_path):
    asked = RunSettings(str(tmp_path), "f", speedup=2.0, scope="module", timeout_factor=7.0)
    assert RunSettings.from_json(asked.as_json()) == asked
    old = {"repo": str(tmp_path), "target": "f", "minutes": 3.0, "trials": 4, "project": ".", "rung": "bwrap"}
    assert RunSettings.from_json(old) == RunSettings(str(tmp_path), "f", minutes=3.0, trials=4)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("minutes", -1.0, "--max-minutes -1.0"),
        ("trials", 0, "--max-trials 0"),
        ("speedup", float("nan"), "--speedup nan"),
        ("scope", "all", "--scope all"),
        ("timeout_factor", 0.0, "--timeout-factor 0.0"),
        ("sandbox", "jail", "--sandbox jail"),
    ],
)
def test_run_settings_made_by_hand_are_checked_by_the_same_table(field, value, said, tmp_path):
    with pytest.raises(BadSetting, match=re.escape(said)):
        RunSettings(str(tmp_path), "f", **{field: value}).checked()
