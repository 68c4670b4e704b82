"""The first input on which old and new part, as a test that a person can paste into the project."""

from __future__ import annotations

import keyword
from typing import Any

from optagent.core.target import Target
from optagent.core.verdict import Unmeasured

METHOD = Unmeasured("its first argument is an object, which cannot be written as text")
LAZY = Unmeasured("the target's result is lazy")
NOT_TOLD = Unmeasured("the call cannot be written as text")


def failing_test(target: Target, said: dict[str, Any]) -> str | Unmeasured:
    """A pytest test that the original passes, from what a worker wrote of the call (`optagent_source.written`)."""
    if target.is_generator or target.is_async:
        return LAZY
    if target.kind in ("method", "property", "classmethod"):
        return METHOD
    if "fault" in said:
        return Unmeasured(f"the call cannot be written as text: {said['fault']}")
    if not _is_whole(said):
        return NOT_TOLD
    lines = [f"from {target.module} import {target.qualname.partition('.')[0]}", "", ""]
    if said["kind"] == "raised":
        lines = ["import re", "", "import pytest", *lines]
    lines.append(f"def test_{target.name.strip('_') or 'it'}_does_what_it_did():")
    return "\n".join([*lines, *(f"    {line}" for line in _body(target, said)), ""])


def _body(target: Target, said: dict[str, Any]) -> list[str]:
    args, names = ", ".join(said["args"]), ", ".join(f"{name!r}: {one}" for name, one in said["kwargs"].items())
    call = f"{target.qualname}(*args{', **named' if names else ''})"
    lines = [f"args = [{args}]", *([f"named = {{{names}}}"] if names else [])]
    if said["kind"] == "raised":
        kind, message = said["said"]
        lines += [
            f"with pytest.raises(Exception, match=re.escape({message!r})) as caught:",
            f"    {call}",
            f'assert f"{{caught.type.__module__}}.{{caught.type.__qualname__}}" == {kind!r}',
        ]
    else:
        lines += [f"result, expected = {call}, {said['said'][0]}", *_same("result", "expected", said["said"][0])]
    if said["changes"]:
        left = f"[{', '.join(said['after'])}]"
        lines += [f"left = {left}", *_same("args", "left", left)]
    return lines


def _same(name: str, expected: str, text: str) -> list[str]:
    """1 is not True and 0.0 is not -0.0, which only their text tells; a set has no order to be told by."""
    if "{" in text:
        return [f"assert {name} == {expected}"]
    return [f"assert repr({name}) == repr({expected})"]


def _is_whole(said: dict[str, Any]) -> bool:
    """Whether a worker's answer is what it has to be; what it wrote is shown and never run by us."""
    texts, named = [said.get("args"), said.get("said"), said.get("after")], said.get("kwargs")
    are_texts = all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in texts)
    wanted = {"returned": 1, "raised": 2}.get(str(said.get("kind")))
    if not are_texts or not isinstance(named, dict) or not isinstance(said.get("changes"), bool):
        return False
    are_named = all(
        isinstance(one, str) and name.isidentifier() and not keyword.iskeyword(name) for name, one in named.items()
    )
    return are_named and len(said["said"]) == wanted
