"""What a piece of text is when read as Python: which functions it defines, or why it does not parse."""

from __future__ import annotations

import ast
import re
import warnings
from typing import NamedTuple

DEFINITION = re.compile(r"[ \t]*(?:async[ \t]+def|def|class)[ \t]", re.ASCII)


class Code(NamedTuple):
    """`functions` are those at its top and in its classes; `fault` is a sentence where it is no Python.

    `elided` are functions whose body is `...`, by which models mean code that they left out.
    """

    text: str
    functions: tuple[str, ...] = ()
    fault: str = ""
    elided: tuple[str, ...] = ()

    @property
    def looks_like_functions(self) -> bool:
        return any(DEFINITION.match(line) for line in self.text.split("\n"))


def look(text: str) -> Code:
    """Reads a text, which may be indented as a whole, without raising."""
    text = _trimmed(text)
    is_indented = text[:1] in (" ", "\t")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape is no reason to refuse
            module = ast.parse(f"if 1:\n{text}" if is_indented else text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        line = (getattr(fault, "lineno", None) or 0) - is_indented
        place = f" in its line {line}" if line > 0 else ""
        return Code(text, (), f"{getattr(fault, 'msg', None) or str(fault) or 'it is nested too deeply'}{place}")
    body = module.body[0].body if is_indented and isinstance(module.body[0], ast.If) else module.body
    defined = [node for node in _functions(body) if not _is_elided(node)]
    names = tuple(dict.fromkeys(node.name for node in defined))
    elided = (node.name for node in _functions(body) if node.name not in names)
    return Code(text, names, "", tuple(dict.fromkeys(elided)))


def _trimmed(text: str) -> str:
    """The text from its first line that is not blank, with one newline at its end."""
    lines = text.rstrip().split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    return "\n".join(lines[first:]) + "\n"


def _functions(body: list[ast.stmt]) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    found, waiting = [], list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting.extend(reversed(node.body))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.append(node)
    return found


def _is_elided(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    said = [one.value for one in node.body if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)]
    return len(said) == len(node.body) and said[-1].value is ...
