"""The first input on which old and new part, as a test that a person can paste into the project."""

from __future__ import annotations

import ast
from typing import Any

from optagent.core.target import Target
from optagent.core.verdict import Unmeasured

METHOD = Unmeasured("its first argument is an object, which cannot be written as text")
LAZY = Unmeasured("the target's result is lazy")
NOT_TOLD = Unmeasured("the call cannot be written as text")
UNSEEN = Unmeasured("the difference is not one that a test of result, exception and arguments sees")
SEEN = ("kind", "said", "after", "named")


def failing_test(target: Target, old: dict[str, Any], new: dict[str, Any]) -> str | Unmeasured:
    """A pytest test that the original passes and the other does not, from what a worker of each wrote of the call
    (`optagent_source.written`)."""
    if target.is_generator or target.is_async:
        return LAZY
    if target.kind in ("method", "property", "classmethod"):
        return METHOD
    if "fault" in old:
        return Unmeasured(f"the call cannot be written as text: {old['fault']}")
    if not _is_whole(old):
        return NOT_TOLD
    if all(old[name] == new.get(name) for name in SEEN):
        return UNSEEN
    lines = ["import pytest", ""] if old["kind"] == "raised" else []
    lines += [f"from {target.module} import {target.qualname.partition('.')[0]} as original", "", ""]
    lines.append(f"def test_{target.name.strip('_') or 'it'}_does_what_it_did():")
    return "\n".join([*lines, *(f"    {line}" for line in _body(target, old)), ""])


def _body(target: Target, said: dict[str, Any]) -> list[str]:
    """The target goes by `original`, so that no name of ours can hide it."""
    inner = target.qualname.partition(".")[2]
    call = f"original{f'.{inner}' if inner else ''}(*args{', **named' if said['kwargs'] else ''})"
    lines = [f"args = {_listed(said['args'])}"]
    if said["kwargs"]:
        lines.append(f"named = {_mapped(said['kwargs'])}")
    if said["kind"] == "raised":
        kind, message = said["said"]
        lines += [
            "with pytest.raises(BaseException) as caught:",
            f"    {call}",
            f'assert f"{{caught.type.__module__}}.{{caught.type.__qualname__}}" == {kind!r}',
            f"assert str(caught.value) == {message!r}",
        ]
    else:
        lines += [f"result = {call}", *_same("result", said["said"][0])]
    if said["after"] != said["args"]:
        lines += _same("args", _listed(said["after"]))
    if said["named"] != said["kwargs"]:
        lines += _same("named", _mapped(said["named"]))
    return lines


def _listed(texts: list[str]) -> str:
    return f"[{', '.join(texts)}]"


def _mapped(texts: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name!r}: {text}" for name, text in texts.items()) + "}"


def _same(name: str, text: str) -> list[str]:
    """1 is not True and 0.0 is not -0.0, which only their text tells; a set has no order to be told by."""
    parts = list(ast.walk(ast.parse(text, mode="eval")))
    if any(isinstance(one, ast.Set) or (isinstance(one, ast.Name) and "set" in one.id) for one in parts):
        return [f"assert {name} == {text}"]
    return [f"assert repr({name}) == repr({text})"]


def _is_whole(said: dict[str, Any]) -> bool:
    """Whether a worker's answer is what it has to be; what it wrote is shown and never run by us."""
    lists, maps = [said.get("args"), said.get("after")], [said.get("kwargs"), said.get("named")]
    ending = said.get("said")
    if not all(isinstance(one, list) for one in [*lists, ending]) or not all(isinstance(one, dict) for one in maps):
        return False
    written = [*(text for one in lists for text in one or ()), *(text for one in maps for text in (one or {}).values())]
    wanted = {"returned": 1, "raised": 2}.get(str(said.get("kind")))
    if wanted != len(ending or ()) or not all(isinstance(one, str) for one in ending or ()):
        return False
    return all(_is_expression(one) for one in [*written, *((ending or ()) if wanted == 1 else ())])


def _is_expression(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(ast.parse(text, mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
