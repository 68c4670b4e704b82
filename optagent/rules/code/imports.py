"""How a function of the standard library is called in a file, and where a new import of it goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from optagent.rules.code.scene import Scene, imported


@dataclass(frozen=True)
class Import:
    """`word` is what stands for the module or function; `lines` is the import it needs, empty if it is there."""

    word: str
    lines: tuple[str, ...] = ()


def module_import(scene: Scene, module: str) -> Import:
    """`heapq`, or the name it has in the file already."""
    word = known_as(scene, module)
    if word is not None:
        return Import(word)
    word = unused(scene, module)
    return Import(word, (f"import {module}" if word == module else f"import {module} as {word}",))


def member_import(scene: Scene, module: str, member: str) -> Import:
    """`deque`, or `collections.deque` where the module is imported as a whole."""
    word = known_as(scene, f"{module}.{member}")
    if word is not None:
        return Import(word)
    whole = known_as(scene, module)
    if whole is not None:
        return Import(f"{whole}.{member}")
    word = unused(scene, member)
    return Import(word, (f"from {module} import {member}" + ("" if word == member else f" as {word}"),))


def known_as(scene: Scene, path: str) -> str | None:
    """The name under which the top of the module surely has imported something, as the function sees it."""
    lines = [line for line in scene.module.body if isinstance(line, cst.SimpleStatementLine)]
    names = imported(small for line in lines for small in line.body)
    fitting = (name for name, full in names.items() if full == path)
    return next((name for name in fitting if scene.meaning(name) == path), None)


def unused(scene: Scene, wish: str) -> str:
    """The wish if the word is nowhere in the file, else a private spelling of it that is not."""
    words = set(re.findall(r"\w+", scene.source))
    spellings = [wish, f"_{wish}", *(f"_{wish}_{count}" for count in range(2, len(words) + 3))]
    return next(word for word in spellings if word not in words)


def with_imports(scene: Scene, text: str, lines: Sequence[str]) -> str:
    """The text, the same as the scene's up to the function, with import lines among those at the top of the module."""
    rooms: dict[int, list[str]] = {}
    gaps: dict[int, tuple[int, int]] = {}
    for line in sorted(lines, key=sort_key):
        at, gap = room_for(scene, line)
        rooms.setdefault(at, []).append(line)
        gaps[at] = gap
    end = scene.module.default_newline
    for at in sorted(rooms, reverse=True):  # from the back: what stands before stays where it is
        above, below = gaps[at]
        text = text[:at] + end * above + "".join(line + end for line in rooms[at]) + end * below + text[at:]
    return text


def room_for(scene: Scene, line: str) -> tuple[int, tuple[int, int]]:
    """Where in the text an import goes, and how many blank lines stand above and below it."""
    docs, block = opening(scene.module)
    later = [one for one in block if sort_key(code(scene, one)) > sort_key(line)]
    if later:
        return scene.record.starts[later[0]], (0, 0)
    if block or docs:
        last = (block or docs)[-1]
        return scene.record.starts[last] + len(code(scene, last)), (0 if block else 1, 0)
    return before_code(scene), (0, 2)


def opening(module: cst.Module) -> tuple[list[cst.CSTNode], list[cst.CSTNode]]:
    """The docstring and `from __future__` lines of a module, and the imports that follow them without a gap."""
    docs: list[cst.CSTNode] = []
    block: list[cst.CSTNode] = []
    for number, line in enumerate(module.body):
        if not isinstance(line, cst.SimpleStatementLine):
            break
        if all(is_future(small) for small in line.body) or (number == 0 and is_text(line.body[0])):
            docs.append(line)
        elif all(isinstance(small, cst.Import | cst.ImportFrom) for small in line.body):
            block.append(line)
        else:
            break
    return docs, block


def is_future(small: cst.CSTNode) -> bool:
    home = small.module if isinstance(small, cst.ImportFrom) else None
    return isinstance(home, cst.Name) and home.value == "__future__"


def is_text(small: cst.CSTNode) -> bool:
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)


def code(scene: Scene, line: cst.CSTNode) -> str:
    """A line of the module with its line end, without what stands above it."""
    assert isinstance(line, cst.SimpleStatementLine)
    return scene.code(line.with_changes(leading_lines=[]))


def sort_key(line: str) -> tuple[bool, bool, str]:
    """`import a` before `from a import b`, relative imports last, each in the order of the alphabet."""
    words = line.split()
    return line.startswith("from"), words[1].startswith("."), words[1]


def before_code(scene: Scene) -> int:
    """The end of the comments at the top of a file, without those that belong to its first statement."""
    lines = list(scene.module.header)
    blank = [number for number, line in enumerate(lines) if line.comment is None]
    upto = blank[-1] + 1 if blank else len(lines)
    return sum(len(scene.code(line)) for line in lines[:upto])
