"""What a Coder is shown of a target: its text, and from the same file what it uses directly."""

from __future__ import annotations

from dataclasses import dataclass

from optagent.languages.python.edit.context_uses import Outline, uses
from optagent.languages.python.edit.graft import find
from optagent.languages.python.edit.graft_places import first_line

MOST_CHARS = 16_000
"""Of all that is shown beside the target, which is never shortened: near 4,000 tokens, a few cents for a run."""

BUILDERS = ("__slots__", "__init__", "__new__", "__post_init__")


@dataclass(frozen=True)
class Called:
    """Something of the file that the target uses, under the name that leads to it there."""

    name: str
    source: str


@dataclass(frozen=True)
class Shown:
    """Texts have plain newlines and the file's indentation. `around` is the head of the target's class and how its
    objects are made; `left_out` names what did not fit."""

    function: str
    start_line: int
    imports: str
    calls: tuple[Called, ...]
    around: str
    left_out: str = ""


def shown(source: str, qualname: str, line: int) -> Shown:
    """What there is to see of a function. Raises BadSource, or KeyError where the file has no such function."""
    text = source.removeprefix("\ufeff")
    outline = Outline(text)
    target = find(outline.module, qualname, line)
    if target is None:
        raise KeyError(qualname)
    used = sorted(((node, name) for name, node in uses(outline, qualname, target)), key=lambda one: one[0].lineno)
    calls = tuple(Called(name, outline.shown(name, node)) for node, name in used)
    return _fitted(
        Shown(outline.text(target), first_line(target), outline.imports(), calls, outline.around(qualname, target))
    )


def _fitted(whole: Shown) -> Shown:
    """Within the limit: the largest parts are left out first, and named."""
    parts = {one.name: one.source for one in whole.calls}
    parts |= {"the class around it": whole.around, "the imports": whole.imports}
    total, dropped = sum(map(len, parts.values())), []
    for name in sorted(parts, key=lambda name: -len(parts[name])):
        if total <= MOST_CHARS:
            break
        total -= len(parts[name])
        dropped.append(name)
    if not dropped:
        return whole
    calls = tuple(one for one in whole.calls if one.name not in dropped)
    note = f"Left out because it is long: {', '.join(dropped)}."
    around, imports = ("" if name in dropped else parts[name] for name in ("the class around it", "the imports"))
    return Shown(whole.function, whole.start_line, imports, calls, around, note)
