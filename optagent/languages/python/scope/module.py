"""`--scope module`: the target and everything in its file that is private or has a body to rewrite."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from optagent.core.patch import Change, Patch
from optagent.core.target import Target, Tree
from optagent.languages.python.scope.additions import Additions, Definition, is_free, may_join, ran_before
from optagent.languages.python.scope.construction import decorator_effect, names_at_top, shown
from optagent.languages.python.scope.function import cut_out, fault_of_places, is_within, parsed
from optagent.languages.python.scope.imports import fault_of_imports
from optagent.languages.python.scope.names import (
    BUILTINS,
    bound_by,
    bound_in,
    dumps,
    global_names,
    names,
)
from optagent.languages.python.source.forms import dump
from optagent.languages.python.source.functions import FunctionNode, last_word
from optagent.languages.python.source.kinds import STRUCTURAL


def fault(target: Target, patch: Patch, base: Tree | None = None) -> str | None:
    """Why a patch is not looked at any further, as a sentence, or None.

    In scope are the bodies of all functions and methods of the target's file, and its private functions, classes
    and constants, which may also be added and removed. What others can see stays: the names, signatures and
    decorators, `__all__`, the docstring, and whatever runs when the module is imported.
    """
    objection = fault_of_places(target, patch)
    return objection or next((fault_in_file(target, change, base) for change in patch.changes), None)


def fault_in_file(target: Target, change: Change, base: Tree | None) -> str | None:
    """The same for one file, which need not be the target's."""
    trees = parsed(change)
    if isinstance(trees, str):
        return trees
    before, after = trees
    objection = fault_of_imports(target.module.split(".")[0], base, before, after)
    if objection is None and change.path == target.path:
        objection = _fault_of_target(target.qualname, before, after)
    return objection or Edit.of(before, after).fault(before, after)


def _fault_of_target(qualname: str, before: ast.Module, after: ast.Module) -> str | None:
    """The target is there as it was called before; afterwards both trees hold none of its body."""
    meanings = names_at_top(after.body, bound_in(after.body))
    old, new = cut_out(before, qualname), cut_out(after, qualname)
    if old is None or new is None:
        return f"removes {qualname}"
    added = sorted(global_names(new) - global_names(old) - global_names(before))
    taken = (names(before) - private_names(before)) | BUILTINS
    if wrong := [name for name in added if name in taken or name.startswith("__")]:
        return f"assigns the global {wrong[0]}, which nobody assigned before"
    for one in new.decorator_list:
        found = decorator_effect(one, meanings)
        if found is not None and dump(one) not in dumps(old.decorator_list):
            return f"{found} at import, as a decorator of {qualname}"
    return fault_of_function(old, new, qualname)


def fault_of_function(old: FunctionNode, new: FunctionNode, name: str) -> str | None:
    """Called as before, and decorated with what it was decorated with."""
    if head(old) != head(new):
        return f"changes the signature of {name}"
    if not is_within(dumps(old.decorator_list), dumps(new.decorator_list)):
        return f"removes a decorator of {name}"
    others = [one for one in old.decorator_list if last_word(one) not in STRUCTURAL]
    if others and len(old.decorator_list) != len(new.decorator_list):
        return f"adds a decorator to {name}, which has others: what they make of it would not be judged"
    return None


def head(node: FunctionNode) -> str:
    returns = dump(node.returns) if node.returns else ""
    parameters = [dump(one) for one in getattr(node, "type_params", [])]
    return f"{type(node).__name__} {dump(node.args)} {returns} {parameters}"


def private_names(module: ast.Module) -> set[str]:
    """Names that only private definitions and constants of the module bind."""
    free = [node for node in module.body if is_free(node, in_class=False)]
    return bound_in(free) - bound_in(node for node in module.body if node not in free)


@dataclass(frozen=True)
class Edit:
    """A file's edit as a whole: `taken` names stand for something already, of which `fixed` are bound by what stays;
    `additions` knows what may run."""

    taken: frozenset[str]
    fixed: frozenset[str]
    additions: Additions

    @classmethod
    def of(cls, before: ast.Module, after: ast.Module) -> Edit:
        meanings = names_at_top(after.body, bound_in(after.body))
        taken = frozenset(names(before) - private_names(before))
        fixed = bound_in(node for node in before.body if not is_free(node, in_class=False))
        return cls(taken, frozenset(fixed), Additions(meanings, ran_before(before.body)))

    def fault(self, before: ast.Module, after: ast.Module) -> str | None:
        if ast.get_docstring(before, clean=False) != ast.get_docstring(after, clean=False):
            return "changes the docstring of the module"
        for name in sorted(global_names(after) - global_names(before)):
            if name in self.taken | BUILTINS or name.startswith("__"):
                return f"assigns the global {name}, which nobody assigned before"
        return self.fault_in_body(before.body, after.body, "")

    def fault_in_body(self, before: list[ast.stmt], after: list[ast.stmt], inside: str) -> str | None:
        """What others see of a module or a class is all there, in order; what is new is private."""
        old = [node for node in before if not self.is_free(node, bool(inside))]
        same = dumps(before)
        k = 0
        for number, node in enumerate(after):
            if k < len(old) and identity(old[k]) == identity(node):
                objection, k = self.fault_of_same(old[k], node, inside), k + 1
            elif self.is_free(node, bool(inside)) and dump(node) in same:
                objection = None
            else:
                objection = moved(old, node, inside) or self.fault_of_new(node, inside)
            if objection is not None:
                return lost(old[k:], after[number:], inside) or objection
        return lost(old[k:], [], inside)

    def fault_of_same(self, old: ast.stmt, new: ast.stmt, inside: str) -> str | None:
        """A public definition: its head stays, a function's body is free, a class is looked into."""
        if isinstance(old, FunctionNode) and isinstance(new, FunctionNode):
            return fault_of_function(old, new, inside + new.name) or self.additions.fault(new)
        if isinstance(old, ast.ClassDef) and isinstance(new, ast.ClassDef):
            if outside(old) != outside(new):
                return f"changes the bases or decorators of {inside}{new.name}"
            return self.fault_in_body(old.body, new.body, f"{inside}{new.name}.")
        return None

    def fault_of_new(self, node: ast.stmt, inside: str) -> str | None:
        """A private definition or constant, an import, in a class a method: under a name that nobody has."""
        in_class = bool(inside)
        if in_class and may_join(node):
            return self.additions.fault(node)
        bound = bound_by(node) | ({node.name} if isinstance(node, Definition) else set())
        is_import = isinstance(node, ast.Import | ast.ImportFrom) and not in_class
        if not (is_free(node, in_class) or is_import):
            return f"adds {title(node, inside)}" + (", which others could see: name it _..." if bound else "")
        if not in_class and (wrong := sorted(name for name in bound if self.is_taken(name))):
            return f"gives the name {wrong[0]} another meaning"
        return self.additions.fault(node)

    def is_free(self, node: ast.stmt, in_class: bool) -> bool:
        """Private, and nothing but such statements gives the name its meaning: a fallback stays where it stands."""
        bound = {node.name} if isinstance(node, Definition) else bound_by(node)
        return is_free(node, in_class) and (in_class or not bound & self.fixed)

    def is_taken(self, name: str) -> bool:
        return name in self.taken | BUILTINS or name.startswith("__")


def identity(node: ast.stmt) -> tuple[str, str]:
    """By what a statement is found again: a definition by its name, all else by its text."""
    if isinstance(node, Definition):
        return ("class" if isinstance(node, ast.ClassDef) else "function", node.name)
    return "statement", dump(node)


def outside(node: ast.ClassDef) -> tuple[list[str], list[str]]:
    """What is written around the body of a class."""
    parameters = getattr(node, "type_params", [])
    return dumps([*node.bases, *node.keywords]), dumps([*node.decorator_list, *parameters])


def lost(old: list[ast.stmt], rest: list[ast.stmt], inside: str) -> str | None:
    """The sentence for the first old statement that is nowhere in the rest, or None."""
    there = {identity(node) for node in rest}
    gone = [node for node in old if identity(node) not in there]
    return f"changes or removes {title(gone[0], inside)}" if gone else None


def moved(old: list[ast.stmt], node: ast.stmt, inside: str) -> str | None:
    """The sentence for a statement that was there before, in another place or only once; None for a new one."""
    return f"moves or repeats {title(node, inside)}" if identity(node) in map(identity, old) else None


def title(node: ast.stmt, inside: str) -> str:
    """How to call a statement in a sentence."""
    if isinstance(node, Definition):
        return f"{inside}{node.name}"
    if bound := sorted(bound_by(node)):
        return f"{inside}{bound[0]}"
    return f"code that runs at import: {shown(node).splitlines()[0]}"
