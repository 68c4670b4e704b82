"""The functions that a person names, on both sides of a comparison; and what is said of those that cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from optagent.cli.comparing.sides import Sides
from optagent.core.target import Target
from optagent.errors import BadSource, SignatureChanged, TargetNotFound
from optagent.languages.python.source.changed import Changes, Pair
from optagent.languages.python.source.forms import form
from optagent.languages.python.source.import_names import Layout
from optagent.languages.python.source.modules import counterpart, read_module
from optagent.languages.python.targets.locate import locate

MOST_LISTED = 5


def named(sides: Sides, texts: Sequence[str]) -> tuple[Pair, ...]:
    """Each function on both sides. Raises TargetNotFound, another fault of naming, BadSource or SignatureChanged."""
    return tuple(_pair(sides, text) for text in texts)


def _pair(sides: Sides, text: str) -> Pair:
    with _told_of("base", sides):
        if sides.are_files and sides.paths:  # a search by name passes over what cannot be read
            read_module(sides.base, Layout(sides.base), sides.paths[0])
        base = _in_base(sides, text)
    with _told_of("head", sides):
        found = counterpart(sides.head, base)
    if found is None:
        raise TargetNotFound(
            f"{base} is only in the base ({sides.idea}), so there is nothing to compare it with",
            "A function that was renamed or moved to another module counts as another one.",
        )
    module, head = found
    before = read_module(sides.base, Layout(sides.base), base.path)
    was, now = before.signature(base.qualname), module.signature(head.qualname)
    if was != now:
        raise SignatureChanged(
            f"the signature of {base} changed from {was} to {now}, so both cannot be called alike",
            "Compare the functions that call it.",
        )
    return Pair(base, head, form(before.nodes[base.qualname]) == form(module.nodes[head.qualname]))


@contextmanager
def _told_of(side: str, sides: Sides) -> Iterator[None]:
    """BadSource says on which side the source is bad: two files go by the name of the old one here."""
    try:
        yield
    except BadSource as fault:
        raise BadSource(f"in the {side} ({sides.idea}), {fault.message}", fault.hint) from None


def _in_base(sides: Sides, text: str) -> Target:
    try:
        return locate(sides.base, text)
    except TargetNotFound:
        try:
            new = locate(sides.head, text)
        except TargetNotFound:
            new = None
        if new is None:
            raise
    raise TargetNotFound(
        f"{new} is only in the head ({sides.idea}), so there is nothing to compare it with",
        "A function that was renamed or moved to another module counts as another one.",
    )


def nothing_common(found: Changes) -> TargetNotFound:
    """Code changed, but no function that both sides have."""
    return TargetNotFound(
        f"no function that both sides have changed: {'; '.join(untold(found, ()))}",
        "Name one that depends on what changed: `--target FN`.",
    )


def untold(found: Changes, unreached: Sequence[Pair]) -> list[str]:
    """What changed and is not judged, and why, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for pair in unreached:
        reasons.setdefault("no passing test reaches it", []).append(str(pair.base))
    for one in found.apart:
        reasons.setdefault(one.why, []).append(one.name)
    said = [f"not judged, {why}: {listed(names)}" for why, names in reasons.items()]
    if found.around:
        said.append(f"code outside of functions changed, judged only through the functions: {listed(found.around)}")
    if found.others:
        said.append(f"other files changed, judged only through the functions: {listed(found.others)}")
    return said


def listed(names: Sequence[str]) -> str:
    """
    >>> listed(["a", "b"]), listed(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more
