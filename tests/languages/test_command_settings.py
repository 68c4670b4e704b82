"""What a project may say of its command, and how it is told that it may not say it so."""

from __future__ import annotations

import pytest

from optagent.errors import BadSetting
from optagent.languages.command.globs import matches
from optagent.languages.command.settings import from_table, read

LEAST = {"run": ["./tool"], "inputs": "in/*", "scope": "src/*.c"}


def test_the_least_that_can_be_said_is_enough():
    found = from_table(LEAST, "here")
    assert (found.run, found.inputs, found.scope) == (("./tool",), ("in/*",), ("src/*.c",))
    assert (found.build, found.tests, found.compare, found.exits) == ((), (), "exact", (0,))
    assert found.hidden == ("test/", "tests/")
    assert not found.reads_file
    assert not found.writes_file


def test_command_lines_are_lists_or_are_split_as_a_shell_does():
    found = from_table({**LEAST, "run": "tool -o {output} 'a b' {input}", "build": ["make", "all"]}, "here")
    assert found.run == ("tool", "-o", "{output}", "a b", "{input}")
    assert found.build == ("make", "all")
    assert found.reads_file
    assert found.writes_file


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"scop": "x"}, "no setting 'scop'.*Did you mean `scope`"),
        ({"sandbox": "none"}, "no setting 'sandbox'.*It knows build, compare"),
        ({"run": []}, "does not say run"),
        ({"run": [""]}, "`run`.*not empty"),
        ({"run": "a 'b"}, "`run`.*No closing quotation"),
        ({"build": 3}, "`build` in here is 3"),
        ({"inputs": "../secret"}, "`inputs`.*inside the project"),
        ({"scope": ["/etc/*"]}, "`scope`.*inside the project"),
        ({"compare": "roughly"}, "'roughly'.*exact, whitespace"),
        ({"compare": {"floats": 1e-9}}, "floats.*exact, whitespace"),
        ({"exits": [True]}, "`exits`.*exit codes"),
        ({"exits": [256]}, "`exits`.*exit codes"),
        ({"timeout": 0}, "`timeout`.*seconds"),
        ({"timeout": True}, "`timeout`.*seconds"),
        ({"timeout": float("inf")}, "`timeout`.*seconds"),
        ({"name": "a\x1bb"}, "`name`"),
    ],
)
def test_what_means_nothing_is_told_with_key_and_remedy(change, says):
    with pytest.raises(BadSetting, match=says) as caught:
        raise_with_hint({**LEAST, **change})
    assert caught.value.exit_code == 2


def raise_with_hint(table):
    try:
        from_table(table, "here")
    except BadSetting as fault:
        raise BadSetting(f"{fault.message} {fault.hint}") from None


def test_both_files_are_read_and_only_one_may_speak(tmp_path):
    assert read(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read(tmp_path) is None
    body = 'run = "./tool"\ninputs = "in/*"\nscope = "*.c"\n'
    (tmp_path / "optagent.toml").write_text(f"[command]\n{body}")
    assert read(tmp_path).run == ("./tool",)
    (tmp_path / "pyproject.toml").write_text(f"[tool.optagent.command]\n{body}")
    with pytest.raises(BadSetting, match=r"\[tool.optagent.command\] of pyproject.toml and \[command\] of optagent"):
        read(tmp_path)
    (tmp_path / "optagent.toml").unlink()
    assert read(tmp_path).scope == ("*.c",)


@pytest.mark.parametrize("text", ["[command", "command = 3\n", "\xff"])
def test_a_file_that_holds_no_table_is_told(tmp_path, text):
    (tmp_path / "optagent.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadSetting, match=r"optagent\.toml"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "means", "not_"),
    [
        ("*.c", ["a.c", ".c"], ["a/b.c", "a.cc"]),
        ("**/*.c", ["a.c", "a/b.c", "a/b/c.c"], ["a.h"]),
        ("src/**", ["src/a", "src/a/b"], ["src", "asrc/a"]),
        ("data?", ["data1"], ["data", "data/", "data12"]),
        ("a[1].txt", ["a[1].txt"], ["a1.txt"]),
        ("in/", ["in/x", "in/y/z"], ["in", "in2/x"]),
    ],
)
def test_patterns_mean_what_their_description_says(pattern, means, not_):
    assert [path for path in means if not matches(path, [pattern])] == []
    assert [path for path in not_ if matches(path, [pattern])] == []
